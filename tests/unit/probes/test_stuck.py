"""A child that even SIGKILL does not end: a real one, asleep in a file system that does not answer."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from probes.host import Host
from probes.lock import find_stuck, started_ticks
from probes.settings import Settings
from probes.spec import Probe
from profiles.checks import Status
from tests.lab.fuse_hang import hanging, in_uninterruptible_sleep, missing, wait_until_gone
from tests.unit.probes.small_probes import WordFacts, a_check, a_probe, run_one

needs_fuse = pytest.mark.skipif(missing() is not None, reason=f"no hanging file system: {missing()}")


def _asking(path: Path) -> Probe:
    def gather(host: Host, settings: Settings) -> WordFacts:
        return WordFacts(word="there" if host.exists(f"{path}/cms.cern.ch") else "not there")

    return a_probe(gather, name="asks", deadline_s=0.5, check=a_check(critical_on_hang=True))


@pytest.fixture
def mount(tmp_path: Path) -> Path:
    path = tmp_path / "cvmfs"
    path.mkdir()
    return path


@needs_fuse
def test_an_unkillable_child_is_named_and_left_and_not_joined_by_a_second(
    tmp_path: Path, mount: Path
) -> None:
    probe = _asking(mount)
    with hanging(mount, takes_requests=True) as hang:
        run, check, _ = run_one(probe, tmp_path)
        note = json.loads((tmp_path / "stuck-asks.json").read_text())
        pid = note["pid"]

        assert in_uninterruptible_sleep(pid)
        assert run.outcome == "stuck"
        assert f"process {pid} cannot be killed and is left behind" in str(run.reason)
        assert f"stat({mount}/cms.cern.ch" in str(run.reason)
        assert check.status is Status.CRITICAL

        again, check, _ = run_one(probe, tmp_path)

        assert again.outcome == "stuck"
        assert f"process {pid} of an earlier run still hangs in stat({mount}/cms.cern.ch" in str(again.reason)
        assert "no second one is started" in str(again.reason)
        assert check.status is Status.CRITICAL
        assert json.loads((tmp_path / "stuck-asks.json").read_text()) == note

        hang.release()
        wait_until_gone(pid)

    # Not reaped yet: a zombie hangs nowhere any more.
    run, check, _ = run_one(probe, tmp_path)
    os.waitpid(pid, 0)
    assert (run.outcome, check.summary) == ("finished", "the word is not there")
    assert not (tmp_path / "stuck-asks.json").exists()


@needs_fuse
def test_a_child_that_hangs_but_can_be_killed_is_a_timeout(tmp_path: Path, mount: Path) -> None:
    with hanging(mount, takes_requests=False):
        run, check, _ = run_one(_asking(mount), tmp_path)
        second, _, _ = run_one(_asking(mount), tmp_path)

    assert (run.outcome, second.outcome) == ("timeout", "timeout")
    assert f"it was asking stat({mount}/cms.cern.ch" in str(run.reason)
    assert check.status is Status.CRITICAL
    assert list(tmp_path.glob("stuck-*")) == []


@pytest.mark.parametrize(
    "note", ["", "[]", "{}", "null", '{"pid": "x", "started_ticks": 1, "question": ""}', "\0", "[" * 5000]
)
def test_a_damaged_note_is_removed_and_stops_nobody(tmp_path: Path, note: str) -> None:
    (tmp_path / "stuck-small.json").write_text(note)

    assert run_one(a_probe(), tmp_path)[0].outcome == "finished"
    assert not (tmp_path / "stuck-small.json").exists()


def test_a_note_of_another_process_with_the_same_number_counts_as_gone(tmp_path: Path) -> None:
    ticks = started_ticks(os.getpid())
    assert ticks is not None
    note = {"pid": os.getpid(), "started_ticks": ticks, "question": "stat(/cvmfs)"}
    (tmp_path / "stuck-small.json").write_text(json.dumps(note))
    assert find_stuck(tmp_path, "small") is not None

    (tmp_path / "stuck-small.json").write_text(json.dumps({**note, "started_ticks": ticks - 1}))
    assert find_stuck(tmp_path, "small") is None
