"""The agent's chart on a real Kubernetes: its pod runs as it says, and may do what it says and nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from profiles.profile import MAJOR
from tests.lab.kubernetes.cluster import Cluster
from tests.lab.kubernetes.nfd import label_node, labels_of_file
from tests.lab.kubernetes.release import POD_S, Install
from tests.lab.kubernetes.settings import NODE, PAUSE
from tests.lab.waiting import until

FEATURES = "/apis/nfd.k8s-sigs.io/v1alpha1/namespaces/{namespace}/nodefeatures"
OBJECT = f"sitecap-{NODE}"

# What a process may do, as the kernel says of the agent itself.
_CONFINED = """
import json, os
status = dict(line.split(":", 1) for line in open("/proc/1/status") if ":" in line)
def refused(path):
    try:
        open(path, "w").close()
    except OSError as error:
        return error.strerror
    os.unlink(path)
print(json.dumps({
    "uid": os.getuid(), "capabilities": int(status["CapEff"], 16) | int(status["CapBnd"], 16),
    "no_new_privileges": status["NoNewPrivs"].strip(), "seccomp": status["Seccomp"].strip(),
    "root": refused("/opt/x"), "config": refused("/etc/sitecap/x"),
    "tmp": refused("/tmp/x"), "spool": refused("/var/spool/sitecap/x"), "cache": refused("/var/cache/sitecap/x"),
    "token": os.path.exists("/var/run/secrets/kubernetes.io"),
    "node": os.environ["NODE_NAME"], "cpu": os.environ["CPU_LIMIT"], "memory": os.environ["MEMORY_LIMIT"],
}))
"""


def test_by_default_it_runs_with_nothing_but_itself(install: Install) -> None:
    release = install({})
    pod = release.ready()

    assert pod["status"]["qosClass"] == "Guaranteed"
    assert json.loads(release.inside(_CONFINED)) == {
        "uid": 10001,
        "capabilities": 0,
        "no_new_privileges": "1",
        "seccomp": "2",
        "root": "Read-only file system",
        "config": "Read-only file system",
        "tmp": None,
        "spool": None,
        "cache": None,
        "token": False,
        "node": NODE,
        "cpu": "1",
        "memory": str(512 * 1024**2),
    }
    assert release.page("/healthz")
    assert release.page("/readyz")
    until(
        "verdicts",
        lambda: 'cms_agent_check_status{check="CPU-02"' in release.page("/metrics"),
        limit_s=POD_S,
        logs=release.cluster.room.logs,
    )


def test_the_label_profile_makes_a_nodefeature_of_its_node(install: Install) -> None:
    release = install({"profile": "label"})
    pod = release.ready()
    cluster = release.cluster
    arguments = ("nodefeature", OBJECT, "-n", release.namespace)
    until(
        "NodeFeature",
        lambda: cluster.try_kubectl("get", *arguments).returncode == 0,
        limit_s=POD_S,
        logs=cluster.room.logs,
    )

    found = cluster.get(*arguments)
    assert found["metadata"]["labels"] == {"nfd.node.kubernetes.io/node-name": NODE}
    assert {"cms.cern.ch/profile-schema", "cms.cern.ch/status"} <= set(found["spec"]["labels"])
    (owner,) = found["metadata"]["ownerReferences"]
    assert owner["uid"] == pod["metadata"]["uid"]

    labels = label_node(cluster, NODE)
    assert found["spec"]["labels"].items() <= labels.items()
    # The scheduler chooses by them.
    cluster.kubectl("apply", "-f", "-", documents=[_job(release.namespace, labels["cms.cern.ch/status"])])
    cluster.kubectl(
        "wait", "--for=condition=Ready", "pod/job", "-n", release.namespace, f"--timeout={POD_S}s"
    )

    cluster.kubectl("delete", "daemonset", release.name, "-n", release.namespace)
    until(
        "end of the NodeFeature",
        lambda: cluster.try_kubectl("get", *arguments).returncode != 0,
        limit_s=POD_S,
        logs=cluster.room.logs,
    )
    assert not [name for name in label_node(cluster, NODE) if name.startswith("cms.cern.ch/")]


def _job(namespace: str, status: str) -> dict[str, Any]:
    """A pod that wants a node of which the agent speaks so."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "job", "namespace": namespace},
        "spec": {
            "nodeSelector": {"cms.cern.ch/profile-schema": str(MAJOR), "cms.cern.ch/status": status},
            "containers": [{"name": "job", "image": PAUSE, "imagePullPolicy": "Never"}],
        },
    }


def test_its_account_may_do_exactly_what_its_role_says(install: Install) -> None:
    release = install({"profile": "label", "label": {"events": True}})
    release.ready()
    cluster, namespace = release.cluster, release.namespace
    cluster.kubectl("create", "namespace", "elsewhere")
    try:
        token = release.inside("print(open('/var/run/secrets/kubernetes.io/serviceaccount/token').read())")
        answers = {}
        made: dict[str, Any] = {}
        for method, path, document in _requests(namespace):
            # What is replaced has to name the version that was read.
            status, found = cluster.ask(method, path, token, made if method == "PUT" else document)
            made = made or found
            answers[method, path] = status
    finally:
        cluster.kubectl("delete", "namespace", "elsewhere", "--wait=false")

    allowed = {key for key, status in answers.items() if status in (200, 201)}
    features = FEATURES.format(namespace=namespace)
    assert allowed == {
        ("POST", features),
        ("GET", f"{features}/probe"),
        ("PUT", f"{features}/probe"),
        ("POST", f"/api/v1/namespaces/{namespace}/events"),
    }
    assert {status for key, status in answers.items() if key not in allowed} == {403}


