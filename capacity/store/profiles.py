"""Profiles as they came: added once, found by id or by node."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any, Literal, NamedTuple

from sqlalchemy import ARRAY, CompoundSelect, Text, bindparam, case, func, literal, select, union_all
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import ReturningInsert

from capacity.store.identity import Seen, resolve
from capacity.store.packing import pack, unpack
from capacity.store.tables import ArchivedRow, NodeRow, ProfileRow
from capacity.store.upserts import dialect_of, insert_into, put_many

Outcome = Literal["stored", "duplicate", "conflict"]

_CHUNK = 500  # rows of one statement: SQLite takes 32,766 parameters


class NewProfile(NamedTuple):
    """A profile that was validated and may be kept."""

    id: str
    site: str
    node_id: str
    boot_key: str | None
    created_at: datetime
    received_at: datetime
    submitter: str
    digest: str
    size_bytes: int
    document: bytes  # packed

    @property
    def seen_at(self) -> datetime:
        """The earlier of written and received: neither a late delivery nor a clock in the future makes a node fresh."""
        return min(self.created_at, self.received_at)


class ProfileHead(NamedTuple):
    """What is known of a profile without reading it."""

    sequence: int
    id: str
    site: str
    node_id: str
    created_at: datetime
    received_at: datetime
    seen_at: datetime
    submitter: str
    size_bytes: int


class StoredProfile(NamedTuple):
    """A profile as it came."""

    sequence: int
    id: str
    seen_at: datetime
    document: bytes


def packed(document: bytes) -> bytes:
    """The form in which `NewProfile` carries a document."""
    return pack(document)


def add(session: Session, rows: Sequence[NewProfile]) -> list[Outcome]:
    """Keep what is new; one outcome a row, in order.

    What is asked here is asked of the connection: for rows as such, the way through the session takes twice as long.

    The same id with the same digest for the same site is a duplicate, and nothing changes; with anything else it is a
    conflict. Nodes are made or marked as pending.
    """
    outcomes: list[Outcome] = []
    for start in range(0, len(rows), _CHUNK):
        outcomes += _add(session, rows[start : start + _CHUNK])
    return outcomes


def _add(session: Session, rows: Sequence[NewProfile]) -> list[Outcome]:
    before = known(session, [row.id for row in rows])
    fresh: dict[str, NewProfile] = {}
    for row in rows:
        if row.id not in before:
            fresh.setdefault(row.id, row)
    stored = _insert(session, list(fresh.values())) if fresh else set()
    if len(stored) < len(fresh):  # another service was faster by a moment
        before |= known(session, [one for one in fresh if one not in stored])
    outcomes: list[Outcome] = []
    for row in rows:
        if row.id in stored:
            stored.discard(row.id)
            before[row.id] = (row.digest, row.site)
            outcomes.append("stored")
        else:
            outcomes.append("duplicate" if before.get(row.id) == (row.digest, row.site) else "conflict")
    return outcomes


def known(session: Session, ids: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Digest and site of those ids that were taken before, archived ones too."""
    found = session.connection().execute(_known(dialect_of(session)), {"ids": ids})
    return {one: (digest, site) for one, digest, site in found}


@cache
def _known(dialect: str) -> CompoundSelect[str, str, str]:
    # PostgreSQL takes all as one array: the same statement however many there are.
    some: Any = (
        bindparam("ids", expanding=True)
        if dialect == "sqlite"
        else func.any(bindparam("ids", type_=ARRAY(Text())))
    )
    return union_all(
        *(
            select(table.id, table.digest, table.site).where(
                table.id.in_(some) if dialect == "sqlite" else table.id == some
            )
            for table in (ProfileRow, ArchivedRow)
        )
    )


def _insert(session: Session, rows: Sequence[NewProfile]) -> set[str]:
    """Ids of those that were inserted."""
    now = max(row.received_at for row in rows)
    nodes = resolve(session, [Seen(row.site, row.node_id, row.boot_key, row.seen_at) for row in rows], now)
    found = put_many(
        session,
        _put_profiles(dialect_of(session)),
        [
            {
                "id": row.id,
                "site": row.site,
                "node_id": node_id,
                "created_at": row.created_at,
                "received_at": row.received_at,
                "seen_at": row.seen_at,
                "received_day": row.received_at.astimezone(UTC).date(),
                "submitter": row.submitter,
                "digest": row.digest,
                "size_bytes": row.size_bytes,
                "document": row.document,
            }
            for row, node_id in zip(rows, nodes, strict=True)
        ],
    )
    sequences = {row.id: row.sequence for row in found}
    arrivals: dict[tuple[str, str], _Arrivals] = {}
    for row, node_id in zip(rows, nodes, strict=True):
        if row.id in sequences:
            one = _Arrivals(row.seen_at, row.seen_at, 1, sequences[row.id])
            before = arrivals.get((row.site, node_id))
            arrivals[row.site, node_id] = one.with_earlier(before) if before else one
    _touch_nodes(session, arrivals, now)
    return set(sequences)


