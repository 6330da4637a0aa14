"""The batch probe: claims side by side, the innermost system, the earliest end."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from probes.batch import PROBE
from probes.judging import Judging
from probes.settings import Settings
from profiles.facts.batch import BatchFacts, ClaimSource
from tests.unit.probes.slot_hosts import host

NOW = 1_800_000_000
MACHINE_AD = """Cpus = 8
Machine = "wn7.example.org"
Name = "slot1_2@wn7.example.org"
GLIDEIN_ToDie = 1800090000
"""


def gathered(directory: Path, env: dict[str, str], files: dict[str, str | bytes] | None = None) -> BatchFacts:
    facts = PROBE.gather(host(directory, env=env, files=files, answers=[("now", [], NOW)]), Settings())
    assert isinstance(facts, BatchFacts)
    return facts


def test_a_glidein_in_a_slot_has_both_claims_and_the_earlier_end(tmp_path: Path) -> None:
    env = {
        "_CONDOR_SLOT": "slot1_2", "_CONDOR_SCRATCH_DIR": "/pool/alice/dir_7", "USER": "alice",
        "GLIDEIN_CMSSite": "T2_DE_Test", "GLIDEIN_ToDie": "1800036000",
    }  # fmt: skip
    facts = gathered(tmp_path, env, {"/pool/alice/dir_7/.machine.ad": MACHINE_AD})
    assert [claim.source for claim in facts.claims] == [ClaimSource.HTCONDOR, ClaimSource.GLIDEIN]
    assert (facts.batch_system, facts.slot_name, facts.pilot) == ("htcondor", "slot1_2", "glidein")
    assert facts.node_name == "wn7.example.org"
    assert facts.ends_at == datetime.fromtimestamp(1_800_036_000, tz=UTC)
    assert facts.ends_at_source is ClaimSource.GLIDEIN
    assert facts.observed_at == datetime.fromtimestamp(NOW, tz=UTC)
    assert PROBE.summarise(facts) == "htcondor slot1_2, glidein, 10.0 h left"
    assert "alice" not in facts.model_dump_json()


def test_a_payload_that_sees_only_its_slot_still_knows_its_pilot(tmp_path: Path) -> None:
    ad = MACHINE_AD + 'GLIDEIN_CMSSite = "T2_DE_Test"\n'
    files: dict[str, str | bytes] = {"/scratch/.machine.ad": ad}
    facts = gathered(tmp_path / "glidein", {"_CONDOR_SCRATCH_DIR": "/scratch"}, files)
    assert facts.pilot is ClaimSource.GLIDEIN
    files = {"/scratch/.machine.ad": "Cpus = 8\n"}
    site = gathered(tmp_path / "site", {"_CONDOR_SCRATCH_DIR": "/scratch"}, files)
    assert site.batch_system is ClaimSource.HTCONDOR
    assert site.pilot is None


def test_a_plain_machine_says_why_each_field_is_absent(tmp_path: Path) -> None:
    facts = gathered(tmp_path, {})
    assert facts.claims == ()
    assert facts.absent["slot_name"] == "not in a batch slot"
    assert PROBE.summarise(facts) == "not in a batch slot"
    assert PROBE.judge(facts, Judging(PROBE, Settings(), {})) == []


def test_nonsense_in_the_environment_is_a_problem_of_the_claim(tmp_path: Path) -> None:
    env = {"SLURM_JOB_ID": "7", "SLURM_CPUS_ON_NODE": "-9" * 40, "SLURM_JOB_END_TIME": "9" * 300}
    facts = gathered(tmp_path, env)
    assert facts.batch_system is ClaimSource.SLURM
    assert facts.ends_at is None
    assert facts.claims[0].cores is None
    assert facts.claims[0].problems


def test_a_clock_that_does_not_answer_is_absent(tmp_path: Path) -> None:
    facts = PROBE.gather(host(tmp_path, answers=[("now", [], 1e300)]), Settings())
    assert isinstance(facts, BatchFacts)
    assert facts.observed_at is None
    assert "clock" in facts.absent["observed_at"]
