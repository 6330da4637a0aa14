"""In real HTCondor slots: what the machine ad grants is read, and what only looks like a limit is not."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from profiles.facts.batch import ClaimSource, SlotClaim
from tests.lab.asking import code_command
from tests.lab.condor import CondorPool, Job

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("condor")]


# -- the lab itself: a test that trusts it must be able to fail ----------------------------------------


def test_a_job_gets_its_arguments_and_gives_its_output_as_an_ordinary_user(condor: CondorPool) -> None:
    words = ["two words", "it's", 'a "quoted" word', "$HOME"]
    script = 'id -un; printf "<%s>\\n" "$@"; echo wrong >&2; exit 3'
    job = condor.run(["/bin/sh", "-c", script, "sh", *words])
    assert job.exit_code == 3
    assert job.output.splitlines() == ["pilot", *(f"<{word}>" for word in words)]
    assert job.error == "wrong\n"


def test_a_job_that_cannot_start_is_reported_and_not_waited_for(condor: CondorPool) -> None:
    with pytest.raises(RuntimeError, match="held or removed"):
        condor.run(["true"], executable="/no/such/program", transfer_executable="False")


# -- what a slot grants ---------------------------------------------------------------------------------

READ_CLAIMS = """
import json, os
from probes.claims import read_all
from probes.host import Host
from probes.live import LiveDoor
claims = [claim.model_dump(mode="json") for claim in read_all(Host(LiveDoor()))]
print(json.dumps({"claims": claims, "affinity": sorted(os.sched_getaffinity(0)), "cwd": os.getcwd()}))
"""


GRANTS: dict[str, dict[str, str | int]] = {
    "plain": {
        "request_cpus": 1,
        "request_memory": "512MB",
        "request_disk": "2GB",
        "allowed_execute_duration": 3600,
    },
    "gpus": {"request_cpus": 1, "request_gpus": 2},
    # The starter sets OMP_NUM_THREADS itself; a job may overrule it and was still granted one core.
    "openmp": {"request_cpus": 1, "environment": '"OMP_NUM_THREADS=64"'},
}


@dataclass(frozen=True)
class Said:
    """The one claim that a job read, and the rest of what it said."""

    claim: SlotClaim
    affinity: list[int]
    cwd: str
    submitted_at: datetime
    ended_at: datetime


@pytest.fixture(scope="module")
def said(condor: CondorPool) -> dict[str, Said]:
    """What the jobs of GRANTS say; all at once, because a pool takes its seconds to match each."""
    submitted_at = datetime.now(UTC)
    command = code_command(condor.agent, READ_CLAIMS)
    clusters = {name: condor.submit(command, **grant) for name, grant in GRANTS.items()}
    return {name: read(condor.wait(cluster), submitted_at) for name, cluster in clusters.items()}


def read(job: Job, submitted_at: datetime) -> Said:
    assert (job.exit_code, job.error) == (0, "")
    answer: dict[str, Any] = json.loads(job.output)
    (claim,) = (SlotClaim.model_validate(claim) for claim in answer["claims"])
    assert (claim.source, claim.problems, claim.job_id) == (ClaimSource.HTCONDOR, (), job.job_id)
    return Said(claim, answer["affinity"], answer["cwd"], submitted_at, datetime.now(UTC))


def test_the_machine_ad_tells_what_the_slot_was_cut_to(said: dict[str, Said]) -> None:
    plain = said["plain"]
    claim = plain.claim
    assert (claim.cores, claim.memory_bytes) == (1, 512 * 2**20)
    assert claim.scratch_bytes is not None
    assert claim.scratch_bytes >= 2 * 2**30
    assert claim.scratch_directory == plain.cwd
    assert (claim.slot_name or "").startswith("slot1_")
    assert (claim.node_name, claim.site_name) == ("wn.lab", "T2_XX_Lab")
    assert claim.wall_limit_s == 3600
    assert claim.ends_at is not None
    # HTCondor counts whole seconds.
    slack = timedelta(seconds=2)
    assert plain.submitted_at - slack <= claim.ends_at - timedelta(hours=1) <= plain.ended_at + slack


def test_gpus_are_those_assigned_and_otherwise_explicitly_none(said: dict[str, Said]) -> None:
    assert said["gpus"].claim.gpus == ("CUDA0", "CUDA1")
    assert said["plain"].claim.gpus == ()


def test_a_variable_for_openmp_is_no_grant(said: dict[str, Said]) -> None:
    assert said["openmp"].claim.cores == 1
    assert len(said["openmp"].affinity) == len(os.sched_getaffinity(0))
