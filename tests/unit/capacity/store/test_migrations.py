"""The migrations make the tables that the program reads, and take them away again."""

from __future__ import annotations

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text

from capacity.errors import ConflictError, UnavailableError
from capacity.store import migration, nodes, profiles, site_pages
from capacity.store.database import Database
from capacity.store.tables import Table
from tests.unit.capacity.web import samples


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


def test_nodes_of_the_first_tables_are_looked_at_again(database: Database) -> None:
    samples.seed(database, samples.state())
    migration.downgrade(database, "0001")

    database.upgrade()

    with database.session() as session:
        (waiting,) = nodes.take_pending(session, 10, samples.NOW)
        assert waiting.state is not None
        assert nodes.save(
            session, waiting.state, None, samples.NOW, absorbed=waiting.absorbed, revision=waiting.revision
        )
        (kept,) = site_pages.latest_checks(session, [(waiting.site, waiting.node_id)])
    assert kept.checks


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


def test_postgresql_does_not_pack_documents_again(database: Database) -> None:
    if database.dialect != "postgresql":
        pytest.skip("SQLite has one way to keep a value")
    asked = text(
        "SELECT attstorage FROM pg_attribute WHERE attrelid = 'profile'::regclass AND attname = 'document'"
    )
    with database.connection() as connection:
        assert connection.scalar(asked) == "e"
    migration.downgrade(database, "0003")
    with database.connection() as connection:
        assert connection.scalar(asked) == "x"
