"""A cluster of one node, started in a room of its own; driven by its own kubectl."""

from __future__ import annotations

import contextlib
import json
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.lab import need_commands, need_root
from tests.lab.containers import NOFILE, sweep_cgroups
from tests.lab.kubernetes.binaries import binaries
from tests.lab.kubernetes.room import Room, room
from tests.lab.private import private_directory
from tests.lab.waiting import HungError, tails, until

NODE = "node-1"
NODE_IP, API_IP, PODS = "10.99.9.1", "10.0.0.1", "10.88.0.0/24"
PAUSE = "sitecap-lab/pause:1"
ADMIN_TOKEN = "admin-token"
START_S = 180
HERE = Path(__file__).parent


@dataclass
class Cluster:
    """A running cluster.

    Attributes:
        room: where everything runs.
        folder: of its files.
        programs: directory of the programs of Kubernetes.
        api: the API server, which can be stopped and started again.
    """

    room: Room
    folder: Path
    programs: Path
    api: subprocess.Popen[bytes] | None = None

    def kubectl(self, *arguments: str, documents: list[dict[str, Any]] | None = None) -> str:
        """What kubectl says; `documents` go to its standard input.

        Raises:
            AssertionError: it failed; with what it said.
        """
        done = self.try_kubectl(*arguments, documents=documents)
        assert done.returncode == 0, f"kubectl {' '.join(arguments)}: {done.stderr}"
        return done.stdout

    def try_kubectl(
        self, *arguments: str, documents: list[dict[str, Any]] | None = None, timeout_s: float = 60
    ) -> subprocess.CompletedProcess[str]:
        """The same, failed or not."""
        text = None if documents is None else yaml.safe_dump_all(documents)
        return self.room.run(
            str(self.programs / "kubectl"),
            f"--kubeconfig={self.folder}/kubeconfig",
            *arguments,
            text=text,
            timeout_s=timeout_s,
        )

    def get(self, *arguments: str) -> dict[str, Any]:
        """An object, or a list of objects."""
        found: dict[str, Any] = json.loads(self.kubectl("get", "-o", "json", *arguments))
        return found

    def ask(
        self, method: str, path: str, token: str, document: Mapping[str, Any] | None = None
    ) -> tuple[int, dict[str, Any]]:
        """Status and answer of one request to the API server, as whoever holds the token."""
        body = (
            []
            if document is None
            else ["--header", "Content-Type: application/json", "--data", json.dumps(document)]
        )
        done = self.room.run(
            "curl", "--silent", "--show-error", "--cacert", f"{self.folder}/certs/apiserver.crt",
            "--request", method, "--header", f"Authorization: Bearer {token}", *body,
            "--write-out", "\n%{http_code}", f"https://{API_IP}{path}",
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        text, _, status = done.stdout.rpartition("\n")
        return int(status), json.loads(text) if text.strip() else {}

    def docker(self, *arguments: str, text: str | None = None) -> str:
        """What the node's Docker says.

        Raises:
            AssertionError: it failed; with what it said.
        """
        done = self.room.run(
            "docker", f"--host=unix://{self.folder}/docker.sock", *arguments, text=text, timeout_s=300
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def stop_api(self) -> None:
        """kill -9 of the API server."""
        assert self.api is not None
        self.room.run("pkill", "-KILL", "-x", "kube-apiserver")
        self.api.wait()

    def start_api(self) -> None:
        """Start the API server and wait until it is ready."""
        self.api = self.room.start("kube-apiserver", _api_server(self.folder, self.programs))
        until("API server", self._ready, limit_s=START_S, logs=self.room.logs)

    def _ready(self) -> bool:
        if self.api is not None and self.api.poll() is not None:
            raise HungError(
                f"the API server ended with status {self.api.returncode}\n{tails(self.room.logs)}"
            )
        return self.try_kubectl("get", "--raw", "/readyz").stdout == "ok"


@contextlib.contextmanager
def cluster() -> Iterator[Cluster]:
    """A cluster whose node is ready.

    Raises:
        LabUnavailableError: something of it cannot be had here.
        HungError: it does not come up.
    """
    need_root()
    need_commands("dockerd", "docker", "etcd", "runc", "nsenter", "unshare", "curl", "openssl", "pkill")
    programs = binaries()
    with private_directory("kubernetes") as folder, contextlib.ExitStack() as stack:
        logs = folder / "logs"
        logs.mkdir()
        stack.callback(sweep_cgroups, "docker")
        inside = stack.enter_context(room(logs))
        found = Cluster(inside, folder, programs)
        _network(inside)
        _start(found)
        yield found
        # The kubelet's mounts are the room's, and so are gone with it.


def _network(inside: Room) -> None:
    # A node's address must not be of 127/8. The API server takes the service's address itself: there is no kube-proxy.
    for address in (NODE_IP, API_IP):
        assert inside.run("ip", "address", "add", f"{address}/32", "dev", "lo").returncode == 0
    # A route, so that a node has a way out that leads nowhere.
    assert inside.run("ip", "route", "add", "blackhole", "default").returncode == 0


def _start(found: Cluster) -> None:
    inside, folder, programs = found.room, found.folder, found.programs
    for name, text in _files(folder).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    subprocess.run(
        ["openssl", "genrsa", "-out", folder / "account.key", "2048"], check=True, capture_output=True
    )
    inside.start("etcd", _etcd(folder))
    inside.start("dockerd", ["dockerd", "--config-file", f"{folder}/daemon.json"])
    found.start_api()
    for name, command in _others(folder, programs).items():
        inside.start(name, command)
    docker = ("docker", f"--host=unix://{folder}/docker.sock")
    until(
        "dockerd", lambda: inside.run(*docker, "version").returncode == 0, limit_s=START_S, logs=inside.logs
    )
    image = folder / "pause.tar"
    subprocess.run(["tar", "-C", programs, "-cf", image, "pause"], check=True)
    found.docker("import", "--change", 'ENTRYPOINT ["/pause"]', str(image), PAUSE)
    inside.start("kubelet", _kubelet(folder, programs))
    until("ready node", lambda: _node_is_ready(found), limit_s=START_S, logs=inside.logs)


def _node_is_ready(found: Cluster) -> bool:
    done = found.try_kubectl("get", "-o", "json", "node", NODE)
    if done.returncode != 0:
        return False
    conditions = json.loads(done.stdout)["status"].get("conditions", ())
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)


def _files(folder: Path) -> dict[str, str]:
    daemon = {
        "iptables": False,
        "ip6tables": False,
        "bridge": "none",
        "storage-driver": "overlay2",
        "data-root": f"{folder}/docker",
        "exec-root": f"{folder}/docker-run",
        "pidfile": f"{folder}/docker.pid",
        "hosts": [f"unix://{folder}/docker.sock"],
        "default-ulimits": {"nofile": {"Name": "nofile", "Hard": NOFILE, "Soft": NOFILE}},
        "oom-score-adjust": 0,
        "runtimes": {"lab": {"path": str(HERE / "runc-lab.sh")}},
        "default-runtime": "lab",
    }
    kubelet = {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": NODE_IP,
        "healthzBindAddress": "127.0.0.1",
        "authentication": {"anonymous": {"enabled": False}, "webhook": {"enabled": True}},
        "authorization": {"mode": "Webhook"},
        "cgroupDriver": "cgroupfs",
        # Not of pods: they would lie in cgroups of the machine that another kubelet calls its own.
        "cgroupsPerQOS": False,
        "enforceNodeAllocatable": [],
        "failSwapOn": False,
        "evictionHard": {"memory.available": "50Mi", "nodefs.available": "1%", "imagefs.available": "1%"},
        "imageGCHighThresholdPercent": 100,
        "nodeStatusUpdateFrequency": "2s",
        "syncFrequency": "2s",
        "resolvConf": f"{folder}/resolv.conf",
        "oomScoreAdj": 0,
    }
    network = {
        "cniVersion": "0.4.0",
        "name": "pods",
        "type": "bridge",
        "bridge": "pods0",
        "isGateway": True,
        "ipam": {
            "type": "host-local",
            "subnet": PODS,
            "routes": [{"dst": "0.0.0.0/0"}],
            "dataDir": f"{folder}/cni",
        },
    }
    kubeconfig = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {
                "name": "lab",
                "cluster": {
                    "server": f"https://{API_IP}",
                    "certificate-authority": f"{folder}/certs/apiserver.crt",
                },
            }
        ],
        "users": [{"name": "admin", "user": {"token": ADMIN_TOKEN}}],
        "contexts": [{"name": "lab", "context": {"cluster": "lab", "user": "admin"}}],
        "current-context": "lab",
    }
    return {
        "daemon.json": json.dumps(daemon),
        "kubelet.yaml": json.dumps(kubelet),
        "net.d/pods.conf": json.dumps(network),
        "kubeconfig": json.dumps(kubeconfig),
        "tokens.csv": f"{ADMIN_TOKEN},admin,admin,system:masters\n",
        "resolv.conf": "nameserver 127.0.0.1\n",
    }


