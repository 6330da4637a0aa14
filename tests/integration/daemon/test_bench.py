"""The daemon's benchmark: the real `agent bench`, gentle to everybody, noted before it begins, given up when asked."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agent.daemon import bench_keeper
from agent.daemon.bench_keeper import BenchKeeper
from agent.daemon.bench_run import BenchRun, read_note
from agent.daemon.settings import BenchGateSettings
from tests.lab.waiting import until

pytestmark = pytest.mark.lab

SETTINGS = BenchGateSettings(
    allowed=True,
    quiet_hours_utc="00:00-00:00",
    first_after_days=0,
    budget_s=10,
    copies=1,
    idle_load_per_cpu=1,
)
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@pytest.fixture
def idle(monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine that runs the tests is not idle; what the gate makes of load is tested on its own."""
    monkeypatch.setattr(bench_keeper, "load_averages", lambda: (0.0, 0.0))
    monkeypatch.setattr(bench_keeper, "others_share", lambda *_: 0.0)


def begin(keeper: BenchKeeper, now: datetime) -> None:
    for _ in range(2):  # how busy the node is shows between two turns
        keeper.turn(SETTINGS, now)


@pytest.mark.usefixtures("idle")
def test_one_begins_with_a_note_at_the_lowest_priority_and_ends_when_it_is_told(tmp_path: Path) -> None:
    keeper = BenchKeeper(tmp_path, [])
    begin(keeper, NOW)
    assert keeper.running
    assert read_note(tmp_path)[0] == NOW
    assert keeper._run is not None
    pid = keeper._run._process.pid
    assert os.sched_getscheduler(pid) == os.SCHED_IDLE
    assert os.getpriority(os.PRIO_PROCESS, pid) == 19
    assert Path(f"/proc/{pid}/oom_score_adj").read_text().strip() == "1000"
    keeper.stop(60.0)
    assert not keeper.running
    assert not Path(f"/proc/{pid}").exists()
    assert sum(keeper.ended.values()) == 1

    again = BenchKeeper(tmp_path, [])
    begin(again, NOW + timedelta(days=6))
    assert not again.running, "a daemon that was started again does not benchmark again"
    begin(again, NOW + timedelta(days=7))
    assert again.running
    again.stop(60.0)


def test_one_is_given_up_when_others_compute(tmp_path: Path) -> None:
    """Its own CPU time does not count, a neighbour's does."""
    settings = SETTINGS.model_copy(update={"yield_busy_share": 0.3 / (os.cpu_count() or 1)})
    neighbour = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    run = BenchRun([], settings, tmp_path, os.cpu_count() or 1)
    # A stand-in that lasts: without kernels, or on a fast machine, the real one may end before anybody looks.
    run.stop(60.0)
    run._process = subprocess.Popen(["sleep", "600"], start_new_session=True)
    run.given_up, run._told_at = None, None
    try:
        until("the end", run.poll, limit_s=100)
        assert str(run.given_up).startswith("others use ")
    finally:
        neighbour.kill()
        neighbour.wait()
        run.stop(1.0)


@pytest.mark.usefixtures("idle")
def test_the_result_is_a_profile_with_payloads_or_the_reason_why_not(tmp_path: Path) -> None:
    # One kernel: at the lowest priority, beside other tests, eight would take minutes.
    keeper = BenchKeeper(tmp_path, ["vertexing"])
    begin(keeper, NOW)
    profile = until("the result", lambda: keeper.turn(SETTINGS, NOW), limit_s=300)
    assert profile is not None
    assert profile.bench is not None
    assert profile.bench.reason or profile.payloads
    assert json.loads((tmp_path / "daemon-bench.json").read_text())["began_at"] == NOW.isoformat()
