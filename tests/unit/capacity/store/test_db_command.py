"""`capacity db`: what it prints, and its exit codes."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from capacity.cli.db import db
from capacity.service.ingest import accept
from capacity.store import migration, profiles
from capacity.store.database import Database
from tests.unit.capacity.documents import SUBMITTER, profile
from tests.unit.capacity.store.test_retention import _absorb


@pytest.fixture(autouse=True)
def _home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))


def _run(*arguments: object) -> Result:
    return CliRunner().invoke(db, [str(one) for one in arguments])


def _store(tmp_path: Path) -> Database:
    return Database(f"sqlite:///{tmp_path}/data/sitecap/capacity.db")


def test_from_nothing_to_a_backup_and_back(tmp_path: Path) -> None:
    assert _run("check").exit_code == 1
    made = _run("upgrade")
    assert made.exit_code == 0
    assert f"version {migration.newest()}" in made.output
    assert _run("check").output == "all is well\n"
    store = _store(tmp_path)
    (verdict,) = accept(store, [profile()], SUBMITTER, datetime.now(UTC))
    assert verdict.id is not None

    assert _run("backup", tmp_path / "copy").exit_code == 0
    again = _run("backup", tmp_path / "copy")
    assert (again.exit_code, "exists" in again.output) == (1, True)
    refused = _run("restore", tmp_path / "copy")
    assert (refused.exit_code, "--replace" in refused.output) == (1, True)
    assert _run("restore", "--replace", tmp_path / "copy").exit_code == 0
    assert _run("restore", tmp_path / "nothing").exit_code == 2

    other = f"sqlite:///{tmp_path}/other.sqlite"
    assert _run("restore", tmp_path / "copy", "--database", other).exit_code == 0
    restored = Database(other)
    with restored.reading() as session:
        assert profiles.known(session, [verdict.id])
    restored.close()
    store.close()


def test_archive_says_what_it_moved(tmp_path: Path) -> None:
    _run("upgrade")
    store = _store(tmp_path)
    long_ago = datetime.now(UTC) - timedelta(days=200)
    accept(store, [profile(created_at=long_ago)], SUBMITTER, long_ago)
    _absorb(store)
    store.close()

    done = _run("archive", "--json")

    assert json.loads(done.output) == {"files": 1, "profiles": 1, "set_aside": []}
    assert "0 profiles moved" in _run("archive").output
    assert _run("check", "--documents", "--json").output == '{"complaints": []}\n'
    next((tmp_path / "data/sitecap/archive").glob("day=*/*/*.parquet")).unlink()
    damaged = _run("check")
    assert damaged.exit_code == 1
    assert "are not where they were archived" in damaged.output


def test_a_database_that_is_not_there_is_one_sentence() -> None:
    done = _run("check", "--database", "postgresql://nobody:secret@127.0.0.1:1/nothing")

    assert done.exit_code == 4
    assert done.output.startswith("capacity: the database cannot be asked now")
    assert "secret" not in done.output
    assert _run("check", "--database", "mysql://x/y").exit_code == 2
