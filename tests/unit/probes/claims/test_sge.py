"""Grid Engine, by its manual pages."""

from __future__ import annotations

import pytest

from probes.claims import sge
from profiles.facts.batch import JobIdKind, SlotClaim
from tests.unit.probes.claims.talking import machine

SPOOL = "/var/spool/gridengine/execd/wn7/active_jobs/9001.1"
ENV = {
    "JOB_ID": "9001",
    "SGE_TASK_ID": "undefined",
    "SGE_ROOT": "/opt/sge",
    "SGE_CELL": "default",
    "NSLOTS": "8",
    "NHOSTS": "1",
    "QUEUE": "cms.q",
    "HOSTNAME": "wn7.example.org",
    "SGE_JOB_SPOOL_DIR": SPOOL,
}


def claim(files: dict[str, str] | None = None, **changes: str) -> SlotClaim:
    found = sge.read(machine({**ENV, **changes}, files={**(files or {})}))
    assert found is not None
    return found


def test_a_job_on_one_host() -> None:
    found = claim({f"{SPOOL}/config": "queue=cms.q\nh_cpu=INFINITY\nh_rt=259200\n"})
    assert (found.cores, found.queue, found.node_name) == (8, "cms.q", "wn7.example.org")
    assert (found.job_id, found.job_id_kind, found.wall_limit_s) == ("9001", JobIdKind.JOB, 259_200)
    assert found.problems == ()


def test_a_task_of_an_array() -> None:
    found = claim(SGE_TASK_ID="3")
    assert (found.job_id, found.job_id_kind) == ("9001.3", JobIdKind.ARRAY_TASK)


def test_slots_of_this_host_only_over_all_its_queues() -> None:
    hosts = "wn7.example.org 4 cms.q@wn7 UNDEFINED\nwn8 8 cms.q@wn8 UNDEFINED\nwn7 2 more.q@wn7 <NULL>\n"
    assert claim({f"{SPOOL}/pe_hostfile": hosts}, PE_HOSTFILE=f"{SPOOL}/pe_hostfile", NHOSTS="2").cores == 6


def test_slots_of_many_hosts_are_not_taken_for_this_one() -> None:
    found = claim(NHOSTS="4", NSLOTS="64")
    assert found.cores is None
    assert [line for line in found.problems if "4 hosts" in line]


@pytest.mark.parametrize(
    ("config", "seconds"),
    [("h_rt=INFINITY\n", None), ("h_rt=48:00:00\n", 172_800), ("nothing\n", None), ("", None)],
)
def test_wall_limit(config: str, seconds: float | None) -> None:
    assert claim({f"{SPOOL}/config": config}).wall_limit_s == seconds


def test_univa_names_the_devices_of_a_resource_map() -> None:
    assert claim(SGE_HGR_gpu_card="0 3").gpus == ("0", "3")
    assert claim(SGE_HGR_licence="1").gpus is None


def test_nonsense_is_a_sentence() -> None:
    found = claim(NSLOTS="eight")
    assert found.cores is None
    assert [line for line in found.problems if "NSLOTS" in line]


@pytest.mark.parametrize("env", [{"JOB_ID": "1", "NSLOTS": "1"}, {"SGE_ROOT": "/opt/sge", "NSLOTS": "4"}, {}])
def test_outside_a_job_there_is_no_claim(env: dict[str, str]) -> None:
    assert sge.read(machine(env)) is None
