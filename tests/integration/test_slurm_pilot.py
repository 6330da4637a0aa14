"""The shipped Slurm scripts in a real Slurm of two nodes: whatever the batch system does, the profile comes home, once."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from capacity.service.principal import Role
from profiles.profile import CapabilityProfile
from profiles.reading import read_profile
from tests.lab.service import Service
from tests.lab.shipped import two_lines
from tests.lab.silent import Silent, silent_server
from tests.lab.slurm_cluster import Job, SlurmCluster
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


@pytest.mark.parametrize(("name", "nodes"), [("pilot.sh", 1), ("allocation.sh", 2)])
def test_the_two_lines_at_the_head_of_a_script_are_enough(
    slurm: SlurmCluster, tmp_path: Path, name: str, nodes: int
) -> None:
    script = tmp_path / "two-lines.sh"
    script.write_text(two_lines(DEPLOY / name))
    options = ("--partition=all", f"--nodes={nodes}", "--cpus-per-task=1", "--mem=400", "--time=10")
    path = f"{agent(slurm).parent}:{os.environ['PATH']}"
    number = slurm.submit(script, f"--chdir={tmp_path}", *options, env={**PROBE_ONLY, "PATH": path})
    job = ended(slurm, number)
    assert job.state == "COMPLETED", job
    assert len(profiles_in(tmp_path)) == nodes
    assert (tmp_path / "summary.json").exists() == (nodes > 1)


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


def test_a_job_that_is_warned_leaves_what_it_has(slurm: SlurmCluster, silent: Silent, tmp_path: Path) -> None:
    """The signal that the script asks for a minute before the limit."""
    number = submit(slurm, "pilot.sh", tmp_path, *ONE_CORE, **silent.settings)
    silent.wait_until_asked()
    slurm.command("scancel", "--signal=USR1", number)
    job = ended(slurm, number)
    (profile,) = profiles_in(tmp_path)
    assert profile.limits.partial
    assert profile.limits.reason == "interrupted by SIGUSR1", job


@pytest.mark.parametrize(
    ("options", "states"),
    [
        # Here Slurm sends its warning and its end at once, in any order; a job that heeds the warning first is no TIMEOUT.
        ((), {"SIGUSR1": {"COMPLETED", "TIMEOUT"}, "SIGTERM": {"TIMEOUT"}}),
        (("--signal=CONT@60",), {"SIGTERM": {"TIMEOUT"}}),  # a warning that tells a pilot nothing
    ],
)
def test_a_job_that_reaches_its_limit_leaves_what_it_has(
    slurm: SlurmCluster, silent: Silent, tmp_path: Path, options: tuple[str, ...], states: dict[str, set[str]]
) -> None:
    """The limit comes earlier than the job was told: only Slurm's signals tell of it, the last 30 s before it kills."""
    number = submit(slurm, "pilot.sh", tmp_path, *ONE_CORE, *options, **silent.settings)
    silent.wait_until_asked()
    # Not "now": when the controller looks, the second may be over, and a time that has passed is refused.
    slurm.command("scontrol", "update", f"JobId={number}", "EndTime=now+3seconds")
    job = ended(slurm, number)
    (profile,) = profiles_in(tmp_path)
    assert profile.limits.partial
    interrupted, _, signal = (profile.limits.reason or "").rpartition(" by ")
    assert interrupted == "interrupted"
    assert job.state in states[signal], job


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
    """The service is dead during the first job and comes up during the second; the third runs on both nodes."""
    token = tmp_path / "token"
    token.touch(mode=0o600)
    token.write_text(service.token(Role.SUBMIT, "T2_XX_Lab"))
    spool, jobs = tmp_path / "spool", tmp_path / "jobs"
    more = {
        "SITECAP_DELIVERY__URL": service.url,
        "SITECAP_DELIVERY__TOKEN_FILE": str(token),
        "SITECAP_DELIVERY__SPOOL_DIRECTORY": str(spool),
    }
    service.kill()

    first = ended(slurm, submit(slurm, "pilot.sh", jobs, *ONE_CORE, **more, BUDGET="12s"))
    assert (first.state, first.record["ExitCode"]) == ("FAILED", "4:0"), first
    (kept,) = profiles_in(jobs)
    assert len(list(spool.glob("*.json"))) == 1

    number = submit(slurm, "pilot.sh", jobs, *ONE_CORE, **more)
    until("attempt in vain", lambda: "next attempt" in slurm.output(number), limit_s=STARTED_S)
    service.start()
    second = ended(slurm, number)
    assert second.state == "COMPLETED", second
    assert "delivered: the service has it, and 1 that waited" in second.output

    options = ("--partition=all", "--nodes=2", "--mem=1000", "--time=10")
    third = ended(slurm, submit(slurm, "allocation.sh", jobs, *options, **more, SHARED=str(tmp_path)))
    assert third.state == "COMPLETED", third
    assert third.output.count("delivered: the service has it") == 2

    assert list(spool.glob("*.json")) == []
    assert profiles_in(jobs) == [kept], "what is delivered is not left as a file, too"
    reader = service.token(Role.READ)
    nodes = service.ask("GET", "/api/v1/nodes", reader).json()["nodes"]
    # Both nodes of the lab are this machine, and the service sees that by its boot.
    assert [node["profiles"] for node in nodes] == [4]
    assert service.ask("GET", f"/api/v1/profiles/{kept.id}", reader).status == 200
