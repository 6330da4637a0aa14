"""The service's chart on a real Kubernetes, with a PostgreSQL of the host; and the agent's chart, which hands in to it."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from capacity.service import tokens
from capacity.service.principal import Role
from capacity.store.database import Database
from capacity.store.tables import ProfileRow
from tests.lab.helm import Helm
from tests.lab.kubernetes import forward
from tests.lab.kubernetes.cluster import Cluster
from tests.lab.kubernetes.release import POD_S, Install
from tests.lab.kubernetes.settings import NODE_IP
from tests.lab.postgres import Server
from tests.lab.waiting import until

NAMESPACE = "capacity"
NAME = "demo-sitecap-capacity"
SITE = "T2_LV_Example"
VALUES: dict[str, Any] = {
    "image": {"repository": "sitecap-capacity", "tag": "lab", "pullPolicy": "Never"},
    "resources": {"cpu": "200m", "memory": "512Mi", "ephemeral-storage": "64Mi"},
    "ingress": {"enabled": True, "host": "capacity.example"},
    "trustedProxies": "10.0.0.0/8",
    # Kubernetes 1.20 has this as policy/v1beta1 only.
    "podDisruptionBudget": {"enabled": False},
}


@pytest.fixture(scope="module")
def database(cluster: Cluster, postgres: Server) -> Iterator[str]:
    """An empty database, by the address that the host knows; pods reach it at the node's."""
    socket = postgres.directory / ".s.PGSQL.5432"
    forwarder = cluster.room.start(
        "postgres", [sys.executable, "-I", str(Path(forward.__file__)), NODE_IP, "5432", str(socket)]
    )
    url = postgres.create()
    yield url
    os.killpg(
        forwarder.pid, signal.SIGKILL
    )  # the program that enters the namespaces waits for what it started there
    forwarder.wait()
    postgres.drop(url)


@pytest.fixture(scope="module")
def service(cluster: Cluster, service_on_node: None, helm: Helm, database: str) -> Iterator[Cluster]:
    """The release: first the Job of the hook, as Helm does it, then the rest."""
    manifests = deepcopy(helm.manifests("sitecap-capacity", VALUES, namespace=NAMESPACE))
    (job,) = [one for one in manifests if one["kind"] == "Job"]
    (deployment,) = [one for one in manifests if one["kind"] == "Deployment"]
    # A pause before SIGTERM is known to Kubernetes 1.29 and newer.
    del deployment["spec"]["template"]["spec"]["containers"][0]["lifecycle"]
    inside = f"postgresql://sitecap@{NODE_IP}/{database.partition('@/')[2].partition('?')[0]}"
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "sitecap-capacity-database", "namespace": NAMESPACE},
        "stringData": {"url": inside},
    }
    cluster.kubectl("create", "namespace", NAMESPACE)
    try:
        cluster.kubectl("apply", "-f", "-", documents=[secret, job])
        job_name = job["metadata"]["name"]
        _wait(cluster, "condition=complete", f"job/{job_name}")
        cluster.kubectl("apply", "-f", "-", documents=[one for one in manifests if one is not job])
        _wait(cluster, "condition=Available", f"deployment/{NAME}")
        yield cluster
    finally:
        cluster.kubectl("delete", "namespace", NAMESPACE, "--wait=false")


def _wait(cluster: Cluster, condition: str, what: str) -> None:
    done = cluster.try_kubectl(
        "wait", f"--for={condition}", what, "-n", NAMESPACE, f"--timeout={POD_S}s", timeout_s=POD_S + 30
    )
    said = "" if done.returncode == 0 else _told(cluster)
    assert done.returncode == 0, f"{done.stderr}\n{said}"


def _told(cluster: Cluster) -> str:
    """What the pods say, for a test that fails."""
    pods = cluster.get("pods", "-n", NAMESPACE)["items"]
    return "\n".join(
        cluster.try_kubectl(verb, f"pod/{pod['metadata']['name']}", "-n", NAMESPACE).stdout[-1500:]
        for pod in pods
        for verb in ("describe", "logs")
    )


def _addresses(cluster: Cluster) -> list[str]:
    """The pods that the Service sends requests to, as its Endpoints say."""
    subsets = cluster.get("endpoints", NAME, "-n", NAMESPACE).get("subsets", [])
    return [one["ip"] for subset in subsets for one in subset.get("addresses", [])]


def _status(cluster: Cluster, address: str, path: str) -> str:
    return cluster.room.run(
        "curl", "--silent", "--output", "/dev/null", "--write-out", "%{http_code}", f"http://{address}:8443{path}"
    ).stdout  # fmt: skip


def test_it_serves_from_two_pods_on_a_migrated_database_and_survives_the_loss_of_one(
    service: Cluster,
) -> None:
    until("two pods", lambda: len(_addresses(service)) == 2, limit_s=POD_S, logs=service.room.logs)
    for address in _addresses(service):
        assert _status(service, address, "/readyz") == "200"
        # Nobody reads without a token.
        assert _status(service, address, "/api/v1/sites") == "401"
    ingress = service.get("ingress", NAME, "-n", NAMESPACE)
    (rule,) = ingress["spec"]["rules"]
    assert rule["host"] == "capacity.example"
    assert rule["http"]["paths"][0]["backend"]["service"] == {"name": NAME, "port": {"name": "http"}}

    pods = service.get("pods", "-n", NAMESPACE, "-l", "app.kubernetes.io/component=service")["items"]
    lost = pods[0]
    service.kubectl("delete", "pod", lost["metadata"]["name"], "-n", NAMESPACE, "--grace-period=0", "--force")
    assert _status(service, pods[1]["status"]["podIP"], "/readyz") == "200"
    gone = lost["status"]["podIP"]
    until(
        "another pod",
        lambda: len(found := _addresses(service)) == 2 and gone not in found,
        limit_s=POD_S,
        logs=service.room.logs,
    )


def test_the_agents_pod_hands_its_profile_in_to_the_services_pod(
    service: Cluster, database: str, install: Install
) -> None:
    opened = Database(database)
    try:
        token = tokens.create(opened, role=Role.SUBMIT, site=SITE, now=datetime.now(UTC)).text
        secret = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": "capacity-token"},
            "stringData": {"token": token},
        }
        # There is no kube-proxy here: one of the pods itself.
        address = _addresses(service)[0]
        values = {
            "delivery": {"url": f"http://{address}:8443", "tokenSecret": {"name": "capacity-token"}},
            "config": {"site_profile": "no-outbound", "delivery": {"plain_http": True}},
        }
        release = install(values, [secret])
        release.ready()

        def sites() -> set[str]:
            with opened.reading() as session:
                return set(session.scalars(select(ProfileRow.site)))

        until("profile", sites, limit_s=POD_S, logs=service.room.logs)
        assert sites() == {SITE}
    finally:
        opened.close()
