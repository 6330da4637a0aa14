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
from tests.lab.containers import sweep_cgroups
from tests.lab.kubernetes import settings
from tests.lab.kubernetes.binaries import binaries
from tests.lab.kubernetes.room import Room, room
from tests.lab.kubernetes.settings import API_IP, NODE, NODE_IP, PAUSE
from tests.lab.private import private_directory
from tests.lab.waiting import HungError, tails, until

START_S = 180


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
        self.api = self.room.start("kube-apiserver", settings.api_server(self.folder, self.programs))
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
    for name, text in settings.files(folder).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    subprocess.run(
        ["openssl", "genrsa", "-out", folder / "account.key", "2048"], check=True, capture_output=True
    )
    inside.start("etcd", settings.etcd(folder))
    inside.start("dockerd", ["dockerd", "--config-file", f"{folder}/daemon.json"])
    found.start_api()
    for name, command in settings.controllers(folder, programs).items():
        inside.start(name, command)
    docker = ("docker", f"--host=unix://{folder}/docker.sock")
    until(
        "dockerd", lambda: inside.run(*docker, "version").returncode == 0, limit_s=START_S, logs=inside.logs
    )
    image = folder / "pause.tar"
    subprocess.run(["tar", "-C", programs, "-cf", image, "pause"], check=True)
    found.docker("import", "--change", 'ENTRYPOINT ["/pause"]', str(image), PAUSE)
    inside.start("kubelet", settings.kubelet(folder, programs))
    until("ready node", lambda: _node_is_ready(found), limit_s=START_S, logs=inside.logs)


def _node_is_ready(found: Cluster) -> bool:
    done = found.try_kubectl("get", "-o", "json", "node", NODE)
    if done.returncode != 0:
        return False
    conditions = json.loads(done.stdout)["status"].get("conditions", ())
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)
