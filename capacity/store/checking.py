"""Is the database whole? Every rule is one question to it, on either engine, and a sentence if the answer is no."""

from __future__ import annotations

from hashlib import blake2b

from sqlalchemy import and_, exists, func, literal, or_, select, text
from sqlalchemy.orm import Session

from capacity.store import migration
from capacity.store.database import SQLITE, Database
from capacity.store.packing import unpack
from capacity.store.tables import ArchivedRow, ArchiveRow, CalibrationRow, NodeKeyRow, NodeRow, ProfileRow


def complaints(database: Database, *, documents: bool = False) -> list[str]:
    """What is wrong, one sentence each; an empty list is good news.

    Args:
        database: which.
        documents: also unpack every document and compare it with its digest (1 ms each).

    Raises:
        UnavailableError: the database cannot be asked.
    """
    with database.reading() as session:
        version, newest = migration.current(session.connection()), migration.newest()
        if version != newest:
            there = f"is of version {version}" if version else "has no tables"
            return [f"the database {there}, this program needs {newest}: run `capacity db upgrade`"]
        found = _of_the_engine(session, database.dialect)
        found += _of_the_rules(session)
        if documents:
            found += _of_the_documents(session)
    return found


def _of_the_engine(session: Session, dialect: str) -> list[str]:
    if dialect == SQLITE:
        said = [str(row[0]) for row in session.execute(text("PRAGMA integrity_check(5)"))]
        damage = [] if said == ["ok"] else said
        damage += [
            f"a row of {row[0]} refers to nothing"
            for row in session.execute(text("PRAGMA foreign_key_check"))
        ]
        return [
            f"the file is damaged ({one[:150]}): stop the service and run `capacity db restore`"
            for one in damage
        ]
    unsafe = [
        name
        for name in ("fsync", "full_page_writes")
        if session.scalar(text("SELECT current_setting(:name)"), {"name": name}) == "off"
    ]
    return [
        f"the server runs with {name} = off: what was acknowledged can be lost when it loses power; set it to on"
        for name in unsafe
    ]


def _of_the_rules(session: Session) -> list[str]:
    node = and_(NodeRow.site == ProfileRow.site, NodeRow.node_id == ProfileRow.node_id)
    latest = (
        select(ProfileRow.site, ProfileRow.node_id, func.max(ProfileRow.sequence).label("sequence"))
        .group_by(ProfileRow.site, ProfileRow.node_id)
        .subquery()
    )
    rules = {
        "profiles belong to no node": select(ProfileRow.id).where(~exists().where(node)),
        "profiles are in the archive and in the database": select(ProfileRow.id).where(
            exists().where(ArchivedRow.id == ProfileRow.id)
        ),
        "nodes do not know their latest profile, or wait for none though it is new": (
            select(NodeRow.node_id)
            .join(latest, and_(NodeRow.site == latest.c.site, NodeRow.node_id == latest.c.node_id))
            .where(
                or_(
                    NodeRow.newest < latest.c.sequence,
                    and_(NodeRow.absorbed < latest.c.sequence, NodeRow.pending_since.is_(None)),
                )
            )
        ),
        "nodes are not kept under the id that their key leads to": select(NodeRow.node_id).where(
            ~exists().where(
                NodeKeyRow.site == NodeRow.site,
                NodeKeyRow.kind == "id",
                NodeKeyRow.key == NodeRow.node_id,
                NodeKeyRow.node_id == NodeRow.node_id,
            )
        ),
        "archived profiles are in a file that is not recorded": select(ArchivedRow.id).where(
            ~exists().where(ArchiveRow.path == ArchivedRow.path)
        ),
    }
    found = [
        f"{number} {what}: report it, with a copy of the database"
        for what, rows in rules.items()
        if (number := _count(session, rows.subquery()))
    ]
    counted = session.scalar(select(func.coalesce(func.sum(NodeRow.profiles), 0)))
    kept = _count(session, ProfileRow) + _count(session, ArchivedRow)
    if counted != kept:
        found.append(
            f"nodes count {counted} profiles, but {kept} are kept: report it, with a copy of the database"
        )
    if _count(session, select(CalibrationRow.version).where(CalibrationRow.active).subquery()) > 1:
        found.append("more than one calibration is active: activate one again")
    return found


def _count(session: Session, of: object) -> int:
    return session.scalar(select(func.count(literal(1))).select_from(of)) or 0  # type: ignore[arg-type]


def _of_the_documents(session: Session) -> list[str]:
    rows = session.execute(
        select(
            ProfileRow.id, ProfileRow.document, ProfileRow.size_bytes, ProfileRow.digest
        ).execution_options(yield_per=200)
    )
    found: list[str] = []
    for one, packed, size_bytes, digest in rows:
        try:
            whole = blake2b(unpack(packed, size_bytes), digest_size=16).hexdigest() == digest
        except OSError:
            whole = False
        if not whole:
            found.append(f"profile {one} is not what was received: restore the database from a backup")
    return found
