"""A recording of CVMFS over HTTP: replayed to the same facts, bounded in size, without the addresses in what squid says."""

from __future__ import annotations

import base64
import os
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from probes.cvmfs import PROBE
from probes.host import Host
from probes.judging import Judging
from probes.live import LiveDoor
from probes.recording import RecordingDoor, begin, finish
from probes.recording_layout import ANSWERS
from probes.redact import Redactor
from probes.replay import Recording, ReplayDoor
from probes.settings import Settings
from profiles.facts.cvmfs import CvmfsFacts
from tests.lab.cvmfs_repository import Repository
from tests.lab.squid import Squid
from tests.lab.stratum1 import Fault, Stratum1

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("cvmfs-http")]

NAME = "lab.example.org"


def _settings(tmp_path: Path, *urls: str, **wanted: object) -> Settings:
    keys = Repository().keys.write(tmp_path / "keys")
    return Settings.model_validate(
        {
            "cvmfs": {
                "http_repositories": (NAME,),
                "stratum_ones": urls,
                "keys_path": str(keys),
                "test_paths": {NAME: "/sw/el9/big.bin"},
                "timeout_s": 30,
                "proxies": "DIRECT",
                **wanted,
            }
        }
    )


def _record(folder: Path, settings: Settings, redactor: Redactor | None = None) -> CvmfsFacts:
    begin(folder)
    door = RecordingDoor(LiveDoor(), folder, "cvmfs", redactor)
    facts = PROBE.gather(Host(door), settings)
    door.close()
    assert door.failure is None
    finish(folder, agent_version="0", created_at="2026-01-01T00:00:00+00:00", redacted=True)
    assert isinstance(facts, CvmfsFacts)
    return facts


def _replay(folder: Path, settings: Settings) -> CvmfsFacts:
    facts = PROBE.gather(Host(ReplayDoor(Recording(folder), "cvmfs")), settings)
    assert isinstance(facts, CvmfsFacts)
    return facts


def test_a_replay_comes_to_the_same_facts_and_verdicts(tmp_path: Path, open_squid: Squid) -> None:
    repository = Repository()
    with Stratum1(repository).serving() as good, Stratum1(repository).serving() as bad:
        bad.faults[repository.chunks_of("/sw/el9/big.bin")[0]] = Fault.OTHER_CONTENT
        bad.faults[".cvmfswhitelist"] = Fault.DRIP
        settings = _settings(
            tmp_path, good.url, bad.url, proxies=f"{open_squid.url};DIRECT", geo_order=True, timeout_s=3
        )
        recorded = _record(tmp_path / "recording", settings, Redactor({"cms": "user"}, b"key"))

    replayed = _replay(tmp_path / "recording", settings)  # the servers are gone

    assert replayed == recorded
    assert [route.verified for route in recorded.routes or ()] == [True, False, True, False]
    verdicts = [
        list(PROBE.judge(facts, Judging(PROBE, settings, {"cvmfs": facts}))) for facts in (recorded, replayed)
    ]
    assert verdicts[0] == verdicts[1]


def test_a_replay_remembers_that_the_time_was_up(tmp_path: Path) -> None:
    with Stratum1(Repository()).serving() as slow:
        slow.faults[".cvmfspublished"] = Fault.SLOW_HEADER
        slow.faults["X"] = Fault.SLOW_HEADER
        settings = _settings(tmp_path, slow.url, timeout_s=60, budget_s=1)
        recorded = _record(tmp_path / "recording", settings)

    assert recorded.routes is not None
    assert recorded.routes[0].broken is not None
    assert _replay(tmp_path / "recording", settings) == recorded


def test_a_recording_is_bounded_by_the_bound_on_traffic(tmp_path: Path) -> None:
    database = sqlite3.connect(":memory:")
    database.deserialize(Repository().root_catalog())
    database.execute("CREATE TABLE ballast (bytes BLOB)")
    database.execute("INSERT INTO ballast VALUES (?)", (os.urandom(900_000),))
    database.commit()
    repository = replace(Repository(), revision=42).with_root_catalog(database.serialize())
    database.close()
    limit_bytes = 4_000_000
    with (
        Stratum1(repository).serving() as first,
        Stratum1(repository).serving() as second,
        Stratum1(repository).serving() as third,
        Stratum1(repository).serving() as fourth,
        Stratum1(repository).serving() as fifth,
    ):
        urls = [server.url for server in (first, second, third, fourth, fifth)]
        settings = _settings(tmp_path, *urls, max_total_bytes=limit_bytes)
        recorded = _record(tmp_path / "recording", settings)

    fetched = [
        step.outcome for route in recorded.routes or () for step in route.steps if step.name == "catalog"
    ]
    assert sorted(fetched) == ["not tried", *["ok"] * 4]
    assert recorded.fetched_bytes is not None
    assert 3_600_000 < recorded.fetched_bytes < limit_bytes
    assert (tmp_path / "recording" / ANSWERS).stat().st_size < limit_bytes * 4 / 3 + 100_000
    assert _replay(tmp_path / "recording", settings) == recorded


def test_neither_facts_nor_recording_have_the_address_that_squid_puts_on_its_pages(
    tmp_path: Path, denying_squid: Squid
) -> None:
    with Stratum1(Repository()).serving() as server:
        settings = _settings(tmp_path, server.url, proxies=denying_squid.url)
        facts = _record(tmp_path / "recording", settings, Redactor({denying_squid.name: "host"}, b"key"))

    assert "127.0.0.1" not in facts.model_dump_json()
    answers = Recording(tmp_path / "recording").answers
    pages = [
        line["answer"]
        for by in answers.values()
        for lines in by.values()
        for line in lines
        if line["ask"] == "fetch"
    ]
    bodies = [base64.b64decode(page[2]) for page in pages]
    assert any(b"ERR_ACCESS_DENIED" in body for body in bodies)
    assert not any(denying_squid.name.encode() in body for body in bodies)
