"""LSF, by its documented variables."""

from __future__ import annotations

import pytest

from probes.claims import lsf
from profiles.facts.batch import JobIdKind, SlotClaim
from tests.unit.probes.claims.talking import machine

ENV = {
    "LSB_JOBID": "518",
    "LSB_JOBINDEX": "0",
    "LSB_QUEUE": "cms_long",
    "LSB_DJOB_NUMPROC": "6",
    "LSB_MCPU_HOSTS": "wn7 4 wn8 2",
    "LSB_CG_MEMLIMIT": "0x200000000",
    "LSB_EFFECTIVE_RSRCREQ": "select[type == local] rusage[mem=2000.00] span[hosts=1]",
}


def claim(**changes: str | None) -> SlotClaim:
    env = {name: value for name, value in {**ENV, **changes}.items() if value is not None}
    found = lsf.read(machine(env))
    assert found is not None
    return found


def test_a_job_on_two_hosts_has_the_slots_of_this_one() -> None:
    found = claim()
    assert (found.cores, found.node_name, found.queue) == (4, "wn7", "cms_long")
    assert (found.job_id, found.job_id_kind) == ("518", JobIdKind.JOB)
    assert found.memory_bytes == 8 * 2**30
    assert found.problems == ()
    assert any("rusage[mem=2000.00]" in line for line in found.evidence)


def test_a_job_on_one_host_is_here_whatever_lsf_calls_it() -> None:
    found = claim(LSB_MCPU_HOSTS="batch-alias-77 16")
    assert (found.cores, found.node_name) == (16, "batch-alias-77")


def test_without_a_list_of_hosts_the_number_of_processors_counts() -> None:
    assert claim(LSB_MCPU_HOSTS=None).cores == 6


def test_a_task_of_an_array() -> None:
    found = claim(LSB_JOBINDEX="12")
    assert (found.job_id, found.job_id_kind) == ("518[12]", JobIdKind.ARRAY_TASK)


@pytest.mark.parametrize("hosts", ["wn8 2 wn9 2", "wn7", "wn7 many wn8 2", "wn7 0 wn8 2"])
def test_a_list_that_does_not_tell_gives_no_cores_and_a_sentence(hosts: str) -> None:
    found = claim(LSB_MCPU_HOSTS=hosts)
    assert found.cores is None
    assert [line for line in found.problems if "LSB_MCPU_HOSTS" in line]


@pytest.mark.parametrize("limit", ["0xffffffffffffffff", "2G", "0x"])
def test_a_memory_limit_that_is_none_is_a_sentence(limit: str) -> None:
    found = claim(LSB_CG_MEMLIMIT=limit)
    assert found.memory_bytes is None
    assert [line for line in found.problems if "LSB_CG_MEMLIMIT" in line]


def test_outside_a_job_there_is_no_claim() -> None:
    assert lsf.read(machine({"LSB_MCPU_HOSTS": "wn7 4"})) is None
