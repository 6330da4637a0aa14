"""Reading a tree, writing where that is asked for, and recording without the token."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from probes import live_xrootd_clients
from probes.host import Host
from probes.live import LiveDoor
from probes.recording import RecordingDoor, begin, finish
from probes.redact import Redactor
from probes.replay import Recording, ReplayDoor
from probes.xrootd import PROBE
from profiles.checks import Status
from tests.integration.xrootd.asking import Asked, asking, text_of, token_of
from tests.lab.xrootd import LFN, Server, XrootdLab, free_ports

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("xrootd")]


def test_the_baskets_of_a_real_tree_are_read(xrootd_lab: XrootdLab, xrootd_server: Server) -> None:
    baskets = xrootd_lab.nano.baskets
    assert len(baskets) > 100
    job = {
        "url": xrootd_server.url,
        "path": LFN,
        "timeouts": live_xrootd_clients.timeouts(2, 10),
        "read_bytes": 1,
        "max_file_bytes": 0,
        "chunks": [list(one) for one in baskets],
    }
    steps = {
        step["step"]: step for step in live_xrootd_clients.by_bindings(job, 20) if isinstance(step, dict)
    }
    assert steps["sparse"]["error"] is None
    assert steps["sparse"]["bytes"] == sum(length for _, length in baskets)


def test_a_file_is_written_and_deleted_where_it_is_asked_for(xrootd_server: Server) -> None:
    found = Asked(asking(xrootd_server.url, write_url=f"{xrootd_server.url}//store/test/probe"))
    assert found["STO-01"].status is Status.OK, text_of(found["STO-01"])
    assert "checksum right" in found["STO-01"].summary
    assert [path.name for path in (xrootd_server.local().parent / "probe").iterdir()] == []
    assert Asked(asking(xrootd_server.url))["STO-01"].status is Status.SKIPPED


def test_a_token_that_may_only_read_cannot_write(
    xrootd_lab: XrootdLab, xrootd_tokens: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    token_of(xrootd_lab, tmp_path, monkeypatch)
    found = Asked(asking(xrootd_tokens.url, write_url=f"{xrootd_tokens.url}//store/test"))
    assert found["STO-01"].status is Status.CRITICAL
    assert "create" in found["STO-01"].summary


def test_a_recording_replays_to_the_same_facts_and_has_no_token(
    xrootd_lab: XrootdLab,
    xrootd_server: Server,
    xrootd_tokens: Server,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    token = token_of(xrootd_lab, tmp_path, monkeypatch).read_text()
    closed = f"root://localhost:{free_ports(1)[0]}"
    chosen = asking(xrootd_server.url, closed, xrootd_tokens.url, redirectors=(xrootd_server.url,))
    directory = tmp_path / "recording"
    begin(directory)
    door = RecordingDoor(LiveDoor(), directory, PROBE.name, Redactor({}, b"key"))
    lived = Asked(chosen, Host(door))
    door.close()
    finish(directory, agent_version="0", created_at="2026-11-22T00:00:00Z", redacted=True)
    replayed = Asked(chosen, Host(ReplayDoor(Recording(directory), PROBE.name)))
    assert replayed.facts == lived.facts
    assert all(token not in path.read_text() for path in directory.iterdir())
    assert lived.facts.routes
    assert lived.facts.routes[2].broken is None
    assert json.loads(lived.facts.model_dump_json())["doors"][0]["checksum"]
