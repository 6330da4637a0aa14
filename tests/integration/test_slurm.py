"""In real Slurm jobs: what Slurm says it granted is read right, and is what the kernel enforces."""

from __future__ import annotations

import json
import os
import shlex
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from profiles.facts.batch import ClaimSource, JobIdKind, SlotClaim
from tests.lab.slurm_cluster import Job, SlurmCluster

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("slurm")]

READ_CLAIMS = """
import json, os
from probes.claims import read_all
from probes.host import Host
from probes.live import LiveDoor
claims = [claim.model_dump(mode="json") for claim in read_all(Host(LiveDoor()), ask_controller=True)]
print(json.dumps({"claims": claims, "affinity": sorted(os.sched_getaffinity(0))}))
"""
ALLOCATE_400_MIB = "data = bytearray(400 * 2**20); data[::4096] = b'1' * len(data[::4096])"


def python(code: str) -> str:
    """The line of a job script that runs code in this interpreter."""
    return shlex.join([sys.executable, "-I", "-c", code])


def said(job: Job) -> tuple[SlotClaim, list[int]]:
    """The one claim that the job read, and the CPUs it may use."""
    assert job.state == "COMPLETED", job
    answer: dict[str, Any] = json.loads(job.output)
    (claim,) = (SlotClaim.model_validate(claim) for claim in answer["claims"])
    assert (claim.source, claim.problems) == (ClaimSource.SLURM, ())
    return claim, answer["affinity"]


def test_a_confined_job_reads_what_it_was_granted(slurm: SlurmCluster) -> None:
    before = datetime.now(UTC)
    (job,) = slurm.batch(python(READ_CLAIMS), "--cpus-per-task=1", "--mem=300", "--time=10")
    after = datetime.now(UTC)
    claim, affinity = said(job)
    assert (claim.cores, len(affinity)) == (1, 1)
    assert claim.memory_bytes == 300 * 2**20
    assert (claim.node_name, claim.queue) == (slurm.node, "cpu")
    assert (claim.job_id, claim.job_id_kind) == (str(job.job_id), JobIdKind.JOB)
    assert claim.wall_limit_s == 600
    assert claim.ends_at is not None
    # Slurm counts whole seconds.
    slack = timedelta(seconds=2)
    assert before - slack <= claim.ends_at - timedelta(minutes=10) <= after + slack


def test_each_task_of_an_array_knows_itself(slurm: SlurmCluster) -> None:
    jobs = slurm.batch(python(READ_CLAIMS), "--array=3,7", "--cpus-per-task=1", "--mem=200", "--time=5")
    claims = [said(job)[0] for job in jobs]
    array = jobs[0].record["ArrayJobId"]
    assert sorted(claim.job_id or "" for claim in claims) == [f"{array}_3", f"{array}_7"]
    assert {claim.job_id_kind for claim in claims} == {JobIdKind.ARRAY_TASK}
    # The end is looked up by the task's own number; the array's first task has the array's number.
    assert {claim.wall_limit_s for claim in claims} == {300}


def test_memory_per_cpu_and_a_step_of_the_job(slurm: SlurmCluster) -> None:
    (job,) = slurm.batch(f"srun {python(READ_CLAIMS)}", "--cpus-per-task=2", "--mem-per-cpu=150", "--time=5")
    claim, affinity = said(job)
    assert (claim.cores, len(affinity), claim.memory_bytes) == (2, 2, 300 * 2**20)


def test_gpus_of_job_and_step(slurm: SlurmCluster) -> None:
    options = ("--partition=gpu", "--cpus-per-task=1", "--mem=200", "--time=5")
    (job,) = slurm.batch(python(READ_CLAIMS), *options, "--gres=gpu:2")
    assert said(job)[0].gpus == ("0", "1")
    step = f"srun --gres=gpu:1 {python(READ_CLAIMS)}"
    (job,) = slurm.batch(step, *options, "--gres=gpu:2")
    gpus = said(job)[0].gpus
    assert gpus is not None
    assert len(gpus) == 1


def test_a_job_that_takes_more_memory_than_granted_is_killed(slurm: SlurmCluster) -> None:
    """The lab's own proof: its limits bite, so that what the other tests read is not just a number."""
    (job,) = slurm.batch(python(ALLOCATE_400_MIB), "--cpus-per-task=1", "--mem=200", "--time=5")
    assert job.state == "OUT_OF_MEMORY", job


def test_without_confinement_the_claim_is_the_only_limit(slurm_unconfined: SlurmCluster) -> None:
    (job,) = slurm_unconfined.batch(python(READ_CLAIMS), "--cpus-per-task=1", "--mem=200", "--time=5")
    claim, affinity = said(job)
    assert claim.cores == 1
    assert len(affinity) == len(os.sched_getaffinity(0)) >= 2
    (job,) = slurm_unconfined.batch(python(ALLOCATE_400_MIB), "--cpus-per-task=1", "--mem=200", "--time=5")
    assert job.state == "COMPLETED", job
