"""HTCondor: the ads and the environment of a real slot (23.9.6, captured from the lab), and damaged ones."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from probes.claims import htcondor
from probes.errors import HostError
from profiles.facts.batch import JobIdKind, SlotClaim
from tests.unit.probes.claims.talking import machine

DATA = Path(__file__).parent / "data"
MACHINE_AD = (DATA / "htcondor-23.9-machine.ad").read_text()
JOB_AD = (DATA / "htcondor-23.9-job.ad").read_text()
SCRATCH = "/var/lib/condor/execute/dir_153"
ENV = {
    "BATCH_SYSTEM": "HTCondor",
    "CUDA_VISIBLE_DEVICES": "10000",
    "OMP_NUM_THREADS": "1",
    "_CONDOR_AssignedGPUs": "10000",
    "_CONDOR_JOB_AD": f"{SCRATCH}/.job.ad",
    "_CONDOR_MACHINE_AD": f"{SCRATCH}/.machine.ad",
    "_CONDOR_SCRATCH_DIR": SCRATCH,
    "_CONDOR_SLOT": "slot1_1",
}


def claim(
    env: dict[str, str], machine_ad: str | HostError = MACHINE_AD, job_ad: str | HostError = JOB_AD
) -> SlotClaim:
    files = {f"{SCRATCH}/.machine.ad": machine_ad, f"{SCRATCH}/.job.ad": job_ad}
    found = htcondor.read(machine(env, files=files))
    assert found is not None
    return found


def test_a_real_slot() -> None:
    found = claim(ENV)
    assert (found.slot_name, found.job_id, found.job_id_kind) == ("slot1_1", "1.0", JobIdKind.CLUSTER_PROC)
    assert (found.cores, found.memory_bytes, found.scratch_bytes) == (1, 512 * 2**20, 1_049_600 * 1024)
    assert found.gpus == ()
    assert found.scratch_directory == SCRATCH
    assert (found.node_name, found.site_name) == ("wn.lab", "T2_XX_Lab")
    assert found.wall_limit_s == 3600
    assert found.problems == ()
    assert "Cpus = 1" in found.evidence


def test_the_slot_ends_with_the_job_limit_or_with_the_glidein_whatever_is_earlier() -> None:
    started_s = int(JOB_AD.split("JobCurrentStartDate = ")[1].split("\n")[0])
    assert claim(ENV).ends_at == datetime.fromtimestamp(started_s + 3600, tz=UTC)
    dying = MACHINE_AD.replace("GLIDEIN_ToDie = 4102444800", f"GLIDEIN_ToDie = {started_s + 60}")
    assert claim(ENV, dying).ends_at == datetime.fromtimestamp(started_s + 60, tz=UTC)


def test_omp_num_threads_is_not_believed() -> None:
    """It advises a library; a job is free to overrule it, so it limits nothing."""
    found = claim({**ENV, "OMP_NUM_THREADS": "64"})
    assert found.cores == 1
    assert not any("OMP" in line for line in found.evidence)
    assert claim({**ENV, "OMP_NUM_THREADS": "64"}, HostError("EACCES", "no")).cores is None


@pytest.mark.parametrize(
    ("assigned", "gpus"),
    [("CUDA0", ("CUDA0",)), ("GPU-6a96bd13,GPU-0be3f2a1", ("GPU-6a96bd13", "GPU-0be3f2a1")), ("10000", ())],
)
def test_assigned_gpus(assigned: str, gpus: tuple[str, ...]) -> None:
    ad = MACHINE_AD.replace("GPUs = 0\n", "", 1) if gpus else MACHINE_AD
    assert claim({**ENV, "_CONDOR_AssignedGPUs": assigned}, ad).gpus == gpus


def test_a_pool_without_gpus_says_nothing_of_them() -> None:
    env = {name: value for name, value in ENV.items() if name != "_CONDOR_AssignedGPUs"}
    without = "\n".join(line for line in MACHINE_AD.splitlines() if "GPUs" not in line)
    assert claim(env, without).gpus is None


def test_ads_are_found_in_the_scratch_directory_when_their_variables_are_gone() -> None:
    env = {"_CONDOR_SCRATCH_DIR": SCRATCH}
    found = claim(env)
    assert (found.cores, found.job_id, found.slot_name) == (1, "1.0", "slot1_1")


def test_an_unreadable_ad_is_a_sentence() -> None:
    found = claim(ENV, HostError("EACCES", f"{SCRATCH}/.machine.ad: Permission denied"))
    assert found.cores is None
    assert found.slot_name == "slot1_1"
    assert any(".machine.ad" in line and "Permission denied" in line for line in found.problems)


@pytest.mark.parametrize(
    "ad",
    ["", "\x7fELF\x02\x01\x01", "Cpus = many", "Cpus = -4", "Cpus = 99999999999", 'Cpus = "8"', "Cpus = 0"],
)
def test_nonsense_gives_no_cores_and_a_sentence(ad: str) -> None:
    found = claim(ENV, ad + "\n")
    assert found.cores is None
    assert found.problems


def test_a_huge_ad_is_not_read() -> None:
    found = claim(ENV, "A = 1\n" * 100_000)
    assert found.cores is None
    assert any("larger than" in line for line in found.problems)


def test_outside_a_slot_there_is_no_claim() -> None:
    assert htcondor.read(machine({"OMP_NUM_THREADS": "4"})) is None
