"""What the database knows of the archive: which profiles may go, which went, and where they are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, delete, exists, func, insert, literal, select
from sqlalchemy.orm import Session

from capacity.errors import ConflictError
from capacity.fleet.received_profile import ReceivedProfile
from capacity.store.packing import unpack
from capacity.store.tables import ArchivedRow, ArchiveRow, NodeRow, ProfileRow


class ArchiveFile(NamedTuple):
    """A file that profiles were moved to."""

    path: str  # within the archive
    day: date
    site: str
    rows: int
    digest: str  # BLAKE2b-128 of the file
    written_at: datetime


class Due(NamedTuple):
    """Profiles of one day and site that may be archived."""

    day: date
    site: str
    rows: int


_FILE = tuple(getattr(ArchiveRow, name) for name in ArchiveFile._fields)


def due(session: Session, before: date) -> list[Due]:
    """What was received before a day and is in the state of its node, by day and site."""
    found = session.execute(
        select(ProfileRow.received_day, ProfileRow.site, func.count(literal(1)))
        .where(ProfileRow.received_day < before, _in_state())
        .group_by(ProfileRow.received_day, ProfileRow.site)
        .order_by(ProfileRow.received_day, ProfileRow.site)
    )
    return [Due(*row) for row in found]


def outgoing(session: Session, day: date, site: str, limit: int, most_bytes: int) -> list[ReceivedProfile]:
    """The first profiles of a day and site that may be archived, in order of arrival; at least one if there is any."""
    statement = select(
        ProfileRow.sequence,
        ProfileRow.id,
        ProfileRow.node_id,
        ProfileRow.created_at,
        ProfileRow.received_at,
        ProfileRow.seen_at,
        ProfileRow.submitter,
        ProfileRow.digest,
        ProfileRow.document,
        ProfileRow.size_bytes,
    ).where(ProfileRow.received_day == day, ProfileRow.site == site, _in_state())
    found: list[ReceivedProfile] = []
    total_bytes = 0
    with session.execute(
        statement.order_by(ProfileRow.sequence).limit(limit).execution_options(yield_per=100)
    ) as rows:
        for *columns, packed, size_bytes in rows:
            total_bytes += size_bytes
            if found and total_bytes > most_bytes:
                break
            found.append(ReceivedProfile._make((*columns, unpack(packed, size_bytes))))
    return found


def _in_state() -> ColumnElement[bool]:
    """What no refresher has read yet stays, however old it is."""
    return exists().where(
        NodeRow.site == ProfileRow.site,
        NodeRow.node_id == ProfileRow.node_id,
        NodeRow.absorbed >= ProfileRow.sequence,
    )


def move(session: Session, file: ArchiveFile, sequences: Sequence[int]) -> None:
    """Write down a file, and delete what it holds; both happen or neither.

    Raises:
        ConflictError: the profiles are not there any more: another service archived them.
    """
    first, last = min(sequences), max(sequences)
    these = (
        ProfileRow.received_day == file.day,
        ProfileRow.site == file.site,
        ProfileRow.sequence >= first,
        ProfileRow.sequence <= last,
        ProfileRow.sequence.in_(sequences),
    )
    copied = select(ProfileRow.id, ProfileRow.site, ProfileRow.digest, literal(file.path)).where(*these)
    session.execute(insert(ArchivedRow).from_select(["id", "site", "digest", "path"], copied))
    gone = session.scalars(delete(ProfileRow).where(*these).returning(ProfileRow.sequence)).all()
    if len(gone) != len(sequences):
        raise ConflictError(f"{file.path}: another service archives the same profiles: run one at a time")
    session.add(ArchiveRow(**file._asdict()))
    session.flush()


def place_of(session: Session, profile_id: str) -> str | None:
    """The file within the archive that holds a profile; None if it is not archived."""
    return session.scalar(select(ArchivedRow.path).where(ArchivedRow.id == profile_id))


def files(session: Session) -> Iterator[ArchiveFile]:
    """All files, oldest day first."""
    found = session.execute(select(*_FILE).order_by(ArchiveRow.day, ArchiveRow.site, ArchiveRow.path))
    return (ArchiveFile(*row) for row in found)


def is_recorded(session: Session, path: str) -> bool:
    """Whether a file counts."""
    return session.get(ArchiveRow, path) is not None
