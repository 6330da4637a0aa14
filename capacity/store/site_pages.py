"""What a site's page asks beside its list of nodes: failing checks of some nodes, capacity by day."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, func, literal, select, tuple_
from sqlalchemy.orm import Session

from capacity.store.tables import EstimateRow, NodeRow


class NodeChecks(NamedTuple):
    """Failing checks of one node, as its latest look found them."""

    node_id: str
    checks: tuple[dict[str, Any], ...]


class DaySum(NamedTuple):
    """What the nodes of a site were said to be worth at the end of a day, UTC."""

    day: date
    nodes: int
    hs23: float


def latest_checks(session: Session, keys: Sequence[tuple[str, str]]) -> list[NodeChecks]:
    """Failing checks (`CheckView` as JSON) of the latest look at some nodes; of the state only these are read.

    Args:
        session: the transaction.
        keys: site and node id of each.
    """
    found = session.execute(
        select(NodeRow.node_id, NodeRow.state["slots"][0]["checks"])
        .where(tuple_(NodeRow.site, NodeRow.node_id).in_(keys), NodeRow.state.is_not(None))
        .order_by(NodeRow.site, NodeRow.node_id)
    )
    return [NodeChecks(node_id, tuple(checks or ())) for node_id, checks in found]


def by_day(session: Session, site: str, since: date, stale_after: timedelta, now: datetime) -> list[DaySum]:
    """Capacity of a site at the end of each day on which it changed, from `since` on, oldest first.

    A figure holds until a newer one of its node, or until the node was not seen for `stale_after`. What was before
    `since` is in the first day's sum.
    """
    changes: dict[date, list[float]] = defaultdict(lambda: [0, 0.0])
    for day, nodes, hs23 in _changes(session, site):
        changes[max(_date(day), since)][0] += nodes
        changes[max(_date(day), since)][1] += hs23
    for day, nodes, hs23 in _departures(session, site, now - stale_after):
        gone = max(_date(day) + stale_after, since)
        changes[gone][0] -= nodes
        changes[gone][1] -= hs23
    sums: list[DaySum] = []
    nodes, hs23 = 0, 0.0
    for day in sorted(changes):
        nodes += int(changes[day][0])
        hs23 += changes[day][1]
        sums.append(DaySum(day, nodes, max(hs23, 0.0)))
    return sums


def _changes(session: Session, site: str) -> list[tuple[Any, int, float]]:
    """By day: nodes that got their first figure, and by how much all figures together changed."""
    worth = func.coalesce(EstimateRow.hs23_granted, 0.0)
    before = func.lag(worth).over(partition_by=EstimateRow.node_id, order_by=(EstimateRow.at, EstimateRow.id))
    steps = (
        select(
            _day(session, EstimateRow.at).label("day"),
            (worth - func.coalesce(before, 0.0)).label("step"),
            (func.coalesce(before, -1.0) < 0).label("first"),
        )
        .where(EstimateRow.site == site)
        .subquery()
    )
    found = session.execute(
        select(steps.c.day, func.count().filter(steps.c.first), func.sum(steps.c.step)).group_by(steps.c.day)
    )
    return [(row[0], row[1], row[2]) for row in found]


def _departures(session: Session, site: str, fresh_after: datetime) -> list[tuple[Any, int, float]]:
    """By day on which they were seen last: nodes that are stale now, and their figures."""
    day = _day(session, NodeRow.last_seen_at)
    found = session.execute(
        select(day, func.count(literal(1)), func.sum(func.coalesce(NodeRow.hs23_granted, 0.0)))
        .where(NodeRow.site == site, NodeRow.last_seen_at < fresh_after, NodeRow.method.is_not(None))
        .group_by(day)
    )
    return [(row[0], row[1], row[2]) for row in found]


def _day(session: Session, column: Any) -> ColumnElement[Any]:  # noqa: ANN401 - a mapped column
    """The UTC day of a moment; SQLite keeps moments in UTC."""
    if session.get_bind().dialect.name == "postgresql":
        return func.date(func.timezone("UTC", column))
    return func.date(column)


def _date(value: date | str) -> date:
    if isinstance(value, datetime):
        return value.astimezone(UTC).date()
    return value if isinstance(value, date) else date.fromisoformat(value)
