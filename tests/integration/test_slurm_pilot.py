"""The shipped Slurm scripts in a real Slurm of two nodes: whatever the batch system does, the profile comes home, once."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from capacity.service.principal import Role
from profiles.profile import CapabilityProfile
from profiles.reading import read_profile
from tests.lab.service import Service
from tests.lab.silent import Silent, silent_server
from tests.lab.slurm import Job, SlurmCluster
from tests.lab.waiting import until

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("slurm")]

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy" / "slurm"
ONE_CORE = ("--cpus-per-task=1", "--mem=400", "--time=10")
STARTED_S = 120

PROBE_ONLY = {"SITECAP_PILOT__BENCH": "none", "SITECAP_SITE_PROFILE": "no-outbound"}


def submit(slurm: SlurmCluster, name: str, directory: Path, *options: str, **more: str) -> str:
    directory.mkdir(exist_ok=True)
    environment = {**PROBE_ONLY, "AGENT": str(agent(slurm)), **more}
    return slurm.submit(DEPLOY / name, f"--chdir={directory}", *options, env=environment)


def agent(slurm: SlurmCluster) -> Path:
    """The agent of this source tree, whichever one is installed."""
    program = slurm.state / "agent"
    program.write_text(f'#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} -m agent "$@"\n')
    program.chmod(0o755)
    return program


def profiles_in(directory: Path) -> list[CapabilityProfile]:
    return [read_profile(path.read_bytes()) for path in sorted(directory.glob("sitecap-profile-*.json"))]


def ended(slurm: SlurmCluster, number: str) -> Job:
    (job,) = slurm.ended(number)
    return job


def test_one_slot_is_probed_within_its_limits_and_the_profile_comes_home(
    slurm: SlurmCluster, tmp_path: Path
) -> None:
    job = ended(slurm, submit(slurm, "pilot.sh", tmp_path, *ONE_CORE))
    assert job.state == "COMPLETED", job
    (path,) = tmp_path.glob("*.json")
    assert path.name == f"sitecap-profile-slurm-{job.job_id}-{slurm.node}.json"
    profile = read_profile(path.read_bytes())
    assert not profile.limits.partial, profile.limits
    assert (profile.scope.kind, profile.scope.cores_granted) == ("slot", 1)
    assert profile.facts.memory is not None
    assert profile.facts.memory.effective_bytes == 400 * 2**20
    assert profile.limits.budget_s <= 300


def test_the_jobs_own_end_bounds_the_pilot(slurm: SlurmCluster, tmp_path: Path) -> None:
    job = ended(slurm, submit(slurm, "pilot.sh", tmp_path, "--cpus-per-task=1", "--mem=400", "--time=1"))
    assert job.state == "COMPLETED", job
    (profile,) = profiles_in(tmp_path)
    assert profile.limits.budget_s <= 45  # 60 s less the margin
    assert "by the end of the slot in" in job.output
    assert "(slurm)" in job.output


def test_a_whole_allocation_gives_one_profile_a_node_and_a_summary(
    slurm: SlurmCluster, tmp_path: Path
) -> None:
    options = ("--partition=all", "--nodes=2", "--mem=1000", "--time=10")
    job = ended(slurm, submit(slurm, "allocation.sh", tmp_path, *options, SHARED=str(tmp_path / "shared")))
    assert job.state == "COMPLETED", job
    found = profiles_in(tmp_path / "shared")
    assert len({profile.node.id for profile in found}) == len(found) == 2
    assert {profile.scope.cores_granted for profile in found} == {2}
    summary = json.loads((tmp_path / "shared" / "summary.json").read_text())
    assert (summary["nodes"], summary["reported"], summary["missing"]) == (2, 2, 0)
    assert {part["node"] for part in summary["parts"]} == {slurm.node, slurm.gpu_node}
    assert "2 of 2 nodes reported" in job.output


def test_of_two_ranks_on_each_node_one_works_and_the_other_says_so(
    slurm: SlurmCluster, tmp_path: Path
) -> None:
    command = f"{agent(slurm)} pilot --bench none --site-profile no-outbound"
    options = (
        "--partition=all",
        "--nodes=2",
        "--ntasks-per-node=2",
        "--mem=1000",
        "--time=10",
        f"--chdir={tmp_path}",
    )
    (job,) = slurm.batch(f"srun {command} --summary {tmp_path}/shared", *options)
    assert job.state == "COMPLETED", job
    assert len(list(tmp_path.glob("sitecap-profile-*.json"))) == 2
    assert job.output.count("another agent of this job made profile") == 2
    summary = json.loads((tmp_path / "shared" / "summary.json").read_text())
    assert (summary["nodes"], summary["reported"]) == (2, 2)


def test_a_job_without_enough_memory_leaves_what_could_be_found(slurm: SlurmCluster, tmp_path: Path) -> None:
    number = submit(slurm, "pilot.sh", tmp_path, "--cpus-per-task=1", "--mem=64", "--time=10")
    job = ended(slurm, number)
    assert "oom-kill event" in job.output, "the lab's limit bites"
    (profile,) = profiles_in(tmp_path)
    assert profile.limits.partial
    assert "the kernel kills so when memory runs out" in str(profile.limits.reason)


@pytest.fixture
def silent() -> Iterator[Silent]:
    with silent_server() as server:
        yield server


def test_a_cancelled_job_leaves_what_it_has(slurm: SlurmCluster, silent: Silent, tmp_path: Path) -> None:
    number = submit(slurm, "pilot.sh", tmp_path, *ONE_CORE, **silent.settings)
    silent.wait_until_asked()
    slurm.command("scancel", number)
    job = ended(slurm, number)
    assert job.state == "CANCELLED", job
    (profile,) = profiles_in(tmp_path)
    assert profile.limits.reason == "interrupted by SIGTERM"
    assert profile.scope.cores_granted == 1


def test_a_warning_before_the_limit_lets_the_pilot_end_well(
    slurm: SlurmCluster, silent: Silent, tmp_path: Path
) -> None:
    """What `#SBATCH --signal=USR1@60` does, sent by hand because the least time limit is a minute."""
    number = submit(slurm, "pilot.sh", tmp_path, *ONE_CORE, **silent.settings)
    silent.wait_until_asked()
    slurm.command("scancel", "--signal=USR1", number)
    job = ended(slurm, number)
    assert job.state == "COMPLETED", job
    (profile,) = profiles_in(tmp_path)
    assert profile.limits.reason == "interrupted by SIGUSR1"


def test_a_node_that_is_lost_costs_a_start_and_not_the_profile(
    slurm: SlurmCluster, silent: Silent, tmp_path: Path
) -> None:
    number = submit(slurm, "pilot.sh", tmp_path, *ONE_CORE, **silent.settings)
    silent.wait_until_asked()
    slurm.lose(slurm.node)
    try:
        until(
            "requeued job",
            lambda: slurm.field(number, "Restarts") == "1",
            limit_s=STARTED_S,
            logs=slurm.state,
        )
        assert profiles_in(tmp_path) == []
    finally:
        slurm.start_node(slurm.node)
    silent.wait_until_asked()
    slurm.command("scancel", "--signal=USR1", number)
    job = ended(slurm, number)
    assert (job.state, job.record["Restarts"]) == ("COMPLETED", "1"), job
    assert len(profiles_in(tmp_path)) == 1


# -- and to a service ------------------------------------------------------------------------------------------


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    (tmp_path / "service").mkdir()
    service = Service(tmp_path / "service")
    service.start()
    yield service
    service.kill()


def test_every_profile_of_every_job_reaches_the_service_once(
    slurm: SlurmCluster, service: Service, tmp_path: Path
) -> None:
    """The service is dead while two jobs run; the third finds it back and brings what waits."""
    token = tmp_path / "token"
    token.touch(mode=0o600)
    token.write_text(service.token(Role.SUBMIT, "T2_XX_Lab"))
    more = {
        "SITECAP_DELIVERY__URL": service.url,
        "SITECAP_DELIVERY__TOKEN_FILE": str(token),
        "SITECAP_DELIVERY__SPOOL_DIRECTORY": str(tmp_path / "spool"),
    }
    service.kill()
    short = {**more, "BUDGET": "12s"}
    while_dead = [
        ended(slurm, submit(slurm, "pilot.sh", tmp_path / "jobs", *ONE_CORE, **short)) for _ in range(2)
    ]
    assert [(job.state, job.record["ExitCode"]) for job in while_dead] == [("FAILED", "4:0")] * 2, while_dead
    waiting = {profile.id for profile in profiles_in(tmp_path / "jobs")}
    assert len(waiting) == 2
    assert len(list((tmp_path / "spool").glob("*.json"))) == 2
    service.start()
    last = ended(slurm, submit(slurm, "pilot.sh", tmp_path / "jobs", *ONE_CORE, **more))
    assert last.state == "COMPLETED", last.output
    assert "delivered: the service has it, and 2 that waited" in last.output
    assert list((tmp_path / "spool").glob("*.json")) == []
    assert len(profiles_in(tmp_path / "jobs")) == 2, "what is delivered is not left as a file, too"
    reader = service.token(Role.READ)
    (node,) = service.ask("GET", "/api/v1/nodes", reader).json()["nodes"]
    assert node["profiles"] == 3
    assert {service.ask("GET", f"/api/v1/profiles/{one}", reader).status for one in waiting} == {200}
