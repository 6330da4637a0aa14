"""Questions over many nodes, answered from columns: lists, which are odd, sums for roll-ups."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, and_, case, func, literal, or_, select, tuple_
from sqlalchemy.orm import Session

from capacity.errors import BadInputError
from capacity.fleet.attention import ALARMING
from capacity.store.tables import NodeRow


class NodeSummary(NamedTuple):
    """A node as a line of a list."""

    site: str
    node_id: str
    hostname: str | None
    first_seen_at: datetime
    last_seen_at: datetime
    profiles: int
    pending_since: datetime | None
    cpu_key: str | None
    arch: str | None
    logical_cpus: int | None
    granted_cores: float | None
    hs23_per_core: float | None
    hs23_granted: float | None
    sigma: float | None
    method: str | None
    provisional: bool | None
    calibration_version: str | None
    usable: bool | None
    unusable_reason: str | None
    findings: int
    gpus: dict[str, int] | None


class NodeFilter(NamedTuple):
    """Which nodes; None = does not matter."""

    site: str | None = None
    cpu_key: str | None = None
    method: str | None = None
    usable: bool | None = None
    seen_after: datetime | None = None
    seen_before: datetime | None = None
    with_findings: bool | None = None


_EVERY_NODE = NodeFilter()
_COLUMNS = tuple(getattr(NodeRow, name) for name in NodeSummary._fields)

# What a list may be sorted by; what is not known comes last, whichever way round.
SORTS: dict[str, tuple[Any, bool]] = {
    "site": (NodeRow.site, False),
    "last_seen_at": (NodeRow.last_seen_at, True),
    "cpu_key": (func.coalesce(NodeRow.cpu_key, "￿"), False),
    "hs23_per_core": (func.coalesce(NodeRow.hs23_per_core, 0.0), True),
    "hs23_granted": (func.coalesce(NodeRow.hs23_granted, 0.0), True),
    "granted_cores": (func.coalesce(NodeRow.granted_cores, 0.0), True),
    "findings": (NodeRow.findings, True),
}
"""Name → column, and whether the greatest comes first."""


def summaries(
    session: Session,
    which: NodeFilter = _EVERY_NODE,
    sort: str = "site",
    after: tuple[str, str] | None = None,
    limit: int = 100,
) -> list[NodeSummary]:
    """One page of nodes.

    Args:
        session: the transaction.
        which: the nodes that are wanted.
        sort: a key of `SORTS`.
        after: site and node id of the last line of the page before.
        limit: most lines.

    Raises:
        BadInputError: no such order.
    """
    if sort not in SORTS:
        raise BadInputError(f"nodes cannot be sorted by {sort[:40]!r}: use {', '.join(SORTS)}")
    column, descending = SORTS[sort]
    statement = select(*_COLUMNS).where(*_conditions(which))
    if after is not None:
        statement = statement.where(_beyond(column, descending=descending, after=after))
    order = column.desc() if descending else column.asc()
    found = session.execute(statement.order_by(order, NodeRow.site, NodeRow.node_id).limit(limit))
    return [NodeSummary(*row) for row in found]


def _beyond(column: Any, *, descending: bool, after: tuple[str, str]) -> ColumnElement[bool]:  # noqa: ANN401
    site, node_id = after
    value = select(column).where(NodeRow.site == site, NodeRow.node_id == node_id).scalar_subquery()
    later = or_(NodeRow.site > site, and_(NodeRow.site == site, NodeRow.node_id > node_id))
    return or_(column < value if descending else column > value, and_(column == value, later))


def _conditions(which: NodeFilter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    for name in ("site", "cpu_key", "method", "usable"):
        wanted = getattr(which, name)
        if wanted is not None:
            found.append(getattr(NodeRow, name) == wanted)
    if which.seen_after is not None:
        found.append(NodeRow.last_seen_at >= which.seen_after)
    if which.seen_before is not None:
        found.append(NodeRow.last_seen_at < which.seen_before)
    if which.with_findings is not None:
        found.append(NodeRow.findings > 0 if which.with_findings else NodeRow.findings == 0)
    return found


def summary(session: Session, site: str, node_id: str) -> NodeSummary | None:
    """The line of one node."""
    found = session.execute(
        select(*_COLUMNS).where(NodeRow.site == site, NodeRow.node_id == node_id)
    ).one_or_none()
    return NodeSummary(*found) if found else None


class OddNode(NamedTuple):
    """A node that somebody should look at, with the worst of its findings (`Finding` as JSON)."""

    site: str
    node_id: str
    hostname: str | None
    worst: dict[str, Any]


def odd(session: Session, fresh_after: datetime, limit: int) -> list[OddNode]:
    """Fresh nodes with an alarming finding: the most severe first, of equals the greatest."""
    # First which, by the index and short columns; only of those few what is said of them.
    few = (
        select(NodeRow.site, NodeRow.node_id)
        .where(NodeRow.severity >= ALARMING, NodeRow.last_seen_at >= fresh_after)
        .order_by(
            NodeRow.severity.desc(), NodeRow.hs23_granted.desc().nulls_last(), NodeRow.site, NodeRow.node_id
        )
        .limit(limit)
    )
    keys = [(site, node_id) for site, node_id in session.execute(few)]
    told = session.execute(
        select(NodeRow.site, NodeRow.node_id, NodeRow.hostname, NodeRow.worst).where(
            tuple_(NodeRow.site, NodeRow.node_id).in_(keys), NodeRow.worst.is_not(None)
        )
    )
    found = [OddNode(*row) for row in told]
    return sorted(found, key=lambda one: keys.index((one.site, one.node_id)))


class SiteTotals(NamedTuple):
    """Sums over those nodes of one site that are alike in what a roll-up keeps apart.

    `hs23_sigma` and `hs23_sigma_squared` are Σ(score·sigma) and Σ(score·sigma)²: the spread of the sum if the errors
    of all nodes are one error, and the square of the spread if they are independent.
    """

    site: str
    fresh: bool
    usable: bool | None
    unusable_reason: str | None
    method: str | None
    provisional: bool | None
    calibration_version: str | None
    cpu_key: str | None
    nodes: int
    pending_nodes: int
    granted_cores: float
    hs23: float
    hs23_sigma: float
    hs23_sigma_squared: float
    last_seen_at: datetime


def site_totals(session: Session, fresh_after: datetime, site: str | None = None) -> list[SiteTotals]:
    """Sums of all sites, or of one, in order of site."""
    fresh = case((NodeRow.last_seen_at >= fresh_after, 1), else_=0)
    spread = NodeRow.hs23_granted * NodeRow.sigma
    keys = (
        NodeRow.site,
        fresh,
        NodeRow.usable,
        NodeRow.unusable_reason,
        NodeRow.method,
        NodeRow.provisional,
        NodeRow.calibration_version,
        NodeRow.cpu_key,
    )
    statement = select(
        NodeRow.site,
        fresh.label("fresh"),
        *keys[2:],
        func.count(literal(1)),
        func.count(NodeRow.pending_since),
        func.coalesce(func.sum(NodeRow.granted_cores), 0.0),
        func.coalesce(func.sum(NodeRow.hs23_granted), 0.0),
        func.coalesce(func.sum(spread), 0.0),
        func.coalesce(func.sum(spread * spread), 0.0),
        func.max(NodeRow.last_seen_at),
    ).group_by(NodeRow.site, "fresh", *keys[2:])
    if site is not None:
        statement = statement.where(NodeRow.site == site)
    found = session.execute(statement.order_by(NodeRow.site))
    return [SiteTotals(row[0], bool(row[1]), *row[2:]) for row in found]


def site_gpus(session: Session, fresh_after: datetime, site: str | None = None) -> dict[str, dict[str, int]]:
    """Granted GPUs of fresh nodes: site → device → number."""
    statement = (
        select(NodeRow.site, NodeRow.gpus, func.count(literal(1)))
        .where(NodeRow.gpus.is_not(None), NodeRow.last_seen_at >= fresh_after)
        .group_by(NodeRow.site, NodeRow.gpus)
    )
    if site is not None:
        statement = statement.where(NodeRow.site == site)
    found: dict[str, Counter[str]] = {}
    for name, gpus, nodes in session.execute(statement):
        inventory = found.setdefault(name, Counter())
        for device, number in gpus.items():
            inventory[device] += number * nodes
    return {name: dict(inventory) for name, inventory in sorted(found.items())}
