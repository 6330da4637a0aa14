"""PBS: Torque and PBS Professional, by their documented variables."""

from __future__ import annotations

import pytest

from probes.claims import pbs
from profiles.facts.batch import JobIdKind, SlotClaim
from tests.unit.probes.claims.talking import machine

NODEFILE = "/var/spool/torque/aux/4321.ce.example.org"
TORQUE = {
    "PBS_JOBID": "4321.ce.example.org",
    "PBS_NUM_PPN": "4",
    "PBS_NUM_NODES": "2",
    "PBS_NODEFILE": NODEFILE,
    "PBS_QUEUE": "cms",
    "PBS_WALLTIME": "172800",
}
PROFESSIONAL = {
    "PBS_JOBID": "77[3].pbs",
    "NCPUS": "8",
    "OMP_NUM_THREADS": "8",
    "PBS_NODEFILE": "/var/spool/pbs/aux/77[3].pbs",
    "PBS_JOBDIR": "/scratch/pbs.77[3].pbs",
}
FOUR_HERE = "wn7\n" * 4 + "wn8.example.org\n" * 2


def claim(env: dict[str, str], files: dict[str, str] | None = None) -> SlotClaim:
    found = pbs.read(machine(env, files={**(files or {})}))
    assert found is not None
    return found


def test_torque_lists_this_host_once_per_core() -> None:
    found = claim(TORQUE, {NODEFILE: FOUR_HERE})
    assert (found.cores, found.job_id, found.job_id_kind) == (4, "4321.ce.example.org", JobIdKind.JOB)
    assert (found.queue, found.wall_limit_s, found.problems) == ("cms", 172_800, ())


def test_the_list_is_believed_when_nodes_differ() -> None:
    found = claim({**TORQUE, "PBS_NUM_PPN": "2"}, {NODEFILE: FOUR_HERE})
    assert found.cores == 4
    assert [line for line in found.problems if "PBS_NUM_PPN says 2" in line]


@pytest.mark.parametrize("files", [{}, {NODEFILE: ""}, {NODEFILE: "other1\nother2\n"}])
def test_without_a_usable_list_ppn_counts(files: dict[str, str]) -> None:
    assert claim(TORQUE, files).cores == 4


def test_professional_lists_processes_so_ncpus_counts() -> None:
    found = claim(PROFESSIONAL, {PROFESSIONAL["PBS_NODEFILE"]: "wn7.example.org\n"})
    assert (found.cores, found.job_id_kind) == (8, JobIdKind.ARRAY_TASK)
    assert found.scratch_directory == "/scratch/pbs.77[3].pbs"


@pytest.mark.parametrize(
    ("text", "gpus"),
    [("wn7-gpu0\nwn7-gpu3\nwn8-gpu1\n", ("0", "3")), ("", ()), ("wn8-gpu0\n", ()), ("garbage\n", ())],
)
def test_gpus_of_this_host(text: str, gpus: tuple[str, ...]) -> None:
    found = claim({**TORQUE, "PBS_GPUFILE": "/aux/gpu"}, {"/aux/gpu": text})
    assert found.gpus == gpus
    assert ("garbage" in text) == any("host-gpuN" in line for line in found.problems)


def test_without_a_gpu_file_nothing_is_said_of_gpus() -> None:
    assert claim(TORQUE).gpus is None


@pytest.mark.parametrize(
    ("wall", "seconds"), [("12:30:00", 45_000), ("3600", 3600), ("soon", None), ("99999999:00:00", None)]
)
def test_wall_time(wall: str, seconds: float | None) -> None:
    found = claim({**TORQUE, "PBS_WALLTIME": wall}, {NODEFILE: FOUR_HERE})
    assert found.wall_limit_s == seconds
    assert bool(found.problems) == (seconds is None)


def test_outside_a_job_there_is_no_claim() -> None:
    assert pbs.read(machine({"NCPUS": "8"})) is None
