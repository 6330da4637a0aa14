"""How the programs of the cluster are set up and called. Pure."""

from __future__ import annotations

import json
from pathlib import Path

from tests.lab.containers import NOFILE

NODE = "node-1"
NODE_IP, API_IP, PODS = "10.99.9.1", "10.0.0.1", "10.88.0.0/24"
PAUSE = "sitecap-lab/pause:1"
ADMIN_TOKEN = "admin-token"
HERE = Path(__file__).parent


def files(folder: Path) -> dict[str, str]:
    """Files of the cluster, by their name in its folder."""
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
    node = {
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
        "kubelet.yaml": json.dumps(node),
        "net.d/pods.conf": json.dumps(network),
        "kubeconfig": json.dumps(kubeconfig),
        "tokens.csv": f"{ADMIN_TOKEN},admin,admin,system:masters\n",
        "resolv.conf": "nameserver 127.0.0.1\n",
    }


def etcd(folder: Path) -> list[str]:
    """Command line of etcd."""
    return [
        "etcd", f"--data-dir={folder}/etcd", "--listen-client-urls=http://127.0.0.1:2379",
        "--advertise-client-urls=http://127.0.0.1:2379", "--listen-peer-urls=http://127.0.0.1:2380", "--unsafe-no-fsync",
    ]  # fmt: skip


def api_server(folder: Path, programs: Path) -> list[str]:
    """Command line of the API server."""
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


def controllers(folder: Path, programs: Path) -> dict[str, list[str]]:
    """Command lines of the controller manager and the scheduler, by name."""
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


def kubelet(folder: Path, programs: Path) -> list[str]:
    """Command line of the kubelet."""
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
