"""The agent's chart, installed on a cluster."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from tests.lab.kubernetes.cluster import Cluster
from tests.lab.waiting import until

POD_S = 180


class Install(Protocol):
    """Installs the chart with values, after other objects of its namespace."""

    def __call__(self, values: dict[str, Any], before: Sequence[dict[str, Any]] = ()) -> Release: ...


class Release:
    """The agent's chart on the cluster, in a namespace of its own."""

    def __init__(self, cluster: Cluster, namespace: str, manifests: list[dict[str, Any]]) -> None:
        self.cluster = cluster
        self.namespace = namespace
        self.manifests = manifests

    @property
    def name(self) -> str:
        """Of the DaemonSet, its account and its Role."""
        (daemonset,) = [one for one in self.manifests if one["kind"] == "DaemonSet"]
        return str(daemonset["metadata"]["name"])

    @property
    def pod(self) -> dict[str, Any]:
        """The pod of the one node."""
        (pod,) = self.cluster.get("pods", "-n", self.namespace)["items"]
        return dict(pod)

    def ready(self) -> dict[str, Any]:
        """Wait for the pod."""
        until("ready pod", self._is_ready, limit_s=POD_S, logs=self.cluster.room.logs)
        return self.pod

    def _is_ready(self) -> bool:
        pods = self.cluster.get("pods", "-n", self.namespace)["items"]
        statuses = [one for pod in pods for one in pod["status"].get("containerStatuses", ())]
        return bool(statuses) and all(one["ready"] for one in statuses)

    def inside(self, code: str) -> str:
        """What a Python program says that is run in the container, as the agent's user."""
        (status,) = self.pod["status"]["containerStatuses"]
        container = status["containerID"].removeprefix("docker://")
        return self.cluster.docker("exec", container, "/opt/sitecap/bin/python", "-I", "-c", code).strip()

    def page(self, path: str) -> str:
        """A page of the agent, asked from the node as Prometheus or the kubelet would."""
        done = self.cluster.room.run("curl", "-sSf", f"http://{self.pod['status']['podIP']}:9617{path}")
        assert done.returncode == 0, done.stderr
        return done.stdout