@cache
def _put_profiles(dialect: str) -> ReturningInsert[str, int]:
    insert = insert_into(dialect, ProfileRow).on_conflict_do_nothing(index_elements=["id"])
    return insert.returning(ProfileRow.id, ProfileRow.sequence)


class _Arrivals(NamedTuple):
    """What came for one node in one statement."""

    first_seen_at: datetime
    last_seen_at: datetime
    profiles: int
    newest: int

    def with_earlier(self, other: _Arrivals) -> _Arrivals:
        return _Arrivals(
            min(self.first_seen_at, other.first_seen_at),
            max(self.last_seen_at, other.last_seen_at),
            self.profiles + other.profiles,
            max(self.newest, other.newest),
        )


def _touch_nodes(session: Session, arrivals: Mapping[tuple[str, str], _Arrivals], now: datetime) -> None:
    """Count the profiles of each node and mark it as pending."""
    if not arrivals:
        return
    empty = {"absorbed": 0, "revision": 0, "findings": 0, "pending_since": now}
    put_many(
        session,
        _put_nodes(dialect_of(session)),
        [
            {"site": site, "node_id": node_id, **one._asdict(), **empty}
            for (site, node_id), one in sorted(arrivals.items())
        ],
    )


@cache
def _put_nodes(dialect: str) -> ReturningInsert[str]:
    insert = insert_into(dialect, NodeRow)
    new = insert.excluded
    return insert.on_conflict_do_update(
        index_elements=["site", "node_id"],
        set_={
            "profiles": NodeRow.profiles + new.profiles,
            "newest": case((new.newest > NodeRow.newest, new.newest), else_=NodeRow.newest),
            "first_seen_at": case(
                (new.first_seen_at < NodeRow.first_seen_at, new.first_seen_at), else_=NodeRow.first_seen_at
            ),
            # A moment after now was written when this service's clock stood wrong: it is not kept.
            "last_seen_at": case(
                (NodeRow.last_seen_at > new.pending_since, new.last_seen_at),
                (NodeRow.last_seen_at > new.last_seen_at, NodeRow.last_seen_at),
                else_=new.last_seen_at,
            ),
            "pending_since": func.coalesce(NodeRow.pending_since, new.pending_since),
        },
    ).returning(NodeRow.node_id)  # with it, SQLAlchemy writes many rows in one statement


def document(session: Session, profile_id: str) -> bytes | None:
    """A profile as it was received; None if there is none, or if it was archived (see `archive.place_of`)."""
    found = session.execute(
        select(ProfileRow.document, ProfileRow.size_bytes).where(ProfileRow.id == profile_id)
    ).one_or_none()
    return unpack(found.document, found.size_bytes) if found else None


def head(session: Session, profile_id: str) -> ProfileHead | None:
    """What is known of one profile that is not archived."""
    found = session.execute(select(*_HEAD).where(ProfileRow.id == profile_id)).one_or_none()
    return ProfileHead(*found) if found else None


_HEAD = (
    ProfileRow.sequence,
    ProfileRow.id,
    ProfileRow.site,
    ProfileRow.node_id,
    ProfileRow.created_at,
    ProfileRow.received_at,
    ProfileRow.seen_at,
    ProfileRow.submitter,
    ProfileRow.size_bytes,
)


def heads_of_node(
    session: Session, site: str, node_id: str, limit: int = 100, before: int | None = None
) -> list[ProfileHead]:
    """The latest profiles of a node, latest first; `before` is the sequence of the last one of the page before."""
    statement = select(*_HEAD).where(ProfileRow.site == site, ProfileRow.node_id == node_id)
    if before is not None:
        statement = statement.where(ProfileRow.sequence < before)
    found = session.execute(statement.order_by(ProfileRow.sequence.desc()).limit(limit))
    return [ProfileHead(*row) for row in found]


def documents_of_node(
    session: Session, site: str, node_id: str, after: int = 0, limit: int = 200
) -> list[StoredProfile]:
    """Profiles of a node that came after the sequence `after`, in order of arrival."""
    found = session.execute(
        select(
            ProfileRow.sequence,
            ProfileRow.id,
            ProfileRow.seen_at,
            ProfileRow.document,
            ProfileRow.size_bytes,
        )
        .where(ProfileRow.site == site, ProfileRow.node_id == node_id, ProfileRow.sequence > after)
        .order_by(ProfileRow.sequence)
        .limit(limit)
    )
    return [StoredProfile(row[0], row[1], row[2], unpack(row[3], row[4])) for row in found]


def count(session: Session) -> int:
    """Number of profiles that are not archived."""
    return session.scalar(select(func.count(literal(1))).select_from(ProfileRow)) or 0
