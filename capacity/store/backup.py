"""Copies of the database: SQLite's by its own backup, which readers and writers do not notice; PostgreSQL's by pg_dump."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import tempfile
from contextlib import closing
from pathlib import Path

from sqlalchemy import inspect

from capacity.errors import BadInputError, ConflictError, UnavailableError
from capacity.store import migration, profiles
from capacity.store.database import SQLITE, Database

_PAGES_AT_A_TIME = 1000
_PROGRAM_S = 24 * 3600


def backup(database: Database, target: Path) -> None:
    """Write a copy to a file that does not exist yet; the service may go on meanwhile.

    Raises:
        ConflictError: the file exists.
        BadInputError: it cannot be written, or the program for it is not installed.
        UnavailableError: the database cannot be asked.
    """
    if target.exists():
        raise ConflictError(f"{target}: exists; a backup never writes over another one: name a new file")
    try:
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    except OSError as error:
        raise BadInputError(
            f"{target.parent}: {error.strerror}: name a folder that may be written"
        ) from error
    unfinished = Path(name)
    try:
        os.close(handle)
        if database.dialect == SQLITE:
            _copy_sqlite(_file(database), unfinished, journal="DELETE")  # a copy is one file
        else:
            _run("pg_dump", database, "--format=custom", f"--file={unfinished}")
        with unfinished.open("rb") as file:
            os.fsync(file.fileno())
        os.link(unfinished, target)  # unlike a rename, it never replaces what came there meanwhile
    except FileExistsError:
        raise ConflictError(f"{target}: exists; a backup never writes over another one") from None
    except OSError as error:
        raise UnavailableError(f"{target}: {error.strerror}: there is no backup; make room") from error
    finally:
        unfinished.unlink(missing_ok=True)


def restore(database: Database, source: Path, *, replace: bool = False) -> None:
    """Put a backup into the database, all or nothing.

    Args:
        database: where to; no service may run on it.
        source: a file that `backup` wrote.
        replace: even if there are profiles in it, which are then gone.

    Raises:
        BadInputError: there is no such file, it is no backup, or a program is not installed.
        ConflictError: the database holds profiles and `replace` is not set.
        UnavailableError: the database cannot be asked.
    """
    if not source.is_file():
        raise BadInputError(f"{source}: there is no such file")
    if not replace and _holds_profiles(database):
        raise ConflictError(
            "the database holds profiles: give --replace to have them gone, or name an empty one"
        )
    if database.dialect == SQLITE:
        _verify_sqlite(source)
        _copy_sqlite(source, _file(database), journal="WAL")
    else:
        with source.open("rb") as file:
            if file.read(5) != b"PGDMP":
                raise BadInputError(f"{source}: is not a backup of PostgreSQL by `capacity db backup`")
        options = ("--clean", "--if-exists", "--no-owner", "--single-transaction", "--exit-on-error")
        _run("pg_restore", database, *options, str(source))
    database.engine.dispose()


def _holds_profiles(database: Database) -> bool:
    with database.reading() as session:
        if migration.current(session.connection()) is None:
            return bool(inspect(session.connection()).get_table_names())
        return profiles.count(session) > 0


def _file(database: Database) -> Path:
    assert database.path is not None
    return database.path


def _verify_sqlite(source: Path) -> None:
    try:
        with closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            said = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
            connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.Error as error:
        raise BadInputError(f"{source}: is not a backup of this service ({error})") from error
    if said != "ok":
        raise BadInputError(f"{source}: is damaged ({said[:150]}): take another backup")


def _copy_sqlite(source: Path, target: Path, *, journal: str) -> None:
    try:
        with (
            closing(sqlite3.connect(source, timeout=10)) as old,
            closing(sqlite3.connect(target, timeout=10)) as new,
        ):
            old.backup(new, pages=_PAGES_AT_A_TIME)
            new.execute(f"PRAGMA journal_mode={journal}").fetchone()
    except sqlite3.Error as error:
        raise UnavailableError(f"{target}: could not be copied from {source} ({error})") from error


def _run(program: str, database: Database, *options: str) -> None:
    path = shutil.which(program)
    if path is None:
        raise BadInputError(
            f"{program} is not installed here: install PostgreSQL's client programs, or run it where they are"
        )
    arguments = {
        **database.url.translate_connect_args(database="dbname", username="user"),
        **database.url.query,
    }
    # A password on the command line could be read by everybody on the machine.
    password = arguments.pop("password", None)
    environment = {**os.environ, **({"PGPASSWORD": str(password)} if password else {})}
    from psycopg.conninfo import make_conninfo  # noqa: PLC0415 - only with the extra postgres

    where = make_conninfo("", **arguments)
    done = subprocess.run(  # noqa: S603 - a program of PostgreSQL, without a shell
        [path, "--no-password", f"--dbname={where}", *options],
        check=False,
        capture_output=True,
        text=True,
        env=environment,
        timeout=_PROGRAM_S,
    )
    if done.returncode:
        said = " ".join(done.stderr.split())[-300:]
        raise UnavailableError(f"{program} ended with status {done.returncode}: {said}")
