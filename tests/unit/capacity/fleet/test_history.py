"""Capacity by day: a figure holds until a newer one, or until its node is gone."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from capacity.fleet.history import Point, daily
from capacity.fleet.model import FleetSettings
from capacity.fleet.staleness import fresh_after, is_stale

SETTINGS = FleetSettings(stale_after=timedelta(days=3))


def at(day: int, hour: int = 12) -> datetime:
    return datetime(2026, 11, day, hour, tzinfo=UTC)


def point(node: str, day: int, hs23: float, hour: int = 12) -> Point:
    return Point("T2_LV_Example", node, at(day, hour), hs23, hs23 / 10)


def series(points: list[Point], seen: dict[str, datetime]) -> list[float]:
    last_seen = {("T2_LV_Example", node): when for node, when in seen.items()}
    return [day.hs23 for day in daily(points, last_seen, date(2026, 11, 1), date(2026, 11, 8), SETTINGS)]


def test_a_figure_holds_until_a_newer_one() -> None:
    assert series([point("a", 2, 100), point("a", 5, 200)], {"a": at(8)}) == [
        0,
        100,
        100,
        100,
        200,
        200,
        200,
        200,
    ]


def test_a_node_that_is_not_seen_ends() -> None:
    assert series([point("a", 1, 100)], {"a": at(2)}) == [100, 100, 100, 100, 100, 0, 0, 0]
    assert series([point("a", 1, 100)], {}) == [100, 100, 100, 100, 0, 0, 0, 0]


def test_the_last_figure_of_a_day_counts_in_any_order() -> None:
    points = [point("a", 3, 300, hour=20), point("a", 3, 100, hour=1)]

    assert series(points, {"a": at(8)})[2:4] == [300, 300]


def test_nodes_add_up_and_what_was_before_is_seen() -> None:
    days = daily(
        [point("a", 1, 100), point("b", 2, 50)],
        {("T2_LV_Example", "a"): at(8), ("T2_LV_Example", "b"): at(8)},
        date(2026, 11, 2),
        date(2026, 11, 3),
        SETTINGS,
    )

    assert [(day.day, day.nodes, day.hs23, day.granted_cores) for day in days] == [
        (date(2026, 11, 2), 2, 150.0, 15.0),
        (date(2026, 11, 3), 2, 150.0, 15.0),
    ]


def test_an_empty_span_is_no_days() -> None:
    assert daily([point("a", 1, 100)], {}, date(2026, 11, 3), date(2026, 11, 2), SETTINGS) == []


def test_staleness_has_one_bound() -> None:
    now = at(8)
    bound = fresh_after(now, SETTINGS)

    assert is_stale(bound - timedelta(seconds=1), now, SETTINGS)
    assert not is_stale(bound, now, SETTINGS)
