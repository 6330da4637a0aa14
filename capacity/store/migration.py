"""Versions of the tables: alembic, run from the program, with its scripts inside the package."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from capacity.errors import ConflictError

if TYPE_CHECKING:
    from capacity.store.database import Database

_SCRIPTS = Path(__file__).parent / "migrations"
_LOCK = 0x5174_E0CA  # any number that no other program of this database takes


def upgrade(database: Database, to: str = "head") -> None:
    """Bring the tables to a version; one at a time, all or nothing.

    Raises:
        UnavailableError: the database cannot be asked.
        ConflictError: the database was made by a newer version.
    """
    with database.connection() as connection:
        _alone(connection)
        _refuse_newer(connection)
        command.upgrade(_config(connection), to)


def downgrade(database: Database, to: str) -> None:
    """Take the tables back to an older version; what only newer tables hold is lost.

    Raises:
        UnavailableError: the database cannot be asked.
    """
    with database.connection() as connection:
        _alone(connection)
        command.downgrade(_config(connection), to)


def current(connection: Connection) -> str | None:
    """Version of the tables; None = there are none."""
    return MigrationContext.configure(connection).get_current_revision()


def newest() -> str:
    """Version that this program needs."""
    head = ScriptDirectory(str(_SCRIPTS)).get_current_head()
    assert head is not None
    return head


def _refuse_newer(connection: Connection) -> None:
    version = current(connection)
    known = {script.revision for script in ScriptDirectory(str(_SCRIPTS)).walk_revisions()}
    if version is not None and version not in known:
        raise ConflictError(
            f"the database has tables of version {version}, which this program does not know: "
            "run the newer `capacity` that made them, or restore a backup"
        )


def _alone(connection: Connection) -> None:
    """SQLite has one writer anyway."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
