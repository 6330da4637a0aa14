"""What a database says when it cannot do its work → one sentence, without parameters and without the address."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from capacity.errors import UnavailableError

_NO_TABLES = ("no such table", "no such column", "has no column named")
_NO_TABLES_STATES = {"42P01", "42703"}  # undefined_table, undefined_column
_FULL = ("database or disk is full", "disk I/O error")
_AGAIN_STATES = {"40001", "40P01"}  # serialization_failure, deadlock_detected
_BROKEN = ("malformed", "not a database")
# PostgreSQL's classes (appendix A of its manual): 08 connection, 53 resources, 55P03 lock timeout, 57 operator
# intervention, 58 system, 25006 read-only (a standby), XX internal; and those above.
_AWAY_STATES = ("08", "25006", "53", "55P03", "57", "58", "XX", *_AGAIN_STATES, *_NO_TABLES_STATES)


def state_of(error: DBAPIError) -> str | None:
    """SQLSTATE, if the database gave one."""
    state = getattr(error.orig, "sqlstate", None)
    return state if isinstance(state, str) else None


def worth_again(error: UnavailableError) -> bool:
    """Whether the same transaction would succeed if it were done once more: others were in its way."""
    return isinstance(error.__cause__, DBAPIError) and state_of(error.__cause__) in _AGAIN_STATES


def unavailable(error: DBAPIError | PoolTimeoutError) -> UnavailableError | None:
    """The sentence for whoever is kept waiting; None if the fault is the statement's, not the database's."""
    if not isinstance(error, DBAPIError):
        return UnavailableError(
            "every connection to the database is busy: nothing was stored, try again later", retry_after_s=5
        )
    text = " ".join(str(error.orig).split())[:200]
    state = state_of(error)
    if state in _NO_TABLES_STATES or any(part in text for part in _NO_TABLES):
        return UnavailableError(
            f"the database does not have the tables of this version ({text}): run `capacity db upgrade`", 60
        )
    if (state or "").startswith("53") or any(part in text for part in _FULL):
        return UnavailableError(
            f"the database has no room ({text}): nothing was stored; make room where it lies, or run "
            "`capacity db archive`",
            60,
        )
    if any(part in text for part in _BROKEN):
        return UnavailableError(
            f"the database file is damaged ({text}): run `capacity db check`, then `capacity db restore`", 300
        )
    if state is not None and not state.startswith(_AWAY_STATES):
        return None
    if state is None and not _is_about_the_database(error):
        return None
    return UnavailableError(f"the database cannot be asked now ({text}): nothing was stored, try again later")


def _is_about_the_database(error: DBAPIError) -> bool:
    name: Any = type(error).__name__
    return name in {"OperationalError", "InterfaceError"} or error.connection_invalidated


@contextmanager
def as_unavailable() -> Iterator[None]:
    """Turn faults of the database into `UnavailableError`; faults of the statement pass through."""
    try:
        yield
    except (DBAPIError, PoolTimeoutError) as error:
        told = unavailable(error)
        if told is None:
            raise
        raise told from error
