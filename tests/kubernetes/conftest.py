"""A real cluster of one node with the agent's image on it, for all tests of this directory: `make kubernetes`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.lab import LabUnavailableError, skip_or_fail
from tests.lab.engine import Engine
from tests.lab.helm import NAMESPACE, Helm
from tests.lab.kubernetes.cluster import Cluster
from tests.lab.kubernetes.cluster import cluster as started
from tests.lab.kubernetes.release import POD_S, Release
from tests.lab.waiting import until

IMAGE = "sitecap-agent:lab"
CRD = Path(__file__).parents[1] / "lab/kubernetes/nodefeature.yaml"


@pytest.fixture(scope="session")
def cluster(podman: Engine, agent_image: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """The cluster; its node has the image, and its API server knows NodeFeature objects."""
    archive = tmp_path_factory.mktemp("image") / "agent.tar"
    done = podman.cli("save", "--format=docker-archive", f"--output={archive}", agent_image)
    assert done.returncode == 0, done.stderr
    try:
        with started() as found:
            loaded = (
                found.docker("load", "--quiet", f"--input={archive}").rpartition("Loaded image: ")[2].strip()
            )
            found.docker("tag", loaded, IMAGE)
            archive.unlink()
            found.kubectl("apply", "-f", "-", documents=[yaml.safe_load(CRD.read_text())])
            found.kubectl("wait", "--for=condition=Established", "crd/nodefeatures.nfd.k8s-sigs.io")
            yield found
    except LabUnavailableError as reason:
        skip_or_fail(reason)


@pytest.fixture
def install(cluster: Cluster, helm: Helm, request: pytest.FixtureRequest) -> Iterator[Any]:
    """`install(values)` → a release of the agent's chart; it is removed after the test."""
    namespaces: list[str] = []

    def make(values: dict[str, Any]) -> Release:
        namespace = f"{NAMESPACE}-{len(namespaces)}"
        settings = {
            "image": {
                "repository": IMAGE.partition(":")[0],
                "tag": IMAGE.partition(":")[2],
                "pullPolicy": "Never",
            },
            **values,
        }
        manifests = helm.manifests("sitecap-agent", settings, namespace=namespace)
        cluster.kubectl("create", "namespace", namespace)
        namespaces.append(namespace)
        cluster.kubectl("apply", "-f", "-", documents=manifests)
        return Release(cluster, namespace, manifests)

    yield make
    for namespace in namespaces:
        cluster.kubectl("delete", "namespace", namespace, "--wait=false")
        until(
            f"end of {namespace}",
            lambda namespace=namespace: cluster.try_kubectl("get", "namespace", namespace).returncode != 0,
            limit_s=POD_S,
            logs=cluster.room.logs,
        )
        cluster.kubectl("delete", "priorityclass", f"{namespace}-demo-sitecap-agent")
