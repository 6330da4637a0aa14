"""Capacity by day has a table of its own; it begins with what the estimates of nodes tell of sites and of CMS."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from typing import Any

import sqlalchemy as sa
from alembic import op

from capacity.store.types import UtcDateTime

revision = "0003"
down_revision = "0002"

STALE_AFTER = timedelta(days=7)
"""As the settings have it unless somebody changed them; a migration cannot know."""
_AT_A_TIME = 5000

_ESTIMATE = sa.table(
    "estimate",
    sa.column("id", sa.BigInteger()),
    sa.column("site", sa.String()),
    sa.column("node_id", sa.String()),
    sa.column("at", UtcDateTime(timezone=True)),
    sa.column("hs23_granted", sa.Double()),
)
_NODE = sa.table(
    "node",
    sa.column("site", sa.String()),
    sa.column("node_id", sa.String()),
    sa.column("last_seen_at", UtcDateTime(timezone=True)),
)


def upgrade() -> None:
    """To this version. Intervals, federations and countries of the past are not known; they begin now."""
    made = op.create_table(
        "capacity_day",
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("nodes", sa.Integer(), nullable=False),
        sa.Column("granted_cores", sa.Double(), nullable=True),
        sa.Column("hs23", sa.Double(), nullable=False),
        sa.Column("low", sa.Double(), nullable=True),
        sa.Column("high", sa.Double(), nullable=True),
        sa.Column("hs23_usable", sa.Double(), nullable=True),
        sa.Column("pledge_hs23", sa.Double(), nullable=True),
        sa.Column("calibration_version", sa.String(length=40), nullable=True),
        sa.PrimaryKeyConstraint("kind", "name", "day", name="pk_capacity_day"),
    )
    now = datetime.now(UTC)
    everywhere: _Changes = defaultdict(lambda: [0, 0.0])
    rows: list[dict[str, Any]] = []
    for site, changes in _by_site(op.get_bind(), now.date()):
        rows += _rows("site", site, changes)
        for day, (nodes, hs23) in changes.items():
            everywhere[day][0] += nodes
            everywhere[day][1] += hs23
    rows += _rows("cms", "CMS", everywhere)
    if rows:
        op.bulk_insert(made, rows)


def downgrade() -> None:
    """Back from it."""
    op.drop_table("capacity_day")


_Changes = dict[date, list[float]]  # day → how many nodes more, and how much HS23


def _by_site(connection: sa.Connection, today: date) -> Iterator[tuple[str, _Changes]]:
    figures = connection.execute(
        sa.select(
            _ESTIMATE.c.site,
            _ESTIMATE.c.node_id,
            _ESTIMATE.c.at,
            _ESTIMATE.c.hs23_granted,
            _NODE.c.last_seen_at,
        )
        .join(_NODE, sa.and_(_NODE.c.site == _ESTIMATE.c.site, _NODE.c.node_id == _ESTIMATE.c.node_id))
        .order_by(_ESTIMATE.c.site, _ESTIMATE.c.node_id, _ESTIMATE.c.at, _ESTIMATE.c.id)
        # Of this statement only: options of the connection would be those of alembic's own as well.
        .execution_options(yield_per=_AT_A_TIME)
    )
    for site, of_site in groupby(figures, key=lambda row: row.site):
        changes: _Changes = defaultdict(lambda: [0, 0.0])
        for _, of_node in groupby(of_site, key=lambda row: row.node_id):
            _add(changes, of_node, today)
        yield site, changes


def _add(changes: _Changes, figures: Iterable[Any], today: date) -> None:
    """A figure holds until a newer one of its node, or until the node was not seen for a week."""
    worth: float | None = None
    left: datetime | None = None
    for row in figures:
        left = row.last_seen_at + STALE_AFTER
        if row.at >= left:
            continue
        changes[row.at.date()][0] += worth is None
        changes[row.at.date()][1] += (row.hs23_granted or 0.0) - (worth or 0.0)
        worth = row.hs23_granted or 0.0
    if worth is not None and left is not None and left.date() <= today:
        changes[left.date()][0] -= 1
        changes[left.date()][1] -= worth


def _rows(kind: str, name: str, changes: _Changes) -> Iterator[dict[str, Any]]:
    """Sums at the end of each day on which there was a change."""
    nodes, hs23 = 0, 0.0
    for day in sorted(changes):
        nodes += int(changes[day][0])
        hs23 += changes[day][1]
        yield {
            "kind": kind,
            "name": name,
            "day": day,
            "at": datetime(day.year, day.month, day.day, tzinfo=UTC),
            "nodes": nodes,
            "granted_cores": None,
            "hs23": max(hs23, 0.0),
            "low": None,
            "high": None,
            "hs23_usable": None,
            "pledge_hs23": None,
            "calibration_version": None,
        }
