"""What the tests of faults in the store share: a PostgreSQL that may be harmed, and what a whole database is."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import text

from capacity.store import checking, profiles
from capacity.store.database import Database
from tests.lab import LabUnavailableError, skip_or_fail
from tests.lab.postgres import Server, running


def is_whole(database: Database, acknowledged: list[str]) -> None:
    """Nothing acknowledged is lost, nothing is there twice, and the store's own check finds nothing."""
    assert len(set(acknowledged)) == len(acknowledged)
    assert checking.complaints(database, documents=True) == []
    with database.reading() as session:
        assert profiles.known(session, acknowledged).keys() == set(acknowledged)
        found = session.execute(
            text("SELECT id, count(*) FROM profile GROUP BY id HAVING count(*) > 1")
        ).all()
    assert found == []


@contextlib.contextmanager
def own_server(where: Path | None = None) -> Iterator[Server]:
    """A PostgreSQL that nobody else uses, on the disk unless told otherwise."""
    try:
        with running(where=where) as server:
            yield server
    except LabUnavailableError as error:
        skip_or_fail(error)


def upgrade(url: str) -> None:
    """Make the tables."""
    database = Database(url)
    database.upgrade()
    database.close()
