"""The daemon's three requests to the Kubernetes API, and what it says when they fail."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from agent.daemon.cluster import Cluster, ClusterError, Place, place_of
from agent.daemon.event import event
from agent.daemon.settings import ClusterSettings
from agent.render import nfd
from probes.settings import KubernetesSettings
from profiles.checks import Status
from tests.unit.agent.daemon.api_server import ApiServer, api_server
from tests.unit.agent.render.made import HOSTILE, check

OWNER = {"apiVersion": "v1", "kind": "Pod", "name": "agent-x", "uid": "u-1"}
OBJECT = "/apis/nfd.k8s-sigs.io/v1alpha1/namespaces/cms/nodefeatures/sitecap-n1"


def document(status: str = "ok") -> dict[str, Any]:
    labels = {"cms.cern.ch/status": status}
    return nfd.node_feature(
        labels, {"MEM-01": "OK"}, name="sitecap-n1", namespace="cms", node="n1", owner=OWNER
    )


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ApiServer]:
    with api_server(tmp_path) as found:
        (tmp_path / "token").write_text(f"{found.token}\n")
        yield found


def cluster(server: ApiServer, **more: Any) -> Cluster:
    place = {
        "url": server.url,
        "token_file": server.ca_file.parent / "token",
        "ca_file": server.ca_file,
        "namespace": "cms",
        "node": "n1",
        "pod": "agent-x",
        "pod_uid": "u-1",
    }
    return Cluster(Place(**{**place, **more}), timeout_s=30.0)


def methods(server: ApiServer) -> list[str]:
    return [method for method, _, _ in server.requests]


def test_an_object_is_created_then_left_alone_then_updated(server: ApiServer) -> None:
    ours = cluster(server)
    assert ours.put_node_feature(document()) == "created"
    assert ours.put_node_feature(document()) == "unchanged"
    assert ours.put_node_feature(document("critical")) == "updated"
    assert server.objects[OBJECT]["spec"]["labels"] == {"cms.cern.ch/status": "critical"}
    assert methods(server) == ["GET", "POST", "GET", "GET", "PUT"], "no list, no delete, no patch"


def test_an_object_that_somebody_changed_meanwhile_is_read_again(server: ApiServer) -> None:
    ours = cluster(server)
    ours.put_node_feature(document())
    stale = {**server.objects[OBJECT], "metadata": {**document()["metadata"], "resourceVersion": "0"}}
    server.answers.append((200, json.dumps(stale).encode()))
    assert ours.put_node_feature(document("critical")) == "updated"
    assert methods(server)[2:] == ["GET", "PUT", "GET", "PUT"]


def test_an_object_that_another_pod_left_gets_this_one_as_owner(server: ApiServer) -> None:
    ours = cluster(server)
    ours.put_node_feature(document())
    server.objects[OBJECT]["metadata"]["ownerReferences"] = [{**OWNER, "uid": "gone"}]
    assert ours.put_node_feature(document()) == "updated"
    assert server.objects[OBJECT]["metadata"]["ownerReferences"] == [OWNER]


def test_a_renewed_token_is_read_for_the_next_request(server: ApiServer) -> None:
    ours = cluster(server)
    ours.put_node_feature(document())
    server.token = "second"
    with pytest.raises(ClusterError, match="answered 401: Unauthorized"):
        ours.put_node_feature(document())
    (server.ca_file.parent / "token").write_text("second")
    assert ours.put_node_feature(document()) == "unchanged"


@pytest.mark.parametrize(
    ("status", "body", "says"),
    [
        (403, b'{"message": "nodefeatures is forbidden"}', "answered 403: nodefeatures is forbidden"),
        (422, b'{"message": "spec.labels: invalid"}', "answered 422: spec.labels: invalid"),
        (500, b"<html>oops</html>", "answered 500: no reason given"),
        (503, b"[" * 100_000, "answered 503: no reason given"),
        (302, b"", "answered 302"),
        (200, b"null", "answered 404"),
    ],
)
def test_a_refusal_is_one_sentence(server: ApiServer, status: int, body: bytes, says: str) -> None:
    server.answers += [(status, body), (404, b'{"message": "no"}')]
    with pytest.raises(ClusterError, match=says):
        cluster(server).put_node_feature(document())


def test_an_api_server_that_is_away_is_one_sentence(server: ApiServer) -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        away = cluster(server, url=f"https://127.0.0.1:{bound.getsockname()[1]}")
        with pytest.raises(ClusterError, match=r"cannot be asked: .*refused"):
            away.put_node_feature(document())
    with pytest.raises(ClusterError, match=r"cannot be asked: .*nothing\.invalid"):
        cluster(server, url="https://nothing.invalid:6443").put_node_feature(document())


def test_a_server_of_another_authority_is_not_talked_to(server: ApiServer, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    with api_server(other) as stranger:
        with pytest.raises(ClusterError, match="certificate verify failed"):
            cluster(server, url=stranger.url).put_node_feature(document())
        assert stranger.requests == []


def test_files_that_are_missing_are_named(server: ApiServer, tmp_path: Path) -> None:
    with pytest.raises(ClusterError, match="/none: cannot be read as a token"):
        cluster(server, token_file=tmp_path / "none").put_node_feature(document())
    with pytest.raises(ClusterError, match="/none: cannot be used as authorities"):
        cluster(server, ca_file=tmp_path / "none")


def test_an_event_is_of_our_own_pod(server: ApiServer) -> None:
    turned = [check("MEM-01", summary="fine again"), check("CVM-01", Status.CRITICAL, HOSTILE * 20)]
    made = event(turned, datetime(2026, 11, 23, 9, 0, tzinfo=UTC), pod=OWNER, namespace="cms", node="n1")
    cluster(server).post_event(made)
    (stored,) = server.objects.values()
    assert stored["involvedObject"] == {**OWNER, "namespace": "cms"}
    assert (stored["type"], stored["reason"]) == ("Warning", "ChecksTurned")
    assert stored["message"].startswith("CVM-01 CRITICAL: ")
    assert len(stored["message"].encode()) <= 1024
    assert "\n" not in stored["message"]


def test_good_news_is_no_warning() -> None:
    made = event([check("MEM-01")], datetime(2026, 1, 1, tzinfo=UTC), pod=OWNER, namespace="cms", node="n1")
    assert (made["type"], made["reason"], made["message"]) == (
        "Normal",
        "ChecksRecovered",
        "MEM-01 OK: it is so",
    )


def test_a_pod_knows_where_it_is(tmp_path: Path) -> None:
    (tmp_path / "namespace").write_text("cms-agents\n")
    settings = ClusterSettings(service_account_path=str(tmp_path))
    told = {
        "KUBERNETES_SERVICE_HOST": "fd00::1",
        "KUBERNETES_SERVICE_PORT": "6443",
        "NODE_NAME": "n1",
        "POD_NAME": "p",
    }
    found = place_of(settings, KubernetesSettings(), told)
    assert (found.url, found.namespace, found.node) == ("https://[fd00::1]:6443", "cms-agents", "n1")
    assert found.owner() is None, "without the pod's UID there is no owner"
    assert place_of(settings, KubernetesSettings(), {**told, "POD_UID": "u"}).owner() == {
        "apiVersion": "v1",
        "kind": "Pod",
        "name": "p",
        "uid": "u",
    }


@pytest.mark.parametrize(
    ("environment", "says"),
    [
        ({}, "no API server is known"),
        ({"KUBERNETES_SERVICE_HOST": "10.0.0.1"}, "set NODE_NAME by the downward API"),
        ({"KUBERNETES_SERVICE_HOST": "10.0.0.1", "NODE_NAME": "n" * 64}, "64 characters"),
        ({"KUBERNETES_SERVICE_HOST": "10.0.0.1", "NODE_NAME": "n1"}, "/namespace: No such file"),
    ],
)
def test_what_is_not_told_is_named(tmp_path: Path, environment: dict[str, str], says: str) -> None:
    with pytest.raises(ClusterError, match=says):
        place_of(ClusterSettings(service_account_path=str(tmp_path)), KubernetesSettings(), environment)
