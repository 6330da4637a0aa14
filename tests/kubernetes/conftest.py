"""A real cluster of one node with the agent's image on it, for all tests of this directory: `make kubernetes`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.lab import LabUnavailableError, skip_or_fail
from tests.lab.engine import Engine
from tests.lab.helm import NAMESPACE, Helm
from tests.lab.kubernetes.cluster import Cluster
from tests.lab.kubernetes.cluster import cluster as started
from tests.lab.kubernetes.release import POD_S, Install, Release
from tests.lab.waiting import until

IMAGE, SERVICE_IMAGE = "sitecap-agent:lab", "sitecap-capacity:lab"
CRD = Path(__file__).parents[1] / "lab/kubernetes/nodefeature.yaml"


@pytest.fixture(scope="session")
def cluster(podman: Engine, agent_image: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """The cluster; its node has the image, and its API server knows NodeFeature objects."""
    try:
        with started() as found:
            _carry(podman, agent_image, found, IMAGE, tmp_path_factory.mktemp("image"))
            found.kubectl("apply", "-f", "-", documents=[yaml.safe_load(CRD.read_text())])
            found.kubectl("wait", "--for=condition=Established", "crd/nodefeatures.nfd.k8s-sigs.io")
            yield found
    except LabUnavailableError as reason:
        skip_or_fail(reason)


@pytest.fixture(scope="session")
def service_on_node(
    podman: Engine, service_image: str, cluster: Cluster, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The node has the service's image, too."""
    _carry(podman, service_image, cluster, SERVICE_IMAGE, tmp_path_factory.mktemp("image"))


def _carry(podman: Engine, image: str, cluster: Cluster, name: str, folder: Path) -> None:
    """From Podman, which built it, to the node's Docker, as one does without a registry."""
    archive = folder / "image.tar"
    done = podman.cli("save", "--format=docker-archive", f"--output={archive}", image)
    assert done.returncode == 0, done.stderr
    loaded = cluster.docker("load", "--quiet", f"--input={archive}").rpartition("Loaded image: ")[2]
    cluster.docker("tag", loaded.strip(), name)
    archive.unlink()


@pytest.fixture
def install(cluster: Cluster, helm: Helm) -> Iterator[Install]:
    """Installs releases of the agent's chart; they are removed after the test."""
    namespaces: list[str] = []

    def make(values: dict[str, Any], before: Sequence[dict[str, Any]] = ()) -> Release:
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
        if before:
            cluster.kubectl("apply", "-n", namespace, "-f", "-", documents=list(before))
        cluster.kubectl("apply", "-f", "-", documents=manifests)
        return Release(cluster, namespace, manifests)

    yield make
    for namespace in namespaces:
        # First: a namespace that still has pods is looked at again only when their grace is over.
        cluster.kubectl("delete", "daemonset,pod", "--all", "--wait=false", "-n", namespace)
        until(
            f"end of the pods of {namespace}",
            lambda namespace=namespace: not cluster.get("pods", "-n", namespace)["items"],
            limit_s=POD_S,
            logs=cluster.room.logs,
        )
        cluster.kubectl("delete", "namespace", namespace, "--wait=false")
        until(
            f"end of {namespace}",
            lambda namespace=namespace: cluster.try_kubectl("get", "namespace", namespace).returncode != 0,
            limit_s=POD_S,
            logs=cluster.room.logs,
        )
        cluster.kubectl("delete", "priorityclass", f"{namespace}-demo-sitecap-agent")
