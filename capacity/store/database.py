"""The way to the database: SQLite in a file, or PostgreSQL; one transaction at a time."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError
from sqlalchemy.orm import Session

from capacity.errors import BadInputError, UnavailableError
from capacity.store import profiles
from capacity.store.failures import as_unavailable, worth_again

SQLITE = "sqlite"
POSTGRESQL = "postgresql"

_BUSY_MS = 10_000
_LOCK_TIMEOUT_MS = 10_000
_STATEMENT_TIMEOUT_MS = 60_000
_CONNECT_TIMEOUT_S = 5
# A peer that vanished without a word is noticed after this long.
_SILENCE_MS = 15_000
_ATTEMPTS = 3  # of a transaction that others were in the way of


class Database:
    """A database and its pool of connections; safe to share between threads, not between processes.

    Args:
        url: ``sqlite:////var/lib/sitecap/capacity.sqlite`` or ``postgresql://user@host/name``.
        connections: most connections to PostgreSQL at one time; a request beyond waits.

    Raises:
        BadInputError: the URL cannot be used.
    """

    def __init__(self, url: str, connections: int = 10) -> None:
        self.url = _checked(url)
        self.dialect = self.url.get_backend_name()
        self.engine = _engine(self.url, connections)
        self._reading = self.engine.execution_options(sitecap_reading=True)
        # SQLite has one writer. Waiting here is fair and at once; its own waiting sleeps longer and longer.
        self._one_writer = threading.Lock() if self.dialect == SQLITE else None

    @property
    def path(self) -> Path | None:
        """The file, if it is SQLite."""
        return Path(self.url.database or "") if self.dialect == SQLITE else None

    @property
    def shown(self) -> str:
        """The URL without its password."""
        return self.url.render_as_string(hide_password=True)

    @contextmanager
    def session(self) -> Iterator[Session]:
        """One transaction that may write: committed at the end, undone by an exception.

        Raises:
            UnavailableError: the database cannot be asked; nothing of the transaction was kept.
        """
        with (
            self._writer(),
            as_unavailable(),
            Session(self.engine, expire_on_commit=False) as session,
            session.begin(),
        ):
            yield session

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """One transaction that only reads, and never waits for one that writes.

        Raises:
            UnavailableError: the database cannot be asked.
        """
        with as_unavailable(), Session(self._reading, expire_on_commit=False) as session, session.begin():
            yield session

    def keep(self, rows: Sequence[profiles.NewProfile]) -> list[profiles.Outcome]:
        """Keep profiles in one transaction, see `profiles.add`; durable when it returns.

        Raises:
            UnavailableError: the database cannot be asked, or others were in the way again and again.
        """
        for _ in range(_ATTEMPTS - 1):
            try:
                with self.session() as session:
                    return profiles.add(session, rows)
            except UnavailableError as error:
                if not worth_again(error):
                    raise
        with self.session() as session:
            return profiles.add(session, rows)

    def ping(self) -> None:
        """Ask the least that can be asked.

        Raises:
            UnavailableError: no answer.
        """
        with self.reading() as session:
            session.execute(text("SELECT 1"))

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """A connection in one writing transaction, for what is not a question to the tables.

        Raises:
            UnavailableError: the database cannot be asked.
        """
        with self._writer(), as_unavailable(), self.engine.begin() as connection:
            yield connection

    def upgrade(self) -> None:
        """Bring the tables to this version; services that do so together wait for one another.

        Raises:
            UnavailableError: the database cannot be asked.
            ConflictError: the database was made by a newer version.
        """
        from capacity.store import migration  # noqa: PLC0415 - alembic is needed here only

        migration.upgrade(self)

    def close(self) -> None:
        """Give all connections back."""
        self.engine.dispose()

    @contextmanager
    def _writer(self) -> Iterator[None]:
        if self._one_writer is None:
            yield
            return
        if not self._one_writer.acquire(timeout=_BUSY_MS / 1000):
            raise UnavailableError(
                f"another transaction of this service has held the database for {_BUSY_MS / 1000:g} s: nothing was stored"
            )
        try:
            yield
        finally:
            self._one_writer.release()


def _checked(url: str) -> URL:
    try:
        parsed = make_url(url)
        backend = parsed.get_backend_name()
    except ArgumentError:
        raise BadInputError(
            "the database URL is not one: write sqlite:////path/to/file or postgresql://user@host/name"
        ) from None
    if backend == SQLITE:
        if not parsed.database or parsed.database == ":memory:":
            raise BadInputError("the database needs a file: write sqlite:////path/to/file")
        return parsed
    if backend == POSTGRESQL:
        return parsed.set(drivername="postgresql+psycopg")
    raise BadInputError(f"the database {backend!r} is not supported: use sqlite or postgresql")


def _engine(url: URL, connections: int) -> Engine:
    common: dict[str, Any] = {
        "hide_parameters": True,  # an error must not print a document or a token's hash
        "json_serializer": lambda value: orjson.dumps(value).decode(),
        "json_deserializer": orjson.loads,
    }
    if url.get_backend_name() == SQLITE:
        engine = create_engine(url, connect_args={"timeout": _BUSY_MS / 1000}, pool_timeout=30, **common)
        event.listen(engine, "connect", _open_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    try:
        engine = create_engine(
            url,
            pool_size=connections,
            max_overflow=0,
            pool_timeout=10,
            pool_pre_ping=True,
            pool_recycle=1800,
            connect_args={
                "connect_timeout": _CONNECT_TIMEOUT_S,
                "tcp_user_timeout": _SILENCE_MS,
                "application_name": "sitecap capacity",
            },
            **common,
        )
    except ModuleNotFoundError:
        raise BadInputError(
            "PostgreSQL needs the library psycopg: install sitecap with the extra `postgres`"
        ) from None
    event.listen(engine, "connect", _open_postgresql)
    event.listen(engine, "begin", _begin_postgresql)
    return engine


def _open_sqlite(connection: Any, _record: Any) -> None:  # noqa: ANN401 - a driver's object
    connection.isolation_level = None  # the driver begins nothing; _begin_sqlite does
    cursor = connection.cursor()
    # WAL: readers never wait. FULL: a commit is on the disk before it is answered.
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "cache_size=-32768",
        "temp_store=MEMORY",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    reading = connection.get_execution_options().get("sitecap_reading", False)
    # A transaction that reads first and writes later would be refused if another one wrote in between.
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


def _open_postgresql(connection: Any, _record: Any) -> None:  # noqa: ANN401 - a driver's object
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('lock_timeout', %s, false), set_config('statement_timeout', %s, false),"
            " set_config('idle_in_transaction_session_timeout', %s, false),"
            # What is acknowledged is on the disk, whatever the server's default is.
            " CASE WHEN current_setting('synchronous_commit') IN ('off', 'local')"
            " THEN set_config('synchronous_commit', 'on', false) END",
            (str(_LOCK_TIMEOUT_MS), str(_STATEMENT_TIMEOUT_MS), str(_STATEMENT_TIMEOUT_MS)),
        )
    connection.commit()


def _begin_postgresql(connection: Connection) -> None:
    if connection.get_execution_options().get("sitecap_reading", False):
        connection.exec_driver_sql("SET TRANSACTION READ ONLY")
