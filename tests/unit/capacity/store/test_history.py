"""Capacity by day, on every engine: kept, replaced within its day, and made of older tables."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta

import pytest

from capacity.fleet.model import NodeState
from capacity.service.ingest import accept
from capacity.store import history, migration, nodes
from capacity.store.database import Database
from capacity.store.history import CapacityDay
from tests.unit.capacity.documents import EVERYWHERE, SITE
from tests.unit.capacity.documents import profile as minimal
from tests.unit.capacity.web import samples

FIRST = datetime.fromisoformat("2026-11-01T22:00:00+00:00")
EVER = date(2026, 1, 1)


def _day(name: str, at: datetime, hs23: float, kind: str = "site") -> CapacityDay:
    return CapacityDay(
        kind, name, at.date(), at, 3, 24.0, hs23, hs23 * 0.9, hs23 * 1.1, hs23 / 2, None, "fitted-1"
    )


def _put(database: Database, *days: CapacityDay) -> None:
    with database.session() as session:
        history.put(session, days)


def _kept(database: Database, name: str, kind: str = "site", since: date = EVER) -> list[CapacityDay]:
    with database.reading() as session:
        return history.days(session, kind, name, since)


def test_days_are_kept_by_name_and_kind_oldest_first(database: Database) -> None:
    days = [_day("A", FIRST + timedelta(days=number), 10.0 * number) for number in (2, 1, 3)]
    _put(database, *days, _day("B", FIRST, 1.0), _day("A", FIRST, 7.0, "country"))
    assert _kept(database, "A") == [days[1], days[0], days[2]]
    assert _kept(database, "A", since=date(2026, 11, 4)) == [days[2]]
    assert [one.hs23 for one in _kept(database, "A", "country")] == [7.0]


def test_of_one_day_the_latest_sum_counts_whoever_comes_first(database: Database) -> None:
    early, late = _day("A", FIRST, 1.0), _day("A", FIRST + timedelta(hours=1), 2.0)
    _put(database, early)
    _put(database, late)
    _put(database, late)
    _put(database, early)
    assert _kept(database, "A") == [late]


def test_services_that_write_at_once_leave_one_row_a_day(database: Database) -> None:
    def write(second: int) -> None:
        rows = [_day(f"S{number}", FIRST + timedelta(seconds=second), float(second)) for number in range(40)]
        _put(database, *(rows if second % 2 else reversed(rows)))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(12)))
    assert [[day.hs23 for day in _kept(database, f"S{number}")] for number in range(40)] == [[11.0]] * 40


class TestFromOlderTables:
    """Migration 0003 makes the days of sites and of CMS from the estimates of nodes."""

    def _migrated(
        self, database: Database, name: str = SITE, kind: str = "site"
    ) -> list[tuple[date, int, float]]:
        migration.downgrade(database, "0002")
        database.upgrade()
        return [(one.day, one.nodes, pytest.approx(one.hs23)) for one in _kept(database, name, kind)]

    def _figure(self, database: Database, state: NodeState, at: datetime) -> None:
        """A profile comes at a moment and changes the node's figure."""
        document = minimal(site=state.site, node_id=state.node_id, created_at=at)
        assert accept(database, [document], EVERYWHERE, at)[0].status == "stored"
        with database.session() as session:
            (pending,) = nodes.take_pending(session, 1, at)
            assert nodes.save(session, state, None, at, absorbed=2**40, revision=pending.revision)

    def _state(self, number: int, hs23: float, site: str = SITE) -> NodeState:
        return samples.state(
            number, site, hs23_granted=hs23, estimate=samples.estimate(hs23_per_core=hs23 / 10)
        )

    def test_a_figure_holds_until_a_newer_one(self, database: Database) -> None:
        self._figure(database, self._state(1, 100.0), FIRST)
        self._figure(database, self._state(2, 50.0), FIRST + timedelta(days=1))
        self._figure(database, self._state(1, 120.0), FIRST + timedelta(days=3))
        assert self._migrated(database)[:3] == [
            (date(2026, 11, 1), 1, 100.0),
            (date(2026, 11, 2), 2, 150.0),
            (date(2026, 11, 4), 2, 170.0),
        ]

    def test_a_node_that_is_not_seen_leaves_after_a_week(self, database: Database) -> None:
        self._figure(database, self._state(1, 100.0), FIRST)
        self._figure(database, self._state(2, 50.0), FIRST + timedelta(days=6))
        assert self._migrated(database)[2] == (date(2026, 11, 8), 1, 50.0)

    def test_a_node_that_is_seen_now_stays(self, database: Database) -> None:
        now = datetime.now(UTC)
        self._figure(database, self._state(1, 100.0), now)
        assert self._migrated(database) == [(now.date(), 1, 100.0)]

    def test_a_figure_that_was_made_after_a_node_left_does_not_count(self, database: Database) -> None:
        self._figure(database, self._state(1, 100.0), FIRST)
        late = FIRST + timedelta(days=30)
        with database.session() as session:
            nodes.mark_pending(session, late)
            (pending,) = nodes.take_pending(session, 1, late)
            assert nodes.save(
                session, self._state(1, 999.0), None, late, absorbed=2**40, revision=pending.revision
            )
        assert self._migrated(database) == [(date(2026, 11, 1), 1, 100.0), (date(2026, 11, 8), 0, 0.0)]

    def test_cms_is_all_sites_and_nothing_else_is_made_up(self, database: Database) -> None:
        self._figure(database, self._state(1, 100.0), FIRST)
        self._figure(database, self._state(1, 30.0, "T1_DE_Other"), FIRST + timedelta(days=1))
        assert self._migrated(database, "CMS", "cms")[:2] == [
            (date(2026, 11, 1), 1, 100.0),
            (date(2026, 11, 2), 2, 130.0),
        ]
        (first, *_) = _kept(database, SITE)
        assert (first.low, first.high, first.hs23_usable, first.calibration_version) == (None,) * 4