def _requests(namespace: str) -> list[tuple[str, str, dict[str, Any] | None]]:
    """Everything that a stolen token would be tried on: of its own namespace, another's and the cluster's."""
    core, features = f"/api/v1/namespaces/{namespace}", FEATURES.format(namespace=namespace)
    feature = {
        "apiVersion": "nfd.k8s-sigs.io/v1alpha1",
        "kind": "NodeFeature",
        "metadata": {"name": "probe", "namespace": namespace},
        "spec": {"labels": {}},
    }
    event = {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"generateName": "probe.", "namespace": namespace},
        "involvedObject": {"kind": "Pod", "name": "probe", "namespace": namespace},
    }
    review = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
    return [
        ("POST", features, feature),
        ("GET", f"{features}/probe", None),
        ("PUT", f"{features}/probe", None),
        ("POST", f"{core}/events", event),
        ("GET", features, None),
        ("DELETE", f"{features}/probe", None),
        ("DELETE", features, None),
        ("POST", FEATURES.format(namespace="elsewhere"), {**feature, "metadata": {"name": "probe"}}),
        ("GET", "/apis/nfd.k8s-sigs.io/v1alpha1/nodefeatures", None),
        ("GET", f"{core}/events", None),
        ("POST", "/api/v1/namespaces/elsewhere/events", {**event, "metadata": {"generateName": "probe."}}),
        ("GET", f"{core}/pods", None),
        ("POST", f"{core}/pods", {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "probe"}}),
        ("POST", f"{core}/pods/probe/exec", None),
        ("GET", f"{core}/secrets", None),
        ("GET", f"{core}/configmaps", None),
        ("GET", f"{core}/serviceaccounts", None),
        ("POST", f"{core}/serviceaccounts/default/token", review),
        ("GET", "/api/v1/nodes", None),
        ("GET", f"/api/v1/nodes/{NODE}", None),
        ("PATCH", f"/api/v1/nodes/{NODE}", None),
        ("DELETE", f"/api/v1/nodes/{NODE}", None),
        ("GET", f"/api/v1/nodes/{NODE}/proxy/pods", None),
        ("GET", "/api/v1/namespaces", None),
        ("GET", "/apis/apps/v1/daemonsets", None),
        ("GET", "/apis/rbac.authorization.k8s.io/v1/clusterroles", None),
        ("GET", "/apis/scheduling.k8s.io/v1/priorityclasses", None),
    ]


def test_the_node_profile_writes_a_feature_file_and_holds_no_token(
    install: Install, cluster: Cluster
) -> None:
    directory: Path = cluster.folder / "features.d"
    release = install({"profile": "node", "node": {"featuresDirectory": str(directory)}})
    release.ready()
    path = directory / "sitecap"
    until("feature file", path.is_file, limit_s=POD_S, logs=cluster.room.logs)

    lines = path.read_text().splitlines()
    assert lines[0].startswith("# +expiry-time=")
    told = labels_of_file(path.read_text(), datetime.now(UTC))
    assert told["cms.cern.ch/profile-schema"] == str(MAJOR)
    assert told.items() <= label_node(cluster, NODE, told).items()
    label_node(cluster, NODE)
    confined = json.loads(release.inside(_CONFINED))
    assert (confined["uid"], confined["capabilities"], confined["token"]) == (0, 0, False)


def test_the_loss_of_the_api_server_costs_no_restart(install: Install) -> None:
    release = install({"profile": "label"})
    release.ready()
    cluster = release.cluster
    cluster.stop_api()
    try:
        assert _health_without_the_api(cluster).strip() == "200"
    finally:
        cluster.start_api()
    pod = release.ready()

    assert [one["restartCount"] for one in pod["status"]["containerStatuses"]] == [0]


def _health_without_the_api(cluster: Cluster) -> str:
    """The agent's own answer, found without the API server that would tell its address."""
    container = cluster.docker(
        "ps", "--quiet", "--filter", "label=io.kubernetes.container.name=agent"
    ).strip()
    code = "import urllib.request as r; print(r.urlopen('http://localhost:9617/healthz').status)"
    return cluster.docker("exec", container, "/opt/sitecap/bin/python", "-I", "-c", code)


@pytest.mark.parametrize("profile", ["restricted", "label", "node"])
def test_the_api_server_takes_every_manifest_as_it_is(install: Install, profile: str) -> None:
    """What it would drop or add to silently is what a newer or older version of Kubernetes calls otherwise."""
    release = install({"profile": profile, "gpu": {"enabled": False}})
    for manifest in release.manifests:
        kind, name = manifest["kind"].lower(), manifest["metadata"]["name"]
        found = release.cluster.get(kind, name, "-n", release.namespace)
        assert list(_lost(manifest, found, f"{kind} {name}")) == []


def _lost(wanted: Any, found: Any, where: str) -> Iterator[str]:
    """What is wanted and was not kept, by its path; defaults may have been added, and what says nothing left out."""
    if isinstance(wanted, dict):
        for key, value in wanted.items():
            if key in found:
                yield from _lost(value, found[key], f"{where}.{key}")
            elif value not in ([], {}, None, False):
                yield f"{where}.{key}"
    elif isinstance(wanted, list) and len(wanted) == len(found):
        for place, (one, other) in enumerate(zip(wanted, found, strict=True)):
            yield from _lost(one, other, f"{where}[{place}]")
    elif wanted != found:
        yield f"{where}: {found!r}"
