"""The shipped submit file and startd-cron configuration in a real HTCondor pool."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from profiles.facts.batch import ClaimSource
from profiles.profile import CapabilityProfile
from profiles.reading import read_profile
from tests.lab.condor import CondorPool, Job
from tests.lab.shipped import two_lines
from tests.lab.silent import Silent, silent_server
from tests.lab.waiting import until

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("condor")]

DEPLOY = Path(__file__).resolve().parents[2] / "deploy" / "htcondor"
CRON = "50-sitecap.config"
AGENT = "/opt/sitecap/bin/agent"
LIMIT_S = 120


@pytest.fixture(scope="module")
def pool(condor: CondorPool) -> CondorPool:
    """A pool with the agent where the shipped files expect it."""
    condor.install(f'#!/bin/sh\nexec {shlex.join(condor.agent.argv)} "$@"\n', AGENT, executable=True)
    return condor


def submitted(pool: CondorPool, **environment: str) -> str:
    words = {"SITECAP_SITE_PROFILE": "no-outbound", "SITECAP_PILOT__BENCH": "none", **environment}
    quoted = " ".join(f"{name}='{value}'".replace('"', '""') for name, value in words.items())
    return pool.submit_file(
        (DEPLOY / "pilot.sub").read_text().replace("\nqueue", f'\nenvironment = "{quoted}"\nqueue')
    )


def ended(pool: CondorPool, cluster: str) -> Job:
    """The end of a job whose files are named as in the shipped submit file."""
    log = pool.home / f"sitecap-{cluster}.log"
    until("log of the job", log.exists, limit_s=LIMIT_S, logs=pool.logs)
    (pool.home / f"job.{cluster}.log").symlink_to(log.name)
    for end in ("out", "err"):
        (pool.home / f"job.{cluster}.{end}").symlink_to(f"sitecap-{cluster}.0.{end}")
    return pool.wait(cluster)


def brought_home(pool: CondorPool, cluster: str) -> CapabilityProfile:
    return read_profile((pool.home / f"sitecap-{cluster}.0.json").read_bytes())


def test_the_submit_file_brings_profile_and_classad_home(pool: CondorPool) -> None:
    cluster = submitted(pool)
    job = ended(pool, cluster)
    assert job.exit_code == 0, job
    profile = brought_home(pool, cluster)
    assert profile.facts.batch is not None
    assert profile.facts.batch.batch_system is ClaimSource.HTCONDOR
    assert profile.facts.batch.claims[0].wall_limit_s == 3600, (
        "the limit of the submit file is known to the pilot"
    )
    assert profile.scope.cores_granted == 1
    assert profile.limits.reason is None, profile.limits
    ad = (pool.home / f"sitecap-{cluster}.0.ad").read_text()
    assert f'CMSAgent_ProfileId = "{profile.id}"' in ad


def test_the_two_lines_at_the_head_of_the_submit_file_are_enough(pool: CondorPool) -> None:
    text = two_lines(DEPLOY / "pilot.sub")
    files = [
        f"{name}=job.$(ClusterId).{end}"
        for name, end in (("output", "out"), ("error", "err"), ("log", "log"))
    ]
    job = pool.wait(
        pool.submit_file(f"{text}queue\n", "environment=SITECAP_SITE_PROFILE=no-outbound", *files)
    )
    assert job.exit_code == 0, job
    (path,) = pool.home.glob(f"sitecap-profile-htcondor-{job.job_id}-*.json")
    assert read_profile(path.read_bytes()).scope.cores_granted == 1


@pytest.fixture
def silent(pool: CondorPool) -> Iterator[Silent]:
    with silent_server(pool.first_pid) as server:
        yield server


@pytest.mark.parametrize("way", ["condor_vacate_job", "condor_hold"])
def test_what_an_evicted_or_held_job_has_found_is_kept_for_its_owner(
    pool: CondorPool, silent: Silent, way: str
) -> None:
    cluster = submitted(pool, **silent.settings)
    silent.wait_until_asked()
    pool.command(way, cluster)

    def kept() -> list[Path]:
        # The schedd's copy of what the job had in its directory: its owner has it by condor_transfer_data.
        return list((pool.folder / "upper/var/spool/condor").glob(f"**/cluster{cluster}.*/profile.json"))

    (path,) = until("profile of the evicted job", kept, limit_s=LIMIT_S, logs=pool.logs)
    profile = read_profile(path.read_bytes())
    assert profile.limits.reason == "interrupted by SIGTERM"
    assert profile.scope.cores_granted == 1
    pool.command("condor_rm", cluster)
    removed(pool, cluster)


def test_a_removed_job_leaves_its_profile_in_the_spool_of_the_node(pool: CondorPool, silent: Silent) -> None:
    """HTCondor throws away what a removed job leaves in its directory."""
    spool = "/home/pilot/spool"  # /tmp and /var/tmp are the job's own, and go with it
    nobody = "http://127.0.0.1:9"
    delivery = {"SITECAP_DELIVERY__URL": nobody, "SITECAP_DELIVERY__SPOOL_DIRECTORY": spool}
    cluster = submitted(pool, SITECAP_PILOT__GRACE_S="6", **delivery, **silent.settings)
    silent.wait_until_asked()
    pool.command("condor_rm", cluster)
    removed(pool, cluster)
    (path,) = until(
        "profile in the spool",
        lambda: list((pool.home / "spool").glob("*.json")),
        limit_s=LIMIT_S,
        logs=pool.logs,
    )
    assert read_profile(path.read_bytes()).limits.reason == "interrupted by SIGTERM"


def removed(pool: CondorPool, cluster: str) -> None:
    log = pool.home / f"sitecap-{cluster}.log"
    until("removed job", lambda: "\n009 " in log.read_text(), limit_s=LIMIT_S, logs=pool.logs)


@pytest.mark.parametrize(
    "text", [(DEPLOY / CRON).read_text(), two_lines(DEPLOY / CRON)], ids=["file", "two-lines"]
)
def test_the_startd_advertises_what_the_agent_says(pool: CondorPool, text: str) -> None:
    known = {ad["CMSAgent_ProfileId"] for ad in advertised(pool)}
    pool.install(text, f"/etc/condor/config.d/{CRON}")
    pool.command("condor_reconfig", user="root")

    def new() -> list[dict[str, object]]:
        return [ad for ad in advertised(pool) if ad["CMSAgent_ProfileId"] not in known]

    (ad,) = until("attributes of the agent", new, limit_s=LIMIT_S, logs=pool.logs)
    assert ad["CMSAgent_Status"] in {"OK", "WARNING", "CRITICAL", "UNKNOWN"}
    assert ad["CMSAgent_CoresPresent"] == ad["DetectedCpus"]
    assert not ad["CMSAgent_Partial"], ad.get("CMSAgent_PartialReason")


def advertised(pool: CondorPool) -> list[dict[str, object]]:
    text = pool.command("condor_status", "-json", "-constraint", "CMSAgent_Status =!= undefined")
    return list(json.loads(text)) if text.strip() else []
