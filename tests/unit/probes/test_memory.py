"""Memory granted: sources reconciled, and MEM-01 … MEM-05."""

from __future__ import annotations

from pathlib import Path

import pytest

from probes.judging import Judging
from probes.memory import PROBE
from probes.settings import Settings
from profiles.base import Facts
from profiles.checks import CheckResult, Status
from profiles.facts.cores import CoresFacts
from profiles.facts.memory import MemoryFacts, SharedMemory
from tests.unit.probes.slot import MEMINFO, node, v2

GB = 1000**3
HOST_BYTES = 16_000_000 * 1024

SHM_ANSWERS: list[dict[str, object]] = [
    {"ask": "space", "args": ["/dev/shm"], "answer": [8 * GB, 7 * GB, 1000, 1000, False]},
    {"ask": "try_write", "args": ["/dev/shm"], "answer": [True, None, None, 4096, 0.1, 0.1, True]},
    {"ask": "limit", "args": ["AS"], "answer": [None, None]},
]


def gathered(directory: Path, *args: object, **more: object) -> MemoryFacts:
    more.setdefault("answers", SHM_ANSWERS)
    facts = PROBE.gather(node(directory, *args, **more), Settings())  # type: ignore[arg-type]
    assert isinstance(facts, MemoryFacts)
    assert MemoryFacts.model_validate_json(facts.model_dump_json()) == facts
    return facts


def some(**fields: object) -> MemoryFacts:
    """Facts of a healthy slot, but for some fields; None gets a reason."""
    healthy: dict[str, object] = {
        "host_bytes": 64 * GB,
        "available_bytes": 60 * GB,
        "swap_total_bytes": 0,
        "swap_free_bytes": 0,
        "enforced_bytes": 16 * GB,
        "claimed_bytes": 16 * GB,
        "effective_bytes": 16 * GB,
        "limited_by": "cgroup",
        "address_space_bytes": 32 * GB,
        "oom_kills": 0,
        "oom_kills_path": "/sys/fs/cgroup/job/memory.events",
        "pressure_some_percent": 1.0,
        "pressure_full_percent": 0.5,
        "pressure_path": "/sys/fs/cgroup/job/memory.pressure",
        "shared_memory": SharedMemory(total_bytes=8 * GB, available_bytes=7 * GB, writable=True),
    }
    said = healthy | fields
    said.setdefault("absent", {name: "not told" for name, value in said.items() if value is None})
    return MemoryFacts.model_validate(said)


def cores(count: float) -> CoresFacts:
    return CoresFacts(
        host_cpus=64,
        enforced_cores=count,
        claimed_cores=count,
        effective_cores=count,
        limited_by="cpuset",
        why="The cpuset allows this.",
        cgroup_version="v2",
    )


def judged(facts: MemoryFacts, check_id: str, *, granted: float | None = 8) -> CheckResult:
    others: dict[str, Facts] = {} if granted is None else {"cores": cores(granted)}
    results = PROBE.judge(facts, Judging(PROBE, Settings(), others | {"memory": facts}))
    assert [result.id for result in results] == [check.id for check in PROBE.checks]
    return next(result for result in results if result.id == check_id)


# -- gathering --------------------------------------------------------------------------------------------


def test_a_free_machine_gives_what_it_has(tmp_path: Path) -> None:
    facts = gathered(tmp_path)

    assert (facts.effective_bytes, facts.limited_by) == (HOST_BYTES, "host")
    assert facts.available_bytes == 12_000_000 * 1024
    assert facts.swap_total_bytes == 0
    assert (facts.enforced_bytes, facts.claimed_bytes, facts.address_space_bytes) == (None, None, None)
    assert facts.shared_memory == SharedMemory(total_bytes=8 * GB, available_bytes=7 * GB, writable=True)
    assert PROBE.summarise(facts) == "16.4 GB of 16.4 GB (host)"


def test_the_least_level_limits_and_its_file_is_the_evidence(tmp_path: Path) -> None:
    files = v2(
        {
            "/job/step": {"memory.max": "536870912\n", "memory.events": "low 0\noom 2\noom_kill 1\n"},
            "/job": {"memory.max": "201326592\n", "memory.events": "oom_kill 9\n"},
        },
        "/job/step",
    )
    files["/sys/fs/cgroup/job/step/memory.pressure"] = (
        "some avg10=12.50 avg60=1.00 avg300=0.00 total=5\nfull avg10=3.25 avg60=0.00 avg300=0.00 total=1\n"
    )

    facts = gathered(tmp_path, files)

    assert (facts.effective_bytes, facts.enforced_bytes, facts.limited_by) == (201326592, 201326592, "cgroup")
    cgroup = next(source for source in facts.sources if source.name == "cgroup")
    assert cgroup.evidence[0] == "/sys/fs/cgroup/job/memory.max: 201326592"
    assert (facts.oom_kills, facts.oom_kills_path) == (1, "/sys/fs/cgroup/job/step/memory.events")
    assert (facts.pressure_some_percent, facts.pressure_full_percent) == (12.5, 3.25)


