"""Files that a pilot leaves: whole or not at all, each for itself, and named so that nodes do not meet."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent.pilot.leave import leave_files, profile_path
from agent.pilot.settings import PilotSettings
from agent.pilot.summary import gather, hand_part, hand_summary, part_of, sentence, summarise
from agent.render import mjf
from profiles.facts.batch import BatchFacts, ClaimSource, SlotClaim
from profiles.node_facts import NodeFacts
from profiles.profile import CapabilityProfile
from profiles.reading import write_profile
from tests.unit.agent.bench_examples import profile, result

END = datetime(2026, 1, 1, 12, tzinfo=UTC)


def in_slot() -> CapabilityProfile:
    claim = SlotClaim(
        source=ClaimSource.HTCONDOR, job_id="12.0", wall_limit_s=3600.0, ends_at=END, scratch_bytes=10**9
    )
    batch = BatchFacts(
        observed_at=END, claims=(claim,), batch_system=ClaimSource.HTCONDOR, slot_name="slot1_1", pilot=None,
        node_name="wn1", ends_at=END, ends_at_source=ClaimSource.HTCONDOR,
        absent={"pilot": "none"},
    )  # fmt: skip
    scope = {"kind": "slot", "cores_granted": 1.5, "cores_present": 64}
    return profile(facts=NodeFacts(batch=batch), scope=scope)


def test_the_profile_is_named_after_job_and_node(tmp_path: Path) -> None:
    names = ("slurm 12_3", "mjf 12")
    assert profile_path(None, names, "wn1.site").name == "sitecap-profile-slurm-12_3-wn1.site.json"
    assert profile_path(None, (), "../../wn").parent == Path()
    assert profile_path(str(tmp_path), names, "wn1").parent == tmp_path
    assert profile_path(str(tmp_path / "p.json"), names, "wn1") == tmp_path / "p.json"


def test_all_files_that_were_asked_for_are_there(tmp_path: Path) -> None:
    settings = PilotSettings(
        classad=str(tmp_path / "c" / "ad"), glidein=str(tmp_path / "otrb.xml"), mjf=str(tmp_path / "mjf")
    )
    document = write_profile(in_slot()).encode()
    assert leave_files(document, settings, tmp_path / "p.json") == []
    assert (tmp_path / "p.json").read_bytes() == document
    assert "CMSAgent_ProfileId" in (tmp_path / "c" / "ad").read_text()
    assert "<OSGTestResult" in (tmp_path / "otrb.xml").read_text()
    features = {
        str(path.relative_to(tmp_path / "mjf")): path.read_text() for path in (tmp_path / "mjf").rglob("*/*")
    }
    assert features == {
        "machinefeatures/total_cpu": "64\n",
        "jobfeatures/allocated_cpu": "1\n",
        "jobfeatures/shutdowntime_job": f"{int(END.timestamp())}\n",
        "jobfeatures/wall_limit_secs": "3600\n",
        "jobfeatures/jobstart_secs": f"{int(END.timestamp()) - 3600}\n",
        "jobfeatures/scratch_limit_bytes": "1000000000\n",
        "jobfeatures/job_id": "12.0\n",
    }


def test_what_is_not_known_is_no_feature() -> None:
    assert mjf.render(profile(scope={"kind": "node", "cores_granted": None, "cores_present": None})) == {}


def test_a_file_that_cannot_be_written_costs_only_itself(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    settings = PilotSettings(classad=str(tmp_path / "file" / "ad"))
    failed = leave_files(write_profile(in_slot()).encode(), settings, tmp_path / "p.json")
    assert (tmp_path / "p.json").is_file()
    (said,) = failed
    assert said.startswith(f"cannot write {tmp_path / 'file' / 'ad'}: ")
    assert not [path for path in tmp_path.iterdir() if path.name.endswith(".part")]


def test_dash_is_standard_output(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    leave_files(write_profile(in_slot()).encode(), PilotSettings(classad="-"), None)
    assert b"CMSAgent_ProfileId" in capfdbinary.readouterr().out


def test_rank_0_sums_up_what_has_come_and_names_what_has_not(tmp_path: Path) -> None:
    one = profile(result("clue", 200.0), node="1" * 32)
    two = profile(
        result("clue", 100.0), result("mkfit", 7.0), node="2" * 32,
        limits={"budget_s": 1, "duration_s": 1, "partial": True, "reason": "interrupted by SIGTERM"},
    )  # fmt: skip
    for number, found in enumerate((one, two), 1):
        assert hand_part(tmp_path, "k", part_of(found, f"wn{number}")) == []
    assert hand_part(tmp_path, "other launch", part_of(profile(node="4" * 32), "wn4")) == []
    (tmp_path / "part-k-3.json").write_text("{not whole")
    summary = summarise(gather(tmp_path, "k", 3, until=0, stop=lambda: False), 3)
    assert (summary["reported"], summary["missing"], summary["cores_granted"]) == (2, 1, 4)
    assert summary["events_per_s"] == {"clue": 300.0, "mkfit": 7.0}
    assert summary["partial"] == {"wn2": "interrupted by SIGTERM"}
    assert sentence(summary).startswith("2 of 3 nodes reported, 1 missing: ")
    assert hand_summary(tmp_path, summary) == []
    assert (tmp_path / "summary.json").is_file()
