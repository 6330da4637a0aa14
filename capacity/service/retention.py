"""Old profiles leave the database for the archive. A file is on the disk, and was read back, before a row is deleted.

The file's digest is written down in the transaction that deletes the rows. A crash before it leaves a file that counts
for nothing, and the next run takes it away; a crash after it leaves nothing undone.
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from capacity import archive
from capacity.errors import ConflictError
from capacity.store import archive as records
from capacity.store import profiles
from capacity.store.archive import ArchiveFile
from capacity.store.database import Database

ROWS_OF_A_FILE = 5000
BYTES_OF_A_FILE = 64 * 1024 * 1024
"""Bounds on one file, before compression: what is held in memory at a time."""

_LOCK = ".lock"
_ASIDE = "unrecorded"


class Moved(NamedTuple):
    """What one run did.

    Attributes:
        files: Parquet files written.
        profiles: profiles that are in them.
        set_aside: files that the database did not know and that hold profiles which it does not have; they were moved
            to the folder "unrecorded" of the archive.
    """

    files: int
    profiles: int
    set_aside: tuple[str, ...]


def move_old(database: Database, folder: Path, keep_days: int, now: datetime) -> Moved:
    """Move what was received more than `keep_days` whole days ago (UTC) into the archive.

    Profiles that are not yet in the state of their node stay.

    Raises:
        ArchiveError: the folder cannot be written; nothing is lost.
        ConflictError: another run is at work.
        UnavailableError: the database cannot be asked; nothing is lost.
    """
    before = now.astimezone(UTC).date() - timedelta(days=keep_days)
    with _alone(folder):
        set_aside = _sweep(database, folder)
        with database.reading() as session:
            due = records.due(session, before)
        files = moved = 0
        for group in due:
            while rows := _move_some(database, folder, group, now):
                files += 1
                moved += rows
    return Moved(files, moved, set_aside)


def _move_some(database: Database, folder: Path, group: records.Due, now: datetime) -> int:
    with database.reading() as session:
        rows = records.outgoing(session, group.day, group.site, ROWS_OF_A_FILE, BYTES_OF_A_FILE)
    if not rows:
        return 0
    path = archive.path_of(group.day, group.site, rows[0].sequence, rows[-1].sequence)
    digest = archive.write(folder, path, rows)
    with database.session() as session:
        file = ArchiveFile(path, group.day, group.site, len(rows), digest, now)
        records.move(session, file, [row.sequence for row in rows])
    return len(rows)


def _sweep(database: Database, folder: Path) -> tuple[str, ...]:
    """Take away what an earlier run left when it was killed; give the paths of what was set aside."""
    for left in archive.unfinished(folder):
        left.unlink()
    set_aside: list[str] = []
    for path in unrecorded(database, folder):
        ids = [line.id for line in archive.read(folder / path)]
        with database.reading() as session:
            there = sum(
                len(profiles.known(session, ids[start : start + ROWS_OF_A_FILE]))
                for start in range(0, len(ids), ROWS_OF_A_FILE)
            )
        if there == len(ids):
            (folder / path).unlink()
            continue
        # The database may be an older one that was restored: only a person can tell.
        aside = folder / _ASIDE / path.replace("/", ",")
        aside.parent.mkdir(exist_ok=True)
        (folder / path).replace(aside)
        set_aside.append(aside.relative_to(folder).as_posix())
    return tuple(set_aside)


def unrecorded(database: Database, folder: Path) -> list[str]:
    """Files of the archive that the database does not know, by path within it."""
    with database.reading() as session:
        return [path for path in archive.files(folder) if not records.is_recorded(session, path)]


def complaints(database: Database, folder: Path) -> list[str]:
    """What is wrong with the archive, one sentence each: files missing, changed or unknown."""
    with database.reading() as session:
        files = list(records.files(session))
    found: list[str] = []
    for file in files:
        path = folder / file.path
        if not path.is_file():
            found.append(
                f"{path}: {file.rows} profiles are not where they were archived: restore the file from a backup"
            )
        elif archive.digest_of(path) != file.digest:
            found.append(f"{path}: was changed since it was written: restore the file from a backup")
    found += [
        f"{folder / path}: is not known to the database: the next `capacity db archive` takes it out"
        for path in unrecorded(database, folder)
    ]
    return found


def document(database: Database, folder: Path, profile_id: str) -> bytes | None:
    """A profile as it was received, wherever it is kept; None if it never came.

    Raises:
        ArchiveError: its file cannot be read.
        UnavailableError: the database cannot be asked.
    """
    with database.reading() as session:
        found = profiles.document(session, profile_id)
        path = records.place_of(session, profile_id) if found is None else None
    return archive.find(folder / path, profile_id) if path is not None else found


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = (folder / _LOCK).open("a")
    except OSError as error:
        raise archive.ArchiveError(
            f"{folder}: {error.strerror}: name a folder that may be written"
        ) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise ConflictError(f"{folder}: another run is archiving now: wait until it has ended") from None
        yield
