"""Whole profiles from inside real Slurm jobs: claims and what the kernel enforces, side by side."""

from __future__ import annotations

import shlex
import sys
from datetime import timedelta

import pytest

from profiles.checks import Status
from profiles.facts.batch import ClaimSource
from profiles.profile import CapabilityProfile
from tests.lab.profiles import check, complete_profile
from tests.lab.slurm_cluster import Job, SlurmCluster

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("slurm")]

# Findings would fail the job, and words on stderr go to the same file as the profile.
PROBE = shlex.join(
    [
        *(sys.executable, "-I", "-m", "agent", "probe", "--json"),
        *("--exit-map", "always0", "--quiet", "--site-profile", "no-outbound"),
    ]
)
GRANT = ("--cpus-per-task=1", "--mem=300", "--time=10")


def probed(cluster: SlurmCluster) -> tuple[Job, CapabilityProfile]:
    (job,) = cluster.batch(PROBE, *GRANT)
    assert job.state == "COMPLETED", job
    return job, complete_profile(job.output)


def test_a_confined_job_gets_what_slurm_claims(slurm: SlurmCluster) -> None:
    _, profile = probed(slurm)
    facts = profile.facts

    assert facts.cores is not None
    assert (facts.cores.host_cpus, facts.cores.claimed_cores, facts.cores.enforced_cores) == (2, 1, 1)
    assert facts.cores.effective_cores == 1
    assert check(profile, "CPU-01").status is Status.OK
    assert check(profile, "CPU-01").summary == "1 core claimed and enforced"
    assert facts.memory is not None
    assert (facts.memory.claimed_bytes, facts.memory.effective_bytes) == (300 * 2**20, 300 * 2**20)
    assert (profile.scope.kind, profile.scope.cores_granted, profile.scope.cores_present) == ("slot", 1, 2)


def test_slurms_words_for_the_job_are_in_the_batch_facts(slurm: SlurmCluster) -> None:
    job, profile = probed(slurm)
    batch = profile.facts.batch

    assert batch is not None
    assert (batch.batch_system, batch.node_name) == (ClaimSource.SLURM, slurm.node)
    (claim,) = batch.claims
    assert (claim.job_id, claim.queue) == (str(job.job_id), "cpu")
    assert batch.ends_at_source is ClaimSource.SLURM
    assert batch.ends_at is not None
    assert batch.observed_at is not None
    assert timedelta(0) < batch.ends_at - batch.observed_at <= timedelta(minutes=10, seconds=2)
    lifetime = check(profile, "CTX-06")
    assert lifetime.status not in (Status.UNKNOWN, Status.SKIPPED), lifetime
    assert isinstance(lifetime.value, int | float)
    assert 0 < lifetime.value <= 602


def test_a_claim_that_nobody_enforces_is_said_to_be_one(slurm_unconfined: SlurmCluster) -> None:
    _, profile = probed(slurm_unconfined)
    cores = profile.facts.cores

    assert cores is not None
    assert (cores.claimed_cores, cores.enforced_cores, cores.host_cpus) == (1, 2, 2)
    assert (cores.effective_cores, cores.limited_by) == (1, "slurm")
    assert "not confined" in check(profile, "CPU-01").summary
