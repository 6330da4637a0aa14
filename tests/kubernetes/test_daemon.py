"""`agent daemon` against a real API server that goes away and comes back: started on the node, as somebody whose token is the pod's."""

from __future__ import annotations

import itertools
import json
import os
import signal
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from tests.lab.helm import Helm
from tests.lab.kubernetes.cluster import Cluster
from tests.lab.kubernetes.release import POD_S
from tests.lab.kubernetes.settings import ADMIN_TOKEN, API_IP, NODE, PAUSE
from tests.lab.waiting import until

POD = "host-of-the-agent"
_numbers = itertools.count()
# Looks often, asks nobody but this node and the API server.
SETTINGS = """
site_name = "T2_LV_Example"
site_profile = "no-outbound"
[daemon]
period_s = 10.0
confirm_s = 1.0
spread_s = 0.0
probes = ["cores", "disk"]
port = 9618
[daemon.cluster]
node_feature = true
events = true
api_url = "https://{api}"
namespace = "{namespace}"
token_file = "{folder}/token"
ca_file = "{folder}/ca.crt"
[disk]
scratch_path = "{folder}/scratch"
[thresholds.DSK-01]
warn_below_bytes_per_core = 1
critical_below_bytes_per_core = 1
critical_below_bytes = 1
"""


class Daemon:
    """The daemon on the node, in a directory of its own."""

    def __init__(self, cluster: Cluster, namespace: str) -> None:
        self.cluster = cluster
        self.namespace = namespace
        self.folder = cluster.folder / namespace
        self.folder.mkdir()
        text = SETTINGS.format(api=API_IP, namespace=namespace, folder=self.folder)
        (self.folder / "agent.toml").write_text(text)
        self.mend_scratch()
        (self.folder / "ca.crt").write_bytes((cluster.folder / "certs/apiserver.crt").read_bytes())

    def lose_scratch(self) -> None:
        """The scratch directory is gone."""
        (self.folder / "scratch").rmdir()

    def mend_scratch(self) -> None:
        """It is there."""
        (self.folder / "scratch").mkdir()

    def start(self, pod: dict[str, Any]) -> None:
        """Start it, with what the downward API would tell it."""
        told = {"NODE_NAME": NODE, "POD_NAME": POD, "POD_UID": pod["metadata"]["uid"]}
        command = (sys.executable, "-I", "-m", "agent", "daemon", "--config", f"{self.folder}/agent.toml")
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("SITECAP_")}
        self.process = self.cluster.room.start(self.namespace, command, inherited | told)

    def end(self) -> None:
        """SIGTERM; to the whole group, since what brought it into the cluster's network does not pass it on."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)
            self.process.wait(POD_S)

    def said(self, words: str) -> None:
        """Wait for its log."""
        path = self.cluster.room.logs / f"{self.namespace}.log"
        until(f"{words!r}", lambda: words in path.read_text(), limit_s=POD_S, logs=self.cluster.room.logs)

    def health(self) -> str:
        """The status of /healthz."""
        return self.cluster.room.run(
            "curl", "--silent", "--output", "/dev/null", "--write-out", "%{http_code}", "http://127.0.0.1:9618/healthz"
        ).stdout  # fmt: skip


@pytest.fixture
def daemon(cluster: Cluster, helm: Helm) -> Iterator[Daemon]:
    """The daemon with the account and the Role of the chart, and a pod that stands for its own."""
    namespace = f"by-hand-{next(_numbers)}"
    values = {"profile": "label", "label": {"events": True}}
    chart = helm.manifests("sitecap-agent", values, namespace=namespace)
    rights = [one for one in chart if one["kind"] in {"ServiceAccount", "Role", "RoleBinding"}]
    (account,) = [one["metadata"]["name"] for one in rights if one["kind"] == "ServiceAccount"]
    cluster.kubectl("create", "namespace", namespace)
    cluster.kubectl("apply", "-f", "-", documents=rights)
    cluster.kubectl("apply", "-f", "-", documents=[_pod(namespace, account)])
    path = f"/api/v1/namespaces/{namespace}/serviceaccounts/{account}/token"
    request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"audiences": []}}
    status, answer = cluster.ask("POST", path, ADMIN_TOKEN, request)
    assert status == 201, answer
    one = Daemon(cluster, namespace)
    (one.folder / "token").write_text(answer["status"]["token"])
    one.start(cluster.get("pod", POD, "-n", namespace))
    yield one
    one.end()
    cluster.kubectl("delete", "namespace", namespace, "--wait=false")


def _pod(namespace: str, account: str) -> dict[str, Any]:
    container = {"name": "pause", "image": PAUSE, "imagePullPolicy": "Never"}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": POD, "namespace": namespace},
        "spec": {"containers": [container], "serviceAccountName": account},
    }


def test_verdicts_that_turn_while_the_api_server_is_away_are_told_when_it_is_back(daemon: Daemon) -> None:
    cluster = daemon.cluster

    def status() -> str:
        done = cluster.try_kubectl(
            "get", "nodefeature", f"sitecap-{NODE}", "-n", daemon.namespace, "-o", "json"
        )
        if done.returncode != 0:
            return ""
        elements = json.loads(done.stdout)["spec"]["features"]["attributes"]["sitecap.checks"]["elements"]
        return str(elements["dsk-01"])

    def reasons() -> set[str]:
        about = f"involvedObject.kind=Pod,involvedObject.name={POD}"
        events = cluster.get("events", "-n", daemon.namespace, f"--field-selector={about}")["items"]
        return {one["reason"] for one in events if one["reportingComponent"] == "sitecap-agent"}

    until("first verdict", lambda: status() == "OK", limit_s=POD_S, logs=cluster.room.logs)
    assert reasons() == set()
    daemon.lose_scratch()
    until("second verdict", lambda: status() == "CRITICAL", limit_s=POD_S, logs=cluster.room.logs)
    until("Event", lambda: reasons() == {"ChecksTurned"}, limit_s=POD_S, logs=cluster.room.logs)

    cluster.stop_api()
    try:
        daemon.mend_scratch()
        daemon.said("node_feature: https://10.0.0.1 cannot be asked")
        daemon.said("events: https://10.0.0.1 cannot be asked")
        assert daemon.health() == "200"
        assert daemon.process.poll() is None
    finally:
        cluster.start_api()

    until("third verdict", lambda: status() == "OK", limit_s=POD_S, logs=cluster.room.logs)
    until(
        "second Event",
        lambda: reasons() == {"ChecksTurned", "ChecksRecovered"},
        limit_s=POD_S,
        logs=cluster.room.logs,
    )
    daemon.said("node_feature: works again")
    daemon.said("events: works again")


def test_the_object_goes_with_its_pod(daemon: Daemon) -> None:
    cluster = daemon.cluster
    arguments = ("get", "nodefeature", f"sitecap-{NODE}", "-n", daemon.namespace)
    until(
        "NodeFeature",
        lambda: cluster.try_kubectl(*arguments).returncode == 0,
        limit_s=POD_S,
        logs=cluster.room.logs,
    )
    daemon.end()
    cluster.kubectl("delete", "pod", POD, "-n", daemon.namespace)
    until(
        "end of the NodeFeature",
        lambda: cluster.try_kubectl(*arguments).returncode != 0,
        limit_s=POD_S,
        logs=cluster.room.logs,
    )
