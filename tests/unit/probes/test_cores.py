"""Cores granted: sources reconciled, and CPU-01."""

from __future__ import annotations

from pathlib import Path

import pytest

from probes.cores import PROBE
from probes.judging import Judging
from probes.settings import Settings
from profiles.checks import CheckResult, Status
from profiles.facts.cores import CoresFacts
from tests.unit.probes.slot import node, v2


def gathered(directory: Path, *args: object, **more: object) -> CoresFacts:
    facts = PROBE.gather(node(directory, *args, **more), Settings())  # type: ignore[arg-type]
    assert isinstance(facts, CoresFacts)
    # What is gathered crosses a pipe as JSON, so it has to survive that.
    assert CoresFacts.model_validate_json(facts.model_dump_json()) == facts
    return facts


def judged(facts: CoresFacts, **thresholds: float) -> CheckResult:
    settings = Settings(thresholds={"CPU-01": dict(thresholds)} if thresholds else {})
    (result,) = PROBE.judge(facts, Judging(PROBE, settings, {"cores": facts}))
    return result


def test_a_whole_machine_is_limited_by_nothing_but_itself(tmp_path: Path) -> None:
    facts = gathered(tmp_path)

    assert (facts.host_cpus, facts.effective_cores, facts.limited_by) == (8, 8, "host")
    assert facts.claimed_cores is None
    assert facts.why == "The machine has 8; no source says otherwise."
    assert judged(facts).status == Status.OK


def test_a_quota_of_a_parent_limits_although_our_own_is_looser(tmp_path: Path) -> None:
    files = v2({"/job/step": {"cpu.max": "300000 100000"}, "/job": {"cpu.max": "150000 100000"}}, "/job/step")

    facts = gathered(tmp_path, files, affinity=[0, 1, 2])

    assert (facts.effective_cores, facts.limited_by, facts.host_cpus) == (1.5, "quota", 8)
    assert "/sys/fs/cgroup/job/cpu.max" in facts.why
    assert "affinity says 3" in facts.why
    quota = next(source for source in facts.sources if source.name == "quota")
    assert quota.evidence[0] == "/sys/fs/cgroup/job/cpu.max: 1.5 cores"
    assert PROBE.summarise(facts) == "1.5 of 8 cores (quota)"


def test_a_claim_below_what_is_enforced_is_what_we_may_use(tmp_path: Path) -> None:
    facts = gathered(tmp_path, env={"SLURM_JOB_ID": "7", "SLURM_CPUS_ON_NODE": "2"})

    assert (facts.effective_cores, facts.limited_by) == (2, "slurm")
    assert "would let a job use more" in facts.why
    result = judged(facts)
    assert result.status == Status.OK
    assert "not confined" in result.summary


def test_a_claim_above_what_is_enforced_is_a_warning_with_every_source(tmp_path: Path) -> None:
    facts = gathered(tmp_path, affinity=[2, 3, 5], env={"SLURM_JOB_ID": "7", "SLURM_CPUS_ON_NODE": "4"})

    result = judged(facts)

    assert (facts.effective_cores, facts.limited_by) == (3, "affinity")
    assert (result.status, result.value, result.unit) == (Status.WARNING, 3, "cores")
    assert result.summary == "slurm claims 4 cores, the CPU affinity allows 3"
    assert "affinity: 3 (CPUs 2-3,5) – sched_getaffinity(2)" in result.evidence
    assert any(line.startswith("slurm: 4") for line in result.evidence)


def test_a_claim_that_is_enforced_is_good(tmp_path: Path) -> None:
    facts = gathered(tmp_path, affinity=[2, 3], env={"SLURM_JOB_ID": "7", "SLURM_CPUS_ON_NODE": "2"})

    assert judged(facts).summary == "2 cores claimed and enforced"


def test_half_a_core_is_critical_unless_the_site_says_otherwise(tmp_path: Path) -> None:
    facts = gathered(tmp_path, v2({"/pod": {"cpu.max": "50000 100000"}}, "/pod"))

    assert facts.effective_cores == 0.5
    assert judged(facts).status == Status.CRITICAL
    assert judged(facts, critical_below_cores=0.5).status == Status.OK


def test_the_smallest_of_several_claims_counts(tmp_path: Path) -> None:
    env = {"SLURM_JOB_ID": "7", "SLURM_CPUS_ON_NODE": "8", "NSLOTS": "4", "SGE_ROOT": "/sge", "JOB_ID": "9"}

    facts = gathered(tmp_path, env=env)

    assert {source.name for source in facts.sources if source.kind == "claim"} == {"slurm", "sge"}
    assert (facts.effective_cores, facts.limited_by) == (4, "sge")


@pytest.mark.parametrize("online", ["", "\x00\xff", "0-999999999", "-3", "9" * 70_000])
def test_a_damaged_host_count_is_absent_with_a_reason(tmp_path: Path, online: str) -> None:
    facts = gathered(tmp_path, cpus=online)

    assert facts.host_cpus is None
    assert "/sys/devices/system/cpu/online" in facts.absent["host_cpus"]
    assert facts.effective_cores == 8


def test_nothing_readable_is_unknown_and_not_zero(tmp_path: Path) -> None:
    refused = [{"ask": "affinity", "args": [], "error": ["EPERM", "refused"]}]
    facts = gathered(tmp_path, cpus="none", answers=refused, affinity=[])

    assert facts.effective_cores is None
    result = judged(facts)
    assert result.status == Status.UNKNOWN
    assert PROBE.summarise(facts) == "not known"
