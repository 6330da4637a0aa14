"""A copy of the database holds what was acknowledged, and brings it back."""

from __future__ import annotations

import shutil
import sqlite3
import threading
from pathlib import Path

import pytest

from capacity.errors import BadInputError, ConflictError, UnavailableError
from capacity.service.ingest import accept
from capacity.store import backup, checking, migration, profiles
from capacity.store.database import SQLITE, Database
from tests.unit.capacity.documents import NOW, SUBMITTER, node, profile


def _send(database: Database, number: int) -> list[str]:
    documents = [profile(node_id=node(index % 7)) for index in range(number)]
    return [verdict.id or "" for verdict in accept(database, documents, SUBMITTER, NOW)]


def _empty_like(database: Database, tmp_path: Path, request: pytest.FixtureRequest) -> Database:
    if database.dialect == SQLITE:
        return Database(f"sqlite:///{tmp_path}/other.sqlite")
    url: str = request.getfixturevalue("postgres").create()
    return Database(url)


def test_a_backup_brings_back_what_was_there(
    database: Database, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    ids = _send(database, 20)
    backup.backup(database, tmp_path / "copy")
    later = _send(database, 1)

    other = _empty_like(database, tmp_path, request)
    backup.restore(other, tmp_path / "copy")

    assert checking.complaints(other, documents=True) == []
    with other.reading() as session:
        assert profiles.known(session, ids).keys() == set(ids)
        assert profiles.known(session, later) == {}
    assert len(_send(other, 3)) == 3
    other.close()


def test_a_backup_taken_while_profiles_come_in_is_whole(
    database: Database, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    before = _send(database, 200)
    ends = threading.Event()

    def keep_sending() -> None:
        while not ends.is_set():
            _send(database, 5)

    sender = threading.Thread(target=keep_sending)
    sender.start()
    try:
        backup.backup(database, tmp_path / "copy")
    finally:
        ends.set()
        sender.join()

    other = _empty_like(database, tmp_path, request)
    backup.restore(other, tmp_path / "copy")
    assert checking.complaints(other, documents=True) == []
    with other.reading() as session:
        assert profiles.known(session, before).keys() == set(before)
    other.close()


def test_a_backup_writes_over_nothing(database: Database, tmp_path: Path) -> None:
    (tmp_path / "copy").write_text("precious")

    with pytest.raises(ConflictError, match="exists"):
        backup.backup(database, tmp_path / "copy")

    assert (tmp_path / "copy").read_text() == "precious"
    with pytest.raises(BadInputError, match="folder that may be written"):
        backup.backup(database, tmp_path / "nowhere" / "copy")
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".copy")]


def test_profiles_are_only_replaced_if_that_is_said(database: Database, tmp_path: Path) -> None:
    first = _send(database, 2)
    backup.backup(database, tmp_path / "copy")
    second = _send(database, 2)

    with pytest.raises(ConflictError, match="--replace"):
        backup.restore(database, tmp_path / "copy")
    with database.reading() as session:
        assert len(profiles.known(session, first + second)) == 4

    backup.restore(database, tmp_path / "copy", replace=True)
    with database.reading() as session:
        assert profiles.known(session, first + second).keys() == set(first)


def test_what_is_no_backup_changes_nothing(database: Database, tmp_path: Path) -> None:
    ids = _send(database, 1)
    junk = tmp_path / "junk"
    for content in (b"", b"junk", b"SQLite format 3\x00" + b"\x07" * 5000, b"PGDMP" + b"\x07" * 100):
        junk.write_bytes(content)
        with pytest.raises((BadInputError, UnavailableError)):
            backup.restore(database, junk, replace=True)
    with pytest.raises(BadInputError, match="no such file"):
        backup.restore(database, tmp_path / "nothing", replace=True)

    with database.reading() as session:
        assert profiles.known(session, ids).keys() == set(ids)
    assert checking.complaints(database) == []


def test_a_copy_of_another_programs_database_is_refused(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "other") as connection:
        connection.execute("CREATE TABLE something (x)")
    connection.close()
    database = Database(f"sqlite:///{tmp_path}/capacity.sqlite")

    with pytest.raises(BadInputError, match="not a backup of this service"):
        backup.restore(database, tmp_path / "other")
    database.close()


def test_without_the_programs_one_sentence_says_what_is_missing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    database = Database("postgresql://nobody:secret@127.0.0.1:1/nothing")

    with pytest.raises(BadInputError, match="pg_dump is not installed here") as caught:
        backup.backup(database, tmp_path / "copy")

    assert "secret" not in str(caught.value)
    assert not (tmp_path / "copy").exists()


def test_a_check_tells_what_is_wrong(database: Database) -> None:
    from sqlalchemy import delete, update

    from capacity.store.tables import NodeKeyRow, NodeRow, ProfileRow

    ids = _send(database, 3)
    assert checking.complaints(database, documents=True) == []

    with database.session() as session:
        session.execute(update(ProfileRow).where(ProfileRow.id == ids[0]).values(document=b"\x00"))
        session.execute(update(ProfileRow).where(ProfileRow.id == ids[1]).values(node_id=node(99)))
        session.execute(
            update(NodeRow).where(NodeRow.node_id == node(2)).values(profiles=9, pending_since=None)
        )
        session.execute(delete(NodeKeyRow).where(NodeKeyRow.key == node(0)))
    said = "\n".join(checking.complaints(database, documents=True))

    assert f"profile {ids[0]} is not what was received" in said
    assert "1 profiles belong to no node" in said
    assert "nodes count 11 profiles, but 3 are kept" in said
    assert "1 nodes are not kept under the id" in said
    assert "wait for none" in said


def test_a_check_without_tables_says_what_to_do(database: Database) -> None:
    migration.downgrade(database, "base")

    assert checking.complaints(database) == [
        f"the database has no tables, this program needs {migration.newest()}: run `capacity db upgrade`"
    ]


def test_a_damaged_file_is_told_and_not_a_traceback(tmp_path: Path) -> None:
    path = tmp_path / "capacity.sqlite"
    database = Database(f"sqlite:///{path}")
    database.upgrade()
    _send(database, 300)
    database.close()
    content = bytearray(path.read_bytes())
    for start in range(8192, len(content) - 4096, 12288):
        content[start : start + 2048] = b"\xa5" * 2048
    path.write_bytes(content)

    try:
        said = " ".join(checking.complaints(database))
    except UnavailableError as error:
        said = str(error)

    assert "damaged" in said
    database.close()
