"""A fresh database for each test, on every engine that the service runs on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from capacity.store.database import Database
from tests.lab.postgres import Server


@pytest.fixture(scope="session")
def migrated_postgres(postgres: Server) -> str:
    """Name of a database with all tables, to be copied: faster than to migrate each."""
    url = postgres.create()
    one = Database(url)
    one.upgrade()
    one.close()
    return url.partition("?")[0].rpartition("/")[2]


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.lab)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Address of a database with all tables and nothing in them."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path}/capacity.sqlite"
        one = Database(url)
        one.upgrade()
        one.close()
        yield url
        return
    server: Server = request.getfixturevalue("postgres")
    url = server.create(template=request.getfixturevalue("migrated_postgres"))
    yield url
    server.drop(url)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A database with all tables and nothing in them."""
    one = Database(database_url)
    yield one
    one.close()
