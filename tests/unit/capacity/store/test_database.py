"""The way to the database: which URLs are taken, what its faults are called, and that nothing waits for ever."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import IntegrityError, OperationalError

from capacity.errors import BadInputError, UnavailableError
from capacity.service.ingest import accept
from capacity.store import database as module
from capacity.store import failures, profiles
from capacity.store.database import SQLITE, Database
from tests.unit.capacity.documents import NOW, SUBMITTER, profile


@pytest.mark.parametrize(
    "url", ["", "nonsense", "sqlite://", "sqlite:///:memory:", "mysql://host/name", "://"]
)
def test_an_url_that_cannot_be_used_says_which_can(url: str) -> None:
    with pytest.raises(BadInputError, match="sqlite"):
        Database(url)


def test_the_password_is_never_shown() -> None:
    database = Database("postgresql://me:secret@127.0.0.1:1/name")

    assert "secret" not in database.shown
    with pytest.raises(UnavailableError) as caught:
        database.ping()
    assert "secret" not in str(caught.value)
    database.close()


def test_a_reading_transaction_does_not_write(database: Database) -> None:
    if database.dialect == SQLITE:
        pytest.skip("SQLite has no such transaction; what reads there holds no lock")
    with pytest.raises(UnavailableError, match="read-only"), database.reading() as session:
        session.execute(text("DELETE FROM profile"))


_INSERT = text("INSERT INTO archived (id, site, digest, path) VALUES ('a', 'b', 'c', 'd')")


def _insert_twice(database: Database) -> None:
    with database.session() as session:
        session.execute(_INSERT)
        session.execute(_INSERT)


def test_a_mistake_of_ours_is_not_called_unavailable_and_leaves_nothing(database: Database) -> None:
    with pytest.raises(IntegrityError):
        _insert_twice(database)

    with database.reading() as session:
        assert session.scalar(text("SELECT count(*) FROM archived")) == 0


def test_a_writer_that_waits_for_itself_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    database = Database(f"sqlite:///{tmp_path}/capacity.sqlite")
    database.upgrade()
    monkeypatch.setattr(module, "_BUSY_MS", 20)

    with database.session(), pytest.raises(UnavailableError, match="held the database"):
        accept(database, [profile()], SUBMITTER, NOW)

    assert accept(database, [profile()], SUBMITTER, NOW)[0].status == "stored"
    database.close()


def test_a_full_sqlite_says_so_and_keeps_what_was_acknowledged(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/capacity.sqlite")
    database.upgrade()
    database.close()

    def limit(connection: Any, _record: Any) -> None:
        connection.execute("PRAGMA max_page_count=100")

    event.listen(database.engine, "connect", limit)
    kept: list[str] = []

    def fill() -> None:
        for number in range(1000):
            (verdict,) = accept(database, [profile(of_later=f"{number}" * 2000)], SUBMITTER, NOW)
            kept.append(verdict.id or "")

    with pytest.raises(UnavailableError, match="has no room"):
        fill()

    with database.reading() as session:
        assert kept
        assert profiles.known(session, kept).keys() == set(kept)
    database.close()


class _PostgresError(Exception):
    def __init__(self, sqlstate: str, says: str) -> None:
        super().__init__(says)
        self.sqlstate = sqlstate


@pytest.mark.parametrize(
    ("sqlstate", "says"),
    [
        ("53100", "has no room"),
        ("57P01", "cannot be asked now"),
        ("08006", "cannot be asked now"),
        ("40P01", "cannot be asked now"),
        ("25006", "cannot be asked now"),
        ("42P01", "capacity db upgrade"),
    ],
)
def test_what_postgresql_says_becomes_one_sentence(sqlstate: str, says: str) -> None:
    told = failures.unavailable(OperationalError("SELECT 1", {}, _PostgresError(sqlstate, "it\nbroke")))

    assert told is not None
    assert says in str(told)
    assert "\n" not in str(told)
    assert told.retry_after_s > 0


def test_a_deadlock_is_tried_again(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, calls = profiles.add, []

    def in_the_way(*arguments: Any) -> Any:
        calls.append(arguments)
        if len(calls) < 3:
            raise OperationalError("INSERT", {}, _PostgresError("40P01", "deadlock detected"))
        return whole(*arguments)

    monkeypatch.setattr(profiles, "add", in_the_way)

    assert accept(database, [profile()], SUBMITTER, NOW)[0].status == "stored"
    assert len(calls) == 3
