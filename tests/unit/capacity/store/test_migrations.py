"""The migrations make the tables that the program reads, and take them away again."""

from __future__ import annotations

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text

from capacity.errors import ConflictError, UnavailableError
from capacity.store import migration, profiles
from capacity.store.database import Database
from capacity.store.tables import Table


def test_the_migrated_tables_are_those_of_the_program(database: Database) -> None:
    with database.connection() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})

        assert compare_metadata(context, Table.metadata) == []
        assert migration.current(connection) == migration.newest()


def test_downgrade_leaves_nothing_and_upgrade_makes_it_again(database: Database) -> None:
    migration.downgrade(database, "base")
    with database.connection() as connection:
        assert set(inspect(connection).get_table_names()) <= {"alembic_version"}
        assert migration.current(connection) is None

    database.upgrade()

    with database.reading() as session:
        assert profiles.count(session) == 0


def test_upgrade_twice_changes_nothing(database: Database) -> None:
    database.upgrade()

    with database.connection() as connection:
        assert migration.current(connection) == migration.newest()


def test_a_database_without_tables_says_what_to_do(database: Database) -> None:
    migration.downgrade(database, "base")

    with pytest.raises(UnavailableError, match="run `capacity db upgrade`"), database.reading() as session:
        profiles.count(session)


def test_tables_of_a_newer_version_are_left_alone(database: Database) -> None:
    with database.connection() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    with pytest.raises(ConflictError, match="run the newer `capacity`"):
        database.upgrade()
