"""Statements that SQLite and PostgreSQL spell alike, and SQLAlchemy in a module for each."""

from __future__ import annotations

from typing import Any, cast

from sqlalchemy import Table as SqlTable
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from capacity.store.tables import Table


def dialect_of(session: Session) -> str:
    """Name of the engine: sqlite or postgresql."""
    return session.get_bind().dialect.name


def insert_into(dialect: str, table: type[Table]) -> postgresql.Insert:
    """An INSERT that knows ON CONFLICT.

    SQLite's has the same methods, so it is spoken of as PostgreSQL's.
    """
    insert: Any = sqlite.insert if dialect == "sqlite" else postgresql.insert
    return cast("postgresql.Insert", insert(cast("SqlTable", table.__table__)))
