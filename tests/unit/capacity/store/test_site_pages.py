"""A site's failing checks and its capacity by day, on every engine."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest

from capacity.fleet.model import NodeState
from capacity.service.ingest import accept
from capacity.store import nodes, site_pages
from capacity.store.database import Database
from tests.unit.capacity.documents import EVERYWHERE, SITE
from tests.unit.capacity.documents import profile as minimal
from tests.unit.capacity.web import samples

WEEK = timedelta(days=7)
FIRST = datetime.fromisoformat("2026-11-01T22:00:00+00:00")


def _figure(database: Database, state: NodeState, at: datetime) -> None:
    """A profile comes at a moment and changes the node's figure."""
    document = minimal(site=state.site, node_id=state.node_id, created_at=at)
    assert accept(database, [document], EVERYWHERE, at)[0].status == "stored"
    with database.session() as session:
        (pending,) = nodes.take_pending(session, 1, at)
        assert nodes.save(session, state, None, at, absorbed=2**40, revision=pending.revision)


def _state(number: int, hs23: float, per_core: float) -> NodeState:
    return samples.state(number, SITE, hs23_granted=hs23, estimate=samples.estimate(hs23_per_core=per_core))


def _days(database: Database, now: datetime, since: date = date(2026, 1, 1)) -> list[tuple[date, int, float]]:
    with database.reading() as session:
        found = site_pages.by_day(session, SITE, since, WEEK, now)
    return [(day.day, day.nodes, pytest.approx(day.hs23)) for day in found]


def test_a_figure_holds_until_a_newer_one(database: Database) -> None:
    _figure(database, _state(1, 100.0, 10.0), FIRST)
    _figure(database, _state(2, 50.0, 5.0), FIRST + timedelta(days=1))
    _figure(database, _state(1, 120.0, 12.0), FIRST + timedelta(days=3))
    assert _days(database, FIRST + timedelta(days=4)) == [
        (date(2026, 11, 1), 1, 100.0),
        (date(2026, 11, 2), 2, 150.0),
        (date(2026, 11, 4), 2, 170.0),
    ]


def test_a_node_that_is_not_seen_leaves_after_it_is_stale(database: Database) -> None:
    _figure(database, _state(1, 100.0, 10.0), FIRST)
    _figure(database, _state(2, 50.0, 5.0), FIRST + timedelta(days=6))
    assert _days(database, FIRST + timedelta(days=9))[-1] == (date(2026, 11, 8), 1, 50.0)


def test_a_figure_that_was_made_after_a_node_left_does_not_count(database: Database) -> None:
    _figure(database, _state(1, 100.0, 10.0), FIRST)
    late = FIRST + timedelta(days=30)
    with database.session() as session:
        nodes.mark_pending(session, late)
        (pending,) = nodes.take_pending(session, 1, late)
        assert nodes.save(
            session, _state(1, 999.0, 99.0), None, late, absorbed=2**40, revision=pending.revision
        )
    assert _days(database, late) == [(date(2026, 11, 1), 1, 100.0), (date(2026, 11, 8), 0, 0.0)]


def test_what_was_before_is_in_the_first_day(database: Database) -> None:
    _figure(database, _state(1, 100.0, 10.0), FIRST)
    _figure(database, _state(2, 50.0, 5.0), FIRST + timedelta(days=2))
    assert _days(database, FIRST + timedelta(days=3), date(2026, 11, 3)) == [(date(2026, 11, 3), 2, 150.0)]


def test_other_sites_and_no_site_have_no_part_in_it(database: Database) -> None:
    _figure(database, samples.state(1, "T1_DE_Other"), FIRST)
    assert _days(database, FIRST) == []


def test_failing_checks_are_those_of_the_latest_look(database: Database) -> None:
    _figure(database, _state(1, 100.0, 10.0), FIRST)
    _figure(database, samples.state(2, SITE, slots=()), FIRST)
    keys = [(SITE, f"{number:032x}") for number in (1, 2, 3)]
    with database.reading() as session:
        one, two = site_pages.latest_checks(session, keys)
    assert [check["id"] for check in one.checks] == ["SQD-01", "CTX-07"]
    assert two.checks == ()
