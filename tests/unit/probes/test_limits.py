"""Limits: what is gathered, and LIM-01 … LIM-03."""

from __future__ import annotations

from pathlib import Path

import pytest

from probes.judging import Judging
from probes.limits import PROBE
from probes.settings import Settings
from profiles.checks import CheckResult, Status
from profiles.facts.limits import LimitsFacts, PidsLimit, ResourceLimit
from tests.unit.probes.slot import node, v2

LIMITS: list[dict[str, object]] = [
    {"ask": "limit", "args": ["NOFILE"], "answer": [1024, 1048576]},
    {"ask": "limit", "args": ["NPROC"], "answer": [None, None]},
    {"ask": "limit", "args": ["STACK"], "answer": [8388608, None]},
    {"ask": "limit", "args": ["CORE"], "answer": [0, None]},
    {"ask": "limit", "args": ["FSIZE"], "answer": [-7, None]},
]


def gathered(directory: Path, *args: object, **more: object) -> LimitsFacts:
    more.setdefault("answers", LIMITS)
    facts = PROBE.gather(node(directory, *args, **more), Settings())  # type: ignore[arg-type]
    assert isinstance(facts, LimitsFacts)
    assert LimitsFacts.model_validate_json(facts.model_dump_json()) == facts
    return facts


def some(**fields: object) -> LimitsFacts:
    limit = ResourceLimit(soft=65_536, hard="unlimited")
    healthy: dict[str, object] = {
        "open_files": limit,
        "processes": limit,
        "stack_bytes": ResourceLimit(soft=8 * 1024**2, hard="unlimited"),
        "core_file_bytes": ResourceLimit(soft=0, hard=0),
        "file_size_bytes": ResourceLimit(soft="unlimited", hard="unlimited"),
        "granted_cores": 4.0,
        "threads_tried": 256,
        "threads_work": True,
        "threads_detail": "256 threads started",
    }
    said = healthy | fields
    said["absent"] = {name: "not told" for name, value in said.items() if value is None}
    return LimitsFacts.model_validate(said)


def judged(facts: LimitsFacts, check_id: str) -> CheckResult:
    results = PROBE.judge(facts, Judging(PROBE, Settings(), {"limits": facts}))
    assert [result.id for result in results] == [check.id for check in PROBE.checks]
    return next(result for result in results if result.id == check_id)


def test_limits_and_levels_are_read(tmp_path: Path) -> None:
    files = v2(
        {"/job/step": {"pids.max": "max"}, "/job": {"pids.max": "100", "pids.current": "60"}}, "/job/step"
    )

    facts = gathered(tmp_path, files, affinity=[1])

    assert facts.open_files == ResourceLimit(soft=1024, hard=1048576)
    assert facts.processes == ResourceLimit(soft="unlimited", hard="unlimited")
    assert facts.file_size_bytes is None
    assert "FSIZE" in facts.absent["file_size_bytes"]
    assert facts.pids == (PidsLimit(path="/sys/fs/cgroup/job/pids.max", limit=100, used=60),)
    assert (facts.granted_cores, facts.threads_tried, facts.threads_work) == (1, 64, True)
    assert PROBE.summarise(facts) == "1024 files, 64 threads run"


@pytest.mark.parametrize(("affinity", "tried"), [([0], 64), ([0, 1], 128), (list(range(8)), 256)])
def test_as_many_threads_are_tried_as_the_cores_need_but_not_more_than_256(
    tmp_path: Path, affinity: list[int], tried: int
) -> None:
    assert gathered(tmp_path, affinity=affinity).threads_tried == tried


def test_what_is_not_answered_is_absent_with_a_reason(tmp_path: Path) -> None:
    facts = gathered(tmp_path, answers=[])

    assert facts.open_files is None
    assert judged(facts, "LIM-01").status == Status.UNKNOWN
    assert judged(facts, "LIM-03").status == Status.UNKNOWN


@pytest.mark.parametrize(
    ("soft", "status"), [(4096, Status.OK), (4095, Status.WARNING), ("unlimited", Status.OK)]
)
def test_few_open_files_are_a_warning(soft: int | str, status: Status) -> None:
    limit = ResourceLimit.model_validate({"soft": soft, "hard": "unlimited"})

    result = judged(some(open_files=limit), "LIM-01")

    assert result.status == status
    assert "hard limit unlimited" in result.summary


@pytest.mark.parametrize(("soft", "status"), [(256, Status.OK), (255, Status.WARNING)])
def test_few_processes_are_a_warning(soft: int, status: Status) -> None:
    assert judged(some(processes=ResourceLimit(soft=soft, hard=soft)), "LIM-02").status == status


@pytest.mark.parametrize(("used", "status"), [(44, Status.OK), (45, Status.WARNING), (None, Status.OK)])
def test_what_a_level_leaves_counts_and_not_what_it_allows(used: int | None, status: Status) -> None:
    level = PidsLimit(path="/sys/fs/cgroup/job/pids.max", limit=300, used=used)

    result = judged(some(pids=(level,)), "LIM-02")

    assert result.status == status
    assert any("/sys/fs/cgroup/job/pids.max" in line for line in result.evidence)


def test_threads_that_do_not_start_are_a_warning_whatever_the_limits_say() -> None:
    result = judged(some(threads_work=False, threads_detail="17 of 256 threads started"), "LIM-02")

    assert result.status == Status.WARNING
    assert "17 of 256" in result.summary


def test_threads_that_were_not_tried_are_unknown() -> None:
    facts = some(threads_tried=None, threads_work=None, threads_detail=None)

    assert judged(facts, "LIM-02").status == Status.UNKNOWN


def test_stack_core_and_file_size_are_told() -> None:
    result = judged(some(), "LIM-03")

    assert (result.status, result.summary) == (Status.OK, "stack 8 MiB, core files off, file size unlimited")
