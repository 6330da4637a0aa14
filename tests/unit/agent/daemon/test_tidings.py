"""What the loop tells Kubernetes: labels in an object and a file, an Event when a verdict turns, and on through losses."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.lab.waiting import until
from tests.unit.agent.daemon.api_server import ApiServer, api_server
from tests.unit.agent.daemon.test_cluster import OBJECT
from tests.unit.agent.daemon.test_loop import says
from tests.unit.agent.daemon.turning import Turning, a_config


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ApiServer]:
    for name, value in {"NODE_NAME": "n1", "POD_NAME": "agent-x", "POD_UID": "u-1"}.items():
        monkeypatch.setenv(name, value)
    with api_server(tmp_path) as found:
        (tmp_path / "token").write_text(found.token)
        yield found


def cluster(server: ApiServer, **more: Any) -> dict[str, Any]:
    token = server.ca_file.parent / "token"
    return {
        "api_url": server.url,
        "ca_file": str(server.ca_file),
        "token_file": str(token),
        "namespace": "cms",
        **more,
    }


def turn_until(turning: Turning, what: str, true: Any) -> None:
    def look() -> Any:
        turning.turn()
        return true()

    until(what, look, limit_s=60)


@pytest.mark.slow
def test_labels_and_events_follow_what_is_shown(tmp_path: Path, server: ApiServer) -> None:
    word, features = tmp_path / "word", tmp_path / "features.d"
    word.write_text("good")
    features.mkdir()
    settings = cluster(server, node_feature=True, events=True, feature_file=str(features / "sitecap"))
    turning = Turning(tmp_path, [says(word)], a_config(period_s=3600, cluster=settings))
    turn_until(turning, "the object", lambda: OBJECT in server.objects)
    found = server.objects[OBJECT]
    assert found["spec"]["labels"]["cms.cern.ch/status"] == "ok"
    assert found["spec"]["features"]["attributes"]["sitecap.checks"]["elements"] == {"tst-01": "OK"}
    assert found["metadata"]["ownerReferences"][0]["uid"] == "u-1"
    turn_until(turning, "the file", lambda: list(features.iterdir()) == [features / "sitecap"])
    expiry, *labels = (features / "sitecap").read_text().splitlines()
    expires_at = datetime.fromisoformat(expiry.removeprefix("# +expiry-time="))
    assert timedelta(0) < expires_at - turning.clock.now() <= timedelta(hours=3)
    assert "cms.cern.ch/status=ok" in labels
    assert (features / "sitecap").stat().st_mode & 0o777 == 0o644
    assert not any("/events/" in path for path in server.objects), "nothing has turned"

    word.write_text("bad")
    label = lambda: server.objects[OBJECT]["spec"]["labels"]["cms.cern.ch/status"]  # noqa: E731
    turn_until(turning, "the label", lambda: label() == "critical")
    turn_until(turning, "the event", lambda: any("/events/" in path for path in server.objects))
    (event,) = (body for path, body in server.objects.items() if "/events/" in path)
    assert (event["type"], event["message"]) == ("Warning", "TST-01 CRITICAL: the word is bad")


def test_an_api_server_that_refuses_costs_one_sentence_and_is_told_later(
    tmp_path: Path, server: ApiServer, caplog: pytest.LogCaptureFixture
) -> None:
    word = tmp_path / "word"
    word.write_text("good")
    server.answers += [(500, b"oops")] * 5
    turning = Turning(
        tmp_path, [says(word)], a_config(period_s=3600, cluster=cluster(server, node_feature=True))
    )
    turn_until(turning, "the object", lambda: OBJECT in server.objects)
    turn_until(turning, "its word", lambda: turning.loop.tidings.node_feature.reason is None)
    assert turning.loop.tidings.node_feature.failed_ever == 5
    assert caplog.text.count("the API server answered 500") == 1
    assert turning.shown() == {"TST-01": "OK"}


def test_without_opt_in_nobody_is_asked(tmp_path: Path, server: ApiServer) -> None:
    word = tmp_path / "word"
    word.write_text("good")
    turning = Turning(tmp_path, [says(word)], a_config(period_s=3600, cluster=cluster(server)))
    turning.for_hours(5)
    assert server.requests == []
