"""What a site's page asks beside its list of nodes: failing checks of some nodes, capacity by day."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Interval, Select, Subquery, and_, func, literal, or_, select, tuple_
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
    """Failing checks (`CheckView` as JSON) of the latest look at some nodes.

    Args:
        session: the transaction.
        keys: site and node id of each.
    """
    found = session.execute(
        select(NodeRow.node_id, NodeRow.checks)
        .where(tuple_(NodeRow.site, NodeRow.node_id).in_(keys), NodeRow.state.is_not(None))
        .order_by(NodeRow.site, NodeRow.node_id)
    )
    return [NodeChecks(node_id, tuple(checks or ())) for node_id, checks in found]


def by_day(session: Session, site: str, since: date, stale_after: timedelta, now: datetime) -> list[DaySum]:
    """Capacity of a site at the end of each day on which it changed, from `since` on, oldest first.

    A figure holds until a newer one of its node, or until the node was not seen for `stale_after`. What was before
    `since` is in the first day's sum.
    """
    stale_before = now - stale_after
    later = _moment(session, EstimateRow.at) < _later(session, stale_after)
    # Whether a figure came too late is asked only of nodes that are stale: in most sites, of few.
    steps = _steps(session, site, or_(NodeRow.last_seen_at >= stale_before, later))
    left = _steps(session, site, and_(NodeRow.last_seen_at < stale_before, later))
    changes: dict[date, list[float]] = defaultdict(lambda: [0, 0.0])
    for day, nodes, hs23 in session.execute(_added(steps, steps.c.day)):
        changes[max(_date(day), since)][0] += nodes
        changes[max(_date(day), since)][1] += hs23
    # What a node's steps add up to is its figure when it was seen last.
    for day, nodes, hs23 in session.execute(_added(left, left.c.seen_day)):
        left_on = max(_date(day) + stale_after, since)
        changes[left_on][0] -= nodes
        changes[left_on][1] -= hs23
    sums: list[DaySum] = []
    nodes, hs23 = 0, 0.0
    for day in sorted(changes):
        nodes += int(changes[day][0])
        hs23 += changes[day][1]
        sums.append(DaySum(day, nodes, max(hs23, 0.0)))
    return sums


def _steps(session: Session, site: str, which: ColumnElement[bool]) -> Subquery:
    """By how much each figure of a node differs from the one before."""
    worth = func.coalesce(EstimateRow.hs23_granted, 0.0)
    before = func.lag(worth).over(partition_by=EstimateRow.node_id, order_by=(EstimateRow.at, EstimateRow.id))
    return (
        select(
            _day(session, EstimateRow.at).label("day"),
            _day(session, NodeRow.last_seen_at).label("seen_day"),
            (worth - func.coalesce(before, 0.0)).label("step"),
            (func.coalesce(before, -1.0) < 0).label("first"),
        )
        .join(NodeRow, and_(NodeRow.site == EstimateRow.site, NodeRow.node_id == EstimateRow.node_id))
        .where(EstimateRow.site == site, which)
        .subquery()
    )


def _added(steps: Subquery, day: ColumnElement[Any]) -> Select[Any]:
    """By day: how many nodes, and their steps together."""
    return select(day, func.count().filter(steps.c.first), func.sum(steps.c.step)).group_by(day)


def _later(session: Session, stale_after: timedelta) -> ColumnElement[Any]:
    """When a node that is not seen any more is stale."""
    if session.get_bind().dialect.name == "postgresql":
        return NodeRow.last_seen_at + literal(stale_after, Interval())
    return func.julianday(NodeRow.last_seen_at) + stale_after / timedelta(days=1)


def _moment(session: Session, column: Any) -> ColumnElement[Any]:  # noqa: ANN401 - a mapped column
    """A moment as `_later` is told in."""
    if session.get_bind().dialect.name == "postgresql":
        moment: ColumnElement[Any] = column
        return moment
    return func.julianday(column)


def _day(session: Session, column: Any) -> ColumnElement[Any]:  # noqa: ANN401 - a mapped column
    """The UTC day of a moment; SQLite keeps moments in UTC."""
    if session.get_bind().dialect.name == "postgresql":
        return func.date(func.timezone("UTC", column))
    return func.substr(
        column, 1, 10
    )  # of YYYY-MM-DD HH:MM:SS; func.date would take it apart and write it again


def _date(value: date | str) -> date:
    if isinstance(value, datetime):
        return value.astimezone(UTC).date()
    return value if isinstance(value, date) else date.fromisoformat(value)
