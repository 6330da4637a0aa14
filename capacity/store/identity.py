"""One machine is one node: slots and containers that see different ids of it are brought together by its boot key.

A node key is a name under which a machine was seen, its id or its boot key, and leads to the id it is kept under.
Writing the keys comes first in a transaction and locks them, so that two services that see one new machine at the
same moment agree on its node.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache
from typing import NamedTuple

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import ReturningInsert

from capacity.store.tables import EstimateRow, MeasurementRow, NodeKeyRow, NodeRow, ProfileRow
from capacity.store.upserts import dialect_of, insert_into, put_many

ID = "id"
BOOT = "boot"


class Seen(NamedTuple):
    """What a profile says of the identity of its machine."""

    site: str
    node_id: str
    boot_key: str | None
    seen_at: datetime


def canonical(session: Session, site: str, node_id: str) -> str:
    """The id that a node is kept under; its own if nobody has seen it."""
    found = session.scalar(
        select(NodeKeyRow.node_id).where(
            NodeKeyRow.site == site, NodeKeyRow.kind == ID, NodeKeyRow.key == node_id
        )
    )
    return found or node_id


def resolve(session: Session, seen: Sequence[Seen], now: datetime) -> list[str]:
    """The id that each machine is kept under, in order; nodes that turn out to be one machine are joined."""
    kept = _write_keys(session, seen)
    moved: dict[tuple[str, str], str] = {}
    for site, ids in _components(seen, kept):
        survivor = _join(session, site, ids, now)
        moved |= {(site, one): survivor for one in ids}
    found: list[str] = []
    for one in seen:
        node_id = kept[one.site, ID, one.node_id]
        found.append(moved.get((one.site, node_id), node_id))
    return found


def _write_keys(session: Session, seen: Sequence[Seen]) -> dict[tuple[str, str, str], str]:
    """Insert the keys that are new and lock those that are not; all with the id that they lead to."""
    rows: dict[tuple[str, str, str], Seen] = {}
    for one in seen:
        rows.setdefault((one.site, ID, one.node_id), one)
        if one.boot_key is not None:
            rows.setdefault((one.site, BOOT, one.boot_key), one)
    # Sorted: two transactions that lock the same keys do so in the same order and cannot block each other.
    found = put_many(
        session,
        _put_keys(dialect_of(session)),
        [
            {"site": site, "kind": kind, "key": key, "node_id": one.node_id, "seen_at": one.seen_at}
            for (site, kind, key), one in sorted(rows.items(), key=lambda item: item[0])
        ],
    )
    return {(site, kind, key): node_id for site, kind, key, node_id in found}


@cache
def _put_keys(dialect: str) -> ReturningInsert[str, str, str, str]:
    insert = insert_into(dialect, NodeKeyRow)
    return insert.on_conflict_do_update(
        index_elements=["site", "kind", "key"], set_={"seen_at": insert.excluded.seen_at}
    ).returning(NodeKeyRow.site, NodeKeyRow.kind, NodeKeyRow.key, NodeKeyRow.node_id)


def _components(
    seen: Iterable[Seen], kept: dict[tuple[str, str, str], str]
) -> Iterable[tuple[str, frozenset[str]]]:
    """Sets of ids that are one machine, each with its site; only those of more than one id."""
    group: dict[tuple[str, str], frozenset[str]] = {}
    for one in seen:
        if one.boot_key is None:
            continue
        by_id, by_boot = kept[one.site, ID, one.node_id], kept[one.site, BOOT, one.boot_key]
        if by_id != by_boot:
            union = group.get((one.site, by_id), frozenset({by_id})) | group.get(
                (one.site, by_boot), frozenset({by_boot})
            )
            group |= {(one.site, member): union for member in union}
    return sorted({(site, ids) for (site, _), ids in group.items()}, key=lambda item: (item[0], min(item[1])))


def _join(session: Session, site: str, ids: frozenset[str], now: datetime) -> str:
    """Make one node of several: the one that was seen first keeps its id and gets the profiles of all."""
    nodes = session.execute(
        select(NodeRow.node_id, NodeRow.first_seen_at, NodeRow.last_seen_at, NodeRow.profiles, NodeRow.newest)
        .where(NodeRow.site == site, NodeRow.node_id.in_(ids))
        .order_by(NodeRow.first_seen_at, NodeRow.node_id)
        .with_for_update()
    ).all()
    survivor: str = nodes[0].node_id if nodes else min(ids)
    losers = ids - {survivor}
    session.execute(
        update(NodeKeyRow)
        .where(NodeKeyRow.site == site, NodeKeyRow.node_id.in_(losers))
        .values(node_id=survivor)
    )
    if len(nodes) < 2:  # the others were never more than a key
        return survivor
    for table in (ProfileRow, EstimateRow, MeasurementRow):
        session.execute(
            update(table).where(table.site == site, table.node_id.in_(losers)).values(node_id=survivor)
        )
    session.execute(delete(NodeRow).where(NodeRow.site == site, NodeRow.node_id.in_(losers)))
    session.execute(
        update(NodeRow)
        .where(NodeRow.site == site, NodeRow.node_id == survivor)
        .values(
            last_seen_at=max(node.last_seen_at for node in nodes),
            profiles=sum(node.profiles for node in nodes),
            newest=max(node.newest for node in nodes),
            # What was derived from a part of the profiles is derived again, from all of them.
            state=None,
            absorbed=0,
            revision=NodeRow.revision + 1,
            claimed_until=None,
            pending_since=func.coalesce(NodeRow.pending_since, now),
        )
    )
    return survivor
