"""A whole profile from inside a real HTCondor slot: the machine ad is believed, what only looks like it is not."""

from __future__ import annotations

import os

import pytest

from profiles.facts.batch import ClaimSource
from profiles.profile import CapabilityProfile
from tests.lab.condor import CondorPool
from tests.lab.profiles import check, complete_profile

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("condor")]

PROBE = ("probe", "--json", "--quiet", "--exit-map", "always0", "--site-profile", "no-outbound")


@pytest.fixture(scope="module")
def profile(condor: CondorPool) -> CapabilityProfile:
    """What the agent says in a slot of one core, whose job wants OpenMP to use 64."""
    grant: dict[str, str | int] = {"request_cpus": 1, "request_memory": "512MB", "request_disk": "2GB"}
    job = condor.wait(condor.submit_agent(PROBE, environment='"OMP_NUM_THREADS=64"', **grant))
    assert job.exit_code == 0, job
    return complete_profile(job.output)


def test_cores_and_memory_are_those_of_the_machine_ad(profile: CapabilityProfile) -> None:
    cores, memory = profile.facts.cores, profile.facts.memory

    assert cores is not None
    assert (cores.claimed_cores, cores.effective_cores, cores.limited_by) == (1, 1, "htcondor")
    assert cores.enforced_cores == len(os.sched_getaffinity(0))
    assert memory is not None
    assert (memory.claimed_bytes, memory.limited_by) == (512 * 2**20, "htcondor")
    assert memory.effective_bytes == 512 * 2**20


def test_a_variable_for_openmp_is_no_source_of_cores(profile: CapabilityProfile) -> None:
    assert profile.facts.cores is not None
    assert 64 not in [source.cores for source in profile.facts.cores.sources]
    assert check(profile, "CPU-01").value == 1


def test_the_slot_is_named(profile: CapabilityProfile) -> None:
    batch = profile.facts.batch

    assert batch is not None
    assert batch.batch_system is ClaimSource.HTCONDOR
    assert (batch.slot_name or "").startswith("slot1_")
    assert batch.node_name == "wn.lab"
    assert profile.scope.kind == "slot"


def test_the_disk_checks_work_in_the_slots_scratch_directory(profile: CapabilityProfile) -> None:
    batch, disk = profile.facts.batch, profile.facts.disk

    assert batch is not None
    assert disk is not None
    assert disk.scratch is not None
    assert disk.scratch_by_batch is True
    (claim,) = [claim for claim in batch.claims if claim.source is ClaimSource.HTCONDOR]
    assert disk.scratch.path == claim.scratch_directory
    assert "/dir_" in disk.scratch.path
    assert disk.scratch_claim_bytes == claim.scratch_bytes
    assert disk.scratch_write is not None
    assert disk.scratch_write.verified
