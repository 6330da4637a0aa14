"""Statements that SQLite and PostgreSQL spell alike, and SQLAlchemy in a module for each."""

from __future__ import annotations

from typing import Any, cast

from sqlalchemy import Table as SqlTable
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from capacity.store.tables import Table


def insert_into(session: Session, table: type[Table]) -> postgresql.Insert:
    """An INSERT that knows ON CONFLICT, in the dialect of the session.

    SQLite's has the same methods, so it is spoken of as PostgreSQL's.
    """
    insert: Any = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    return cast("postgresql.Insert", insert(cast("SqlTable", table.__table__)))
