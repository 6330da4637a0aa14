"""From received profiles to states and estimates, on a real database: bad ones cost only themselves."""

from __future__ import annotations

import json
import logging
from datetime import timedelta
from typing import Any

import pytest

from capacity.fleet.model import NodeState
from capacity.hs06.model import Estimate, Method, NodeEvidence
from capacity.service import refresh
from capacity.service.ingest import accept
from capacity.service.principal import Principal, Role
from capacity.service.refresh import refresh_node, refresh_pending
from capacity.store import measurements, nodes, profiles
from capacity.store.database import Database
from capacity.store.measurements import StoredMeasurement
from tests.unit.capacity.fleet.states import estimate, shipped
from tests.unit.capacity.looks import NODE, NOW, ago, document

ANYBODY = Principal("test", frozenset({Role.ADMIN}))
SITE = "T2_LV_Example"


class Fixed:
    """The same estimate for everybody; keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[NodeEvidence] = []

    def estimate(self, evidence: NodeEvidence) -> Estimate:
        self.asked.append(evidence)
        return estimate(12.5)


class Broken:
    """Chokes on one processor."""

    def estimate(self, evidence: NodeEvidence) -> Estimate:
        if evidence.cpu.model_name == "poison":
            raise ZeroDivisionError
        return estimate(12.5)


def submit(database: Database, *documents: dict[str, Any]) -> None:
    verdicts = accept(database, [json.dumps(one).encode() for one in documents], ANYBODY, NOW)
    assert {verdict.status for verdict in verdicts} == {"stored"}


def state_of(database: Database, node_id: str = NODE, site: str = SITE) -> NodeState:
    with database.reading() as session:
        found = nodes.state(session, site, node_id)
    assert found is not None
    return found


def test_slots_become_one_node_with_a_figure(database: Database) -> None:
    submit(database, *(document(ago(minutes=i), slot=f"slot1_{i}") for i in range(3)))

    assert refresh_pending(database, shipped(), NOW, 10) == 1
    assert refresh_pending(database, shipped(), NOW, 10) == 0
    found = state_of(database)
    assert found.granted_cores == 24
    assert found.profiles == 3
    assert found.estimate is not None
    assert found.estimate.method is Method.CATALOGUE
    assert found.hs23_granted == pytest.approx(24 * found.estimate.hs23_per_core)
    with database.reading() as session:
        (summary,) = nodes.summaries(session)
        (past,) = nodes.estimate_history(session, SITE, NODE)
    assert summary.cpu_key == "intel xeon gold 6326"
    assert past.hs23_granted == found.hs23_granted


def test_later_profiles_are_added_to_what_is_known(database: Database) -> None:
    submit(database, document(ago(hours=2), slot="a"))
    refresh_pending(database, Fixed(), NOW, 10)
    submit(database, document(ago(hours=1), slot="b"), document(ago(hours=3), slot="a", cores=4))
    refresh_pending(database, Fixed(), NOW, 10)

    assert state_of(database).granted_cores == 16
    assert state_of(database).profiles == 3


def test_the_same_profile_again_makes_nothing_pending(database: Database) -> None:
    one = document(slot="a")
    submit(database, one)
    refresh_pending(database, Fixed(), NOW, 10)
    accept(database, [json.dumps(one).encode()], ANYBODY, NOW)

    assert refresh_pending(database, Fixed(), NOW, 10) == 0


def test_a_bad_profile_costs_only_itself(
    database: Database, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    good, bad = document(ago(hours=1), slot="good"), document(ago(hours=2), slot="bad")
    submit(database, bad, good, document(node="a" * 32, boot=None))
    real = refresh.merge.absorb

    def choke(state: NodeState | None, profile: Any, *rest: Any) -> NodeState:
        if profile.id == bad["id"]:
            raise RecursionError
        return real(state, profile, *rest)

    monkeypatch.setattr(refresh.merge, "absorb", choke)
    with caplog.at_level(logging.ERROR):
        assert refresh_pending(database, Fixed(), NOW, 10) == 2

    assert state_of(database).granted_cores == 8
    assert state_of(database, "a" * 32).granted_cores == 8
    assert bad["id"] in caplog.text
    assert refresh_pending(database, Fixed(), NOW, 10) == 0, "it is not tried for ever"


def test_a_node_without_any_usable_profile_is_told(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    submit(database, document())

    def refuse(_: bytes) -> Any:
        raise refresh.ProfileError("no longer readable")

    monkeypatch.setattr(refresh, "read_profile", refuse)
    refresh_pending(database, Fixed(), NOW, 10)
    found = state_of(database)

    assert found.estimate is None
    assert found.granted_cores is None
    assert found.usable is None
    assert refresh_pending(database, Fixed(), NOW, 10) == 0


def test_a_node_that_cannot_be_estimated_does_not_stop_the_others(database: Database) -> None:
    submit(database, document(model="poison"), document(node="a" * 32, boot=None))
    refresh_pending(database, Broken(), NOW, 10)

    assert [finding.code for finding in state_of(database).findings] == ["estimate-failed"]
    assert "ZeroDivisionError" in state_of(database).findings[0].says
    assert state_of(database, "a" * 32).estimate is not None


def test_a_node_with_many_profiles_is_done_in_turns(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refresh, "MOST_PROFILES", 2)
    submit(database, *(document(ago(minutes=9 - i), slot=f"slot1_{i}") for i in range(5)))
    rounds = 0
    while refresh_pending(database, Fixed(), NOW, 10):
        rounds += 1

    assert rounds == 3
    assert state_of(database).profiles == 5
    assert state_of(database).granted_cores == 40


def test_profiles_that_come_meanwhile_are_not_lost(database: Database) -> None:
    submit(database, document(ago(hours=2), slot="a"))

    class Slow(Fixed):
        def estimate(self, evidence: NodeEvidence) -> Estimate:
            if not self.asked:
                submit(database, document(ago(hours=1), slot="b"))
            return super().estimate(evidence)

    slow = Slow()
    while refresh_pending(database, slow, NOW + timedelta(minutes=5), 10):
        pass
    assert state_of(database).granted_cores == 16


def test_an_imported_run_becomes_evidence_of_its_node(database: Database) -> None:
    submit(database, document(cores=64, present=64))
    refresh_pending(database, Fixed(), NOW, 10)
    run = StoredMeasurement(
        "m1", SITE, NODE, "HS23", 1018.0, 64, "intel xeon gold 6326", NOW, NOW, "a report", {}
    )
    with database.session() as session:
        assert measurements.add(session, [run]) == ["stored"]
    estimator = shipped()

    assert refresh_pending(database, estimator, NOW, 10) == 1
    found = state_of(database)
    assert found.evidence is not None
    assert [one.total for one in found.evidence.measured] == [1018.0]
    assert found.estimate is not None
    assert found.estimate.method is Method.MEASURED
    assert found.estimate.hs23_per_core == pytest.approx(1018 / 64, rel=0.05)


def test_one_machine_at_two_sites_is_told_at_both(database: Database) -> None:
    submit(database, document(slot="a"), document(slot="b", site="T2_XX_Other"))
    refresh_pending(database, Fixed(), NOW, 10)

    for site in (SITE, "T2_XX_Other"):
        (finding,) = state_of(database, site=site).findings
        assert finding.code == "identity-collision"
        assert "T2_LV_Example, T2_XX_Other" in finding.says


def test_a_page_can_have_one_node_at_once(database: Database) -> None:
    submit(database, document(slot="a"), document(node="a" * 32, boot=None))
    found = refresh_node(database, Fixed(), NOW, SITE, NODE)

    assert found is not None
    assert found.estimate is not None
    assert refresh_node(database, Fixed(), NOW, SITE, "f" * 32) is None
    assert refresh_pending(database, Fixed(), NOW, 10) == 1, "the other one still waits"


def test_a_state_is_the_same_if_made_from_all_profiles_at_once(database: Database) -> None:
    documents = [document(ago(hours=i), slot=f"slot1_{i % 3}") for i in range(6)]
    for one in documents:
        submit(database, one)
        refresh_pending(database, Fixed(), NOW, 10)
    step_by_step = state_of(database)
    with database.session() as session:
        nodes.mark_pending(session, NOW)
        assert profiles.count(session) == 6
    refresh_pending(database, Fixed(), NOW, 10)

    assert state_of(database) == step_by_step
