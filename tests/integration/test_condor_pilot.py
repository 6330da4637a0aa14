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
from tests.lab.silent import Silent, silent_server
from tests.lab.waiting import until

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("condor")]

DEPLOY = Path(__file__).resolve().parents[2] / "deploy" / "htcondor"
AGENT = "/opt/sitecap/bin/agent"
LIMIT_S = 180


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


@pytest.fixture
def silent(pool: CondorPool) -> Iterator[Silent]:
    with silent_server(pool.first_pid) as server:
        yield server


def test_an_evicted_job_brings_home_what_it_has(pool: CondorPool, silent: Silent) -> None:
    cluster = submitted(pool, **silent.settings)
    silent.wait_until_asked()
    pool.command("condor_vacate_job", cluster)
    silent.wait_until_asked()  # it runs again, which is what a pool does with the evicted
    pool.command("condor_rm", cluster)
    log = pool.home / f"sitecap-{cluster}.log"
    until("removed job", lambda: "\n009 " in log.read_text(), limit_s=LIMIT_S, logs=pool.logs)
    text = log.read_text()
    assert "004 (" in text, "evicted"


def test_the_startd_advertises_what_the_agent_says(pool: CondorPool) -> None:
    pool.install((DEPLOY / "50-sitecap.config").read_text(), "/etc/condor/config.d/50-sitecap.config")
    pool.command("condor_reconfig", user="root")

    def advertised() -> list[dict[str, object]]:
        text = pool.command("condor_status", "-json", "-constraint", "CMSAgent_Status =!= undefined")
        return list(json.loads(text)) if text.strip() else []

    ads = until("attributes of the agent", advertised, limit_s=LIMIT_S, logs=pool.logs)
    assert ads[0]["CMSAgent_Status"] in {"OK", "WARNING", "CRITICAL", "UNKNOWN"}
    assert ads[0]["CMSAgent_CoresPresent"] == ads[0]["DetectedCpus"]
    assert not ads[0]["CMSAgent_Partial"], ads[0].get("CMSAgent_PartialReason")