def _etcd(folder: Path) -> list[str]:
    return [
        "etcd", f"--data-dir={folder}/etcd", "--listen-client-urls=http://127.0.0.1:2379",
        "--advertise-client-urls=http://127.0.0.1:2379", "--listen-peer-urls=http://127.0.0.1:2380", "--unsafe-no-fsync",
    ]  # fmt: skip


def _api_server(folder: Path, programs: Path) -> list[str]:
    return [
        f"{programs}/kube-apiserver",
        "--etcd-servers=http://127.0.0.1:2379",
        "--bind-address=0.0.0.0",
        "--secure-port=443",
        "--insecure-port=0",
        f"--advertise-address={NODE_IP}",
        f"--cert-dir={folder}/certs",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={folder}/account.key",
        f"--service-account-signing-key-file={folder}/account.key",
        f"--token-auth-file={folder}/tokens.csv",
        "--authorization-mode=Node,RBAC",
        "--service-cluster-ip-range=10.0.0.0/24",
        "--endpoint-reconciler-type=none",
        "--kubelet-preferred-address-types=InternalIP",
        "--allow-privileged=false",
    ]


def _others(folder: Path, programs: Path) -> dict[str, list[str]]:
    known = [f"--{name}={folder}/kubeconfig" for name in ("kubeconfig", "authentication-kubeconfig")]
    known += [f"--authorization-kubeconfig={folder}/kubeconfig", "--port=0", "--bind-address=127.0.0.1"]
    known += ["--leader-elect=false"]
    return {
        "kube-controller-manager": [
            f"{programs}/kube-controller-manager",
            *known,
            f"--cert-dir={folder}/certs-manager",
            f"--service-account-private-key-file={folder}/account.key",
            f"--root-ca-file={folder}/certs/apiserver.crt",
        ],
        "kube-scheduler": [f"{programs}/kube-scheduler", *known, f"--cert-dir={folder}/certs-scheduler"],
    }


def _kubelet(folder: Path, programs: Path) -> list[str]:
    return [
        f"{programs}/kubelet",
        f"--kubeconfig={folder}/kubeconfig",
        f"--config={folder}/kubelet.yaml",
        f"--root-dir={folder}/kubelet",
        f"--cert-dir={folder}/certs-kubelet",
        "--container-runtime=docker",
        f"--docker-endpoint=unix://{folder}/docker.sock",
        f"--pod-infra-container-image={PAUSE}",
        "--network-plugin=cni",
        f"--cni-conf-dir={folder}/net.d",
        "--cni-bin-dir=/usr/lib/cni",
        f"--cni-cache-dir={folder}/cni-cache",
        f"--hostname-override={NODE}",
        f"--node-ip={NODE_IP}",
        "--runtime-cgroups=/",
        "--kubelet-cgroups=/",
    ]
