"""What is derived of a node is saved once, by one refresher, and is found again in lists and sums."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from typing import Any

import pytest

from capacity.errors import BadInputError
from capacity.fleet.model import NodeState, SlotView
from capacity.hs06.model import CpuDescription, Estimate, Finding, GpuDevice, Method, NodeEvidence
from capacity.service.ingest import accept
from capacity.store import nodes, profiles
from capacity.store.database import Database
from capacity.store.nodes import NodeFilter, PendingNode
from tests.unit.capacity.documents import (
    EVERYWHERE,
    NOW,
    OTHER_SITE,
    SITE,
    SUBMITTER,
    new_id,
    node,
    profile,
)

HOUR = timedelta(hours=1)


def _estimate(per_core: float = 12.0, **changes: Any) -> Estimate:
    values: dict[str, Any] = {
        "hs23_per_core": per_core,
        "low": per_core * 0.9,
        "high": per_core * 1.1,
        "sigma": 0.1,
        "method": Method.PAYLOAD,
        "provisional": True,
        "rungs": (),
        "steps": ("from the payloads",),
        "catalogue_version": "2026.1",
        "calibration_version": "c1",
    }
    return Estimate(**{**values, **changes})


def _state(number: int = 1, site: str = SITE, cores: float = 8.0, **changes: Any) -> NodeState:
    estimate = changes.pop("estimate", _estimate())
    evidence = NodeEvidence(cpu=CpuDescription(arch="x86_64", logical_cpus=16), scope="node")
    slot = SlotView(key="node", kind="node", profile_id=new_id(), seen_at=NOW, evidence=evidence)
    values: dict[str, Any] = {
        "site": site,
        "node_id": node(number),
        "first_seen_at": NOW,
        "last_seen_at": NOW,
        "slots": (slot,),
        "evidence": evidence,
        "estimate": estimate,
        "granted_cores": cores,
        "hs23_granted": cores * estimate.hs23_per_core if estimate else None,
        "usable": True,
    }
    return NodeState(**{**values, **changes})


def _ingest(database: Database, number: int = 1, site: str = SITE, at: datetime = NOW) -> None:
    accept(database, [profile(site=site, node_id=node(number), created_at=at)], EVERYWHERE, at)


def _take(database: Database, limit: int = 100, now: datetime = NOW) -> list[PendingNode]:
    with database.session() as session:
        return nodes.take_pending(session, limit, now)


def _newest(database: Database, one: PendingNode) -> int:
    with database.reading() as session:
        found = profiles.documents_of_node(session, one.site, one.node_id, after=one.absorbed)
        return found[-1].sequence


def _save(
    database: Database, state: NodeState, taken: PendingNode, absorbed: int | None = None, now: datetime = NOW
) -> bool:
    absorbed = _newest(database, taken) if absorbed is None else absorbed
    with database.session() as session:
        return nodes.save(session, state, "model 7", now, absorbed=absorbed, revision=taken.revision)


def _filled(database: Database, *states: NodeState) -> None:
    for state in states:
        _ingest(database, int(state.node_id, 16), state.site)
    taken = {(one.site, one.node_id): one for one in _take(database)}
    for state in states:
        assert _save(database, state, taken[state.site, state.node_id])


def test_a_state_is_found_as_it_was_saved(database: Database) -> None:
    state = _state()
    _filled(database, state)

    with database.reading() as session:
        assert nodes.state(session, SITE, node(1)) == state
        assert nodes.state(session, OTHER_SITE, node(1)) is None
        assert nodes.states(session, [(SITE, node(1)), (SITE, node(2))]) == [state]
    assert _take(database, now=NOW + HOUR) == []


def test_a_claimed_node_is_given_to_nobody_else_until_the_claim_ends(database: Database) -> None:
    _ingest(database)

    assert len(_take(database)) == 1
    assert _take(database) == []
    assert len(_take(database, now=NOW + nodes.CLAIM * 1.01)) == 1


def test_a_claim_from_a_clock_that_stood_wrong_does_not_hold_for_years(database: Database) -> None:
    _ingest(database)

    assert len(_take(database, now=NOW + timedelta(days=3650))) == 1
    assert len(_take(database)) == 1


def test_nodes_that_wait_longest_come_first(database: Database) -> None:
    for number, minutes in ((3, 0), (1, 1), (2, 2)):
        _ingest(database, number, at=NOW + timedelta(minutes=minutes))

    assert [one.node_id for one in _take(database, limit=2)] == [node(3), node(1)]


def test_a_node_stays_pending_if_a_profile_came_meanwhile(database: Database) -> None:
    _ingest(database)
    (taken,) = _take(database)
    known = _newest(database, taken)
    _ingest(database)

    assert _save(database, _state(), taken, known)

    (again,) = _take(database)
    assert again.state == _state(slots=again.state.slots if again.state else ())
    assert again.absorbed == known
    assert _newest(database, again) > known


def test_only_one_of_two_refreshers_saves(database: Database) -> None:
    _ingest(database)
    (first,) = _take(database)
    (second,) = _take(database, now=NOW + 2 * nodes.CLAIM)

    assert _save(database, _state(), second)
    assert not _save(database, _state(estimate=_estimate(99.0)), first, 1)

    with database.reading() as session:
        state = nodes.state(session, SITE, node(1))
    assert state is not None
    assert state.estimate == _estimate()


def test_one_node_is_taken_for_a_page_that_wants_it_now(database: Database) -> None:
    _ingest(database)

    with database.session() as session:
        taken = nodes.take(session, SITE, node(1), NOW)
        assert nodes.take(session, SITE, node(2), NOW) is None
    assert taken is not None
    assert _save(database, _state(), taken)
    with database.session() as session:
        assert nodes.take(session, SITE, node(1), NOW) is None


def test_the_history_has_one_entry_for_each_change(database: Database) -> None:
    for hours, estimate in enumerate(
        (_estimate(), _estimate(), _estimate(13.0), _estimate(13.0, calibration_version="c2"))
    ):
        at = NOW + hours * HOUR
        _ingest(database, at=at)
        (taken,) = _take(database, now=at)
        assert _save(database, _state(estimate=estimate), taken, now=at)

    with database.reading() as session:
        past = nodes.estimate_history(session, SITE, node(1))
    assert [(one.at, one.hs23_per_core, one.calibration_version) for one in past] == [
        (NOW + 3 * HOUR, 13.0, "c2"),
        (NOW + 2 * HOUR, 13.0, "c1"),
        (NOW, 12.0, "c1"),
    ]


def test_history_survives_a_join(database: Database) -> None:
    boot, other = node(101), node(102)
    for number, key in ((1, boot), (2, other)):
        accept(database, [profile(node_id=node(number), boot_key=key)], SUBMITTER, NOW)
    for taken in _take(database):
        assert _save(database, _state(int(taken.node_id, 16)), taken)

    accept(database, [profile(node_id=node(2), boot_key=boot)], SUBMITTER, NOW + HOUR)

    with database.reading() as session:
        (line,) = nodes.summaries(session)
        assert len(nodes.estimate_history(session, SITE, node(1))) == 2
        assert len(nodes.estimate_history(session, SITE, node(2))) == 2
    assert line.profiles == 3


def test_marking_brings_nodes_back_and_stops_a_save_under_the_old_calibration(database: Database) -> None:
    _filled(database, _state(1), _state(2))
    with database.session() as session:
        assert nodes.mark_pending(session, NOW) == 2
    first, second = _take(database)
    with database.session() as session:
        assert nodes.mark_pending(session, NOW, SITE, second.node_id) == 1

    assert _save(database, _state(int(first.node_id, 16)), first, first.absorbed)
    assert not _save(database, _state(int(second.node_id, 16)), second, second.absorbed)


def test_a_state_that_this_version_cannot_read_is_made_again(database: Database) -> None:
    from sqlalchemy import update

    from capacity.store.tables import NodeRow

    _filled(database, _state())
    with database.session() as session:
        session.execute(update(NodeRow).values(state={"of": "another version"}))
        nodes.mark_pending(session, NOW)

    (taken,) = _take(database)

    assert (taken.state, taken.absorbed) == (None, 0)


def test_sums_keep_apart_what_a_roll_up_keeps_apart(database: Database) -> None:
    _filled(
        database,
        _state(1, cores=8.0),
        _state(2, cores=4.0, estimate=_estimate(10.0)),
        _state(3, usable=False, unusable_reason="no CVMFS"),
        _state(4, OTHER_SITE, estimate=_estimate(method=Method.CATALOGUE, calibration_version=None)),
    )

    with database.reading() as session:
        totals = nodes.site_totals(session, NOW - HOUR)
        stale = nodes.site_totals(session, NOW + HOUR, SITE)

    good = next(one for one in totals if one.site == SITE and one.usable)
    assert (good.fresh, good.nodes, good.pending_nodes, good.granted_cores) == (True, 2, 0, 12.0)
    assert good.hs23 == pytest.approx(8 * 12 + 4 * 10)
    assert good.hs23_sigma == pytest.approx(0.1 * (8 * 12 + 4 * 10))
    assert math.sqrt(good.hs23_sigma_squared) == pytest.approx(math.hypot(9.6, 4.0))
    assert good.last_seen_at == NOW
    assert {(one.site, one.unusable_reason, one.method) for one in totals} == {
        (SITE, None, "payload"),
        (SITE, "no CVMFS", "payload"),
        (OTHER_SITE, None, "catalogue"),
    }
    assert {(one.site, one.fresh) for one in stale} == {(SITE, False)}


def test_gpus_are_counted_by_device_and_slice(database: Database) -> None:
    whole = GpuDevice(name="NVIDIA A100", vendor="nvidia")
    part = GpuDevice(name="NVIDIA A100", vendor="nvidia", mig_profile="1g.5gb")
    _filled(database, _state(1, gpus=(whole, part, part)), _state(2, gpus=(whole,)), _state(3))

    with database.reading() as session:
        assert nodes.site_gpus(session, NOW) == {SITE: {"NVIDIA A100": 2, "NVIDIA A100 (1g.5gb)": 2}}
        assert nodes.site_gpus(session, NOW + HOUR) == {}


@pytest.mark.parametrize("sort", sorted(nodes.SORTS))
def test_pages_of_a_list_join_without_gap_or_overlap(database: Database, sort: str) -> None:
    states = [
        _state(
            number,
            (SITE, OTHER_SITE)[number % 2],
            cores=float(1 + number % 3),
            estimate=_estimate(10.0 + number % 4),
        )
        for number in range(1, 12)
    ]
    _filled(database, *states)
    _ingest(database, 50)  # not yet looked at: no figures

    with database.reading() as session:
        whole = nodes.summaries(session, sort=sort)
        paged: list[nodes.NodeSummary] = []
        after = None
        while page := nodes.summaries(session, sort=sort, after=after, limit=5):
            paged += page
            after = (page[-1].site, page[-1].node_id)

    assert len(whole) == 12
    assert paged == whole


def test_an_unknown_order_says_which_there_are(database: Database) -> None:
    with pytest.raises(BadInputError, match="use site, "), database.reading() as session:
        nodes.summaries(session, sort="document; --")


def test_lists_are_filtered(database: Database) -> None:
    finding = Finding(code="slow-for-model", says="half of what its model does")
    _filled(database, _state(1, findings=(finding,)), _state(2, usable=False), _state(3, OTHER_SITE))

    def found(**which: Any) -> set[int]:
        with database.reading() as session:
            return {int(line.node_id, 16) for line in nodes.summaries(session, NodeFilter(**which))}

    assert found() == {1, 2, 3}
    assert found(site=SITE) == {1, 2}
    assert found(usable=False) == {2}
    assert found(with_findings=True) == {1}
    assert found(with_findings=False) == {2, 3}
    assert found(cpu_key="model 7", method="payload") == {1, 2, 3}
    assert found(cpu_key="model 8") == set()
    assert found(seen_before=NOW) == set()
    assert found(seen_after=NOW) == {1, 2, 3}


def _says(level: str) -> Finding:
    return Finding.model_validate({"code": f"a-{level}", "level": level, "says": "something"})


def test_odd_nodes_come_with_the_worst_first_and_of_equals_the_greatest(database: Database) -> None:
    own = _estimate(findings=(_says("warning"),))
    _filled(
        database,
        _state(1, cores=64.0, findings=(_says("warning"),)),
        _state(2, cores=2.0, findings=(_says("notice"), _says("problem"), _says("warning"))),
        _state(3, cores=8.0, estimate=own),
        _state(4, cores=256.0, findings=(_says("notice"),)),
        _state(5, cores=256.0),
    )

    with database.reading() as session:
        found = nodes.odd(session, NOW, limit=10)
        assert [(int(one.node_id, 16), one.worst["code"]) for one in found] == [
            (2, "a-problem"),
            (1, "a-warning"),
            (3, "a-warning"),
        ]
        assert len(nodes.odd(session, NOW, limit=1)) == 1
        assert nodes.odd(session, NOW + HOUR, limit=10) == [], "not seen since: it is stale, and told as that"


def test_states_come_in_order_and_in_pages(database: Database) -> None:
    states = [_state(2, OTHER_SITE), _state(1), _state(2)]
    _filled(database, *states)

    with database.reading() as session:
        assert nodes.states_in_order(session, None, None, 10) == states
        assert nodes.states_in_order(session, None, (OTHER_SITE, node(2)), 1) == [states[1]]
        assert nodes.states_in_order(session, SITE, (SITE, node(1)), 10) == [states[2]]