def test_a_claim_of_the_batch_system_limits(tmp_path: Path) -> None:
    facts = gathered(tmp_path, env={"SLURM_JOB_ID": "7", "SLURM_MEM_PER_NODE": "4096"})

    assert (facts.claimed_bytes, facts.effective_bytes) == (4 * 1024**3, 4 * 1024**3)
    assert facts.limited_by == "slurm"


@pytest.mark.parametrize(
    "content", [b"", b"\xff\x00", b"MemTotal: -5 kB\n", b"MemTotal: 99999999999999999999 kB"]
)
def test_a_damaged_meminfo_is_absent_with_a_reason(tmp_path: Path, content: bytes) -> None:
    facts = gathered(tmp_path, {"/proc/meminfo": content})

    assert facts.host_bytes is None
    assert "MemTotal" in facts.absent["host_bytes"]
    assert judged(facts, "MEM-01").status == Status.UNKNOWN
    assert judged(facts, "MEM-02").status == Status.UNKNOWN


def test_silence_of_everything_but_files_has_reasons(tmp_path: Path) -> None:
    facts = gathered(
        tmp_path, {"/proc/pressure/memory": "some avg10=500.0 x\n", "/proc/meminfo": MEMINFO}, answers=[]
    )

    assert facts.shared_memory is None
    assert facts.pressure_some_percent is None
    assert "avg10" in facts.absent["pressure_some_percent"]
    assert judged(facts, "MEM-05").status == Status.UNKNOWN


# -- MEM-01 -----------------------------------------------------------------------------------------------


def test_a_claim_that_the_cgroup_does_not_grant_is_a_warning() -> None:
    result = judged(some(claimed_bytes=32 * GB), "MEM-01")

    assert (result.status, result.value, result.unit) == (Status.WARNING, 16 * GB, "B")
    assert result.summary == "32.0 GB claimed, but cgroup allows 16.0 GB"


def test_a_limit_rounded_down_to_pages_is_no_difference() -> None:
    result = judged(some(claimed_bytes=16 * GB + 60_000), "MEM-01")

    assert (result.status, result.summary) == (Status.OK, "16.0 GB claimed and enforced")


@pytest.mark.parametrize("enforced_bytes", [None, 32 * GB])
def test_a_claim_that_nobody_enforces_is_told(enforced_bytes: int | None) -> None:
    result = judged(some(enforced_bytes=enforced_bytes, limited_by="slurm"), "MEM-01")

    assert result.status == Status.OK
    assert "not confined" in result.summary


# -- MEM-02 -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("granted", "status"),
    [(8, Status.OK), (8.1, Status.WARNING), (16, Status.WARNING), (16.1, Status.CRITICAL)],
)
def test_memory_is_judged_per_core(granted: float, status: Status) -> None:
    assert judged(some(), "MEM-02", granted=granted).status == status


def test_a_value_just_below_the_bound_is_not_shown_as_the_bound() -> None:
    assert judged(some(effective_bytes=int(1.96 * GB)), "MEM-02", granted=1).summary == "1.96 GB per core"


def test_a_fraction_of_a_core_needs_the_memory_of_one() -> None:
    assert judged(some(effective_bytes=int(1.2 * GB)), "MEM-02", granted=0.5).status == Status.WARNING


def test_without_cores_memory_per_core_is_unknown() -> None:
    assert judged(some(), "MEM-02", granted=None).status == Status.UNKNOWN


# -- MEM-03 -----------------------------------------------------------------------------------------------


def test_no_kill_and_little_pressure_is_good() -> None:
    assert judged(some(), "MEM-03").status == Status.OK


@pytest.mark.parametrize("field", [{"oom_kills": 1}, {"pressure_full_percent": 61.0}])
def test_a_kill_or_high_pressure_is_a_warning(field: dict[str, float]) -> None:
    assert judged(some(**field), "MEM-03").status == Status.WARNING


def test_a_kernel_that_tells_neither_is_skipped() -> None:
    facts = some(oom_kills=None, oom_kills_path=None, pressure_full_percent=None)

    assert judged(facts, "MEM-03").status == Status.SKIPPED


# -- MEM-04 and MEM-05 ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("available_bytes", "writable", "status"),
    [(64_000_000, True, Status.OK), (63_999_999, True, Status.WARNING), (GB, False, Status.WARNING)],
)
def test_shared_memory_has_to_be_writable_and_large(
    available_bytes: int, writable: bool, status: Status
) -> None:
    shm = SharedMemory(total_bytes=GB, available_bytes=available_bytes, writable=writable)

    assert judged(some(shared_memory=shm), "MEM-04").status == status


def test_a_missing_shared_memory_is_a_warning() -> None:
    assert judged(some(shared_memory=None), "MEM-04").status == Status.WARNING


@pytest.mark.parametrize(
    ("size_bytes", "status"), [(2_048_000_000, Status.OK), (2_047_999_999, Status.WARNING)]
)
def test_a_tight_address_space_is_a_warning(size_bytes: int, status: Status) -> None:
    assert judged(some(address_space_bytes=size_bytes), "MEM-05").status == status


def test_an_unlimited_address_space_is_good(tmp_path: Path) -> None:
    assert judged(gathered(tmp_path), "MEM-05").status == Status.OK
