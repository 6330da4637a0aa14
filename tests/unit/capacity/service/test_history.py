"""The day's sums: written by the keeper, shown with that of this moment, and left alone once their day is over."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from threading import Event

import pytest

from capacity.errors import NotFoundError, UnavailableError
from capacity.fleet.model import FleetSettings, SiteInfo
from capacity.keeper import Keeper
from capacity.service.views.history import HistoryView, days_of, history_view, record
from capacity.service.views.sums import FleetSums, Sums
from capacity.store import history, nodes, sites
from capacity.store.database import Database
from tests.unit.capacity.web import samples

SITE = "T2_LV_Example"


def _sums(database: Database) -> FleetSums:
    return FleetSums(database, FleetSettings(), fresh_s=-1, old_s=-1)


@pytest.fixture
def fleet(database: Database) -> Iterator[Database]:
    """Two sites in two countries, one of a federation."""
    now = datetime.now(UTC)
    samples.seed(
        database,
        samples.state(1, SITE, first_seen_at=now, last_seen_at=now),
        samples.state(2, "T1_DE_Other", first_seen_at=now, last_seen_at=now),
        now=now,
    )
    with database.session() as session:
        sites.put(session, [SiteInfo(name=SITE, federation="LV Fed/1", country="LV", tier=2)], "a test", now)
    return database


def _changed(database: Database, hs23: float) -> None:
    """The node of the site has another figure."""
    now = datetime.now(UTC)
    with database.session() as session:
        nodes.mark_pending(session, now, SITE)
        (pending,) = nodes.take_pending(session, 1, now)
        state = samples.state(1, SITE, first_seen_at=now, last_seen_at=now, hs23_granted=hs23)
        assert nodes.save(session, state, None, now, absorbed=2**40, revision=pending.revision)


def _as_of(sums: Sums, days_ago: int) -> Sums:
    return sums._replace(at=sums.at - timedelta(days=days_ago))


def _view(database: Database, kind: str, name: str) -> HistoryView:
    return history_view(database, _sums(database).current(), kind, name)  # type: ignore[arg-type]


def test_every_sum_of_a_moment_is_a_day(fleet: Database) -> None:
    days = days_of(_sums(fleet).current())
    assert {(one.kind, one.name) for one in days} == {
        ("cms", "CMS"),
        ("site", SITE),
        ("site", "T1_DE_Other"),
        ("federation", "LV Fed/1"),
        ("country", "LV"),
        ("country", "DE"),
    }
    assert all(one.low and one.high and one.low < one.hs23 < one.high for one in days)


@pytest.mark.parametrize(
    ("kind", "name", "then", "now"),
    [
        ("site", SITE, 227.2, 300.0),
        ("federation", "LV Fed/1", 227.2, 300.0),
        ("country", "LV", 227.2, 300.0),
        ("cms", "CMS", 454.4, 527.2),
    ],
)
def test_a_day_that_is_over_stays_and_today_is_of_this_moment(
    fleet: Database, kind: str, name: str, then: float, now: float
) -> None:
    record(fleet, _as_of(_sums(fleet).current(), 1))
    record(fleet, _sums(fleet).current())
    _changed(fleet, 300.0)
    view = _view(fleet, kind, name)
    assert [day.hs23 for day in view.history] == [pytest.approx(now), pytest.approx(then)]
    assert view.history[0].day - view.history[1].day == timedelta(days=1)
    assert view.history[1].calibration_version == _sums(fleet).current().calibration_version


def test_what_has_no_node_any_more_keeps_its_past(fleet: Database) -> None:
    day = days_of(_as_of(_sums(fleet).current(), 9))[0]._replace(kind="country", name="PT")
    with fleet.session() as session:
        history.put(session, [day])
    view = _view(fleet, "country", "PT")
    assert (view.row, len(view.history)) == (None, 1)


def test_a_name_that_nobody_knows_is_not_there(fleet: Database) -> None:
    with pytest.raises(NotFoundError, match="country XX"):
        _view(fleet, "country", "XX")


def test_an_empty_fleet_writes_nothing(database: Database) -> None:
    record(database, _sums(database).current())
    assert _view(database, "cms", "CMS").history == ()


class TestKeeper:
    def _days(self, database: Database) -> list[float]:
        with database.reading() as session:
            found = history.days(session, "site", SITE, datetime.now(UTC).date() - timedelta(days=1))
        return [one.hs23 for one in found]

    def test_the_first_round_writes_and_the_next_ones_when_it_is_time(self, fleet: Database) -> None:
        keeper = Keeper(fleet, _sums(fleet), recorded_every_s=3600)
        keeper.round()
        _changed(fleet, 300.0)
        keeper.round()
        assert self._days(fleet) == [pytest.approx(227.2)]
        Keeper(fleet, _sums(fleet), recorded_every_s=0).round()
        assert self._days(fleet) == [pytest.approx(300.0)]

    def test_it_makes_sums_before_anybody_asks_and_goes_on_after_an_error(self, fleet: Database) -> None:
        made = Event()
        tries: list[int] = []

        class Flaky(FleetSums):
            def renewed(self) -> Sums:
                tries.append(1)
                if len(tries) < 3:
                    raise UnavailableError("away") if len(tries) == 1 else RuntimeError("broken")
                found = super().renewed()
                made.set()
                return found

        keeper = Keeper(fleet, Flaky(fleet, FleetSettings()), every_s=0.01)
        keeper.start()
        assert made.wait(30)
        keeper.stop()
        assert self._days(fleet) == [pytest.approx(227.2)]
