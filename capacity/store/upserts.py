"""Statements that SQLite and PostgreSQL spell alike, and SQLAlchemy in a module for each.

Many rows go to PostgreSQL as one array a column: the statement is the same whatever their number, so that the server
prepares it once and the driver does not look for thousands of parameters in a text of megabytes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, cast

from sqlalchemy import ARRAY, DateTime, Text, bindparam, func, select, types
from sqlalchemy import Table as SqlTable
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import Insert
from sqlalchemy.types import TypeEngine

from capacity.store.tables import Table
from capacity.store.types import UtcDateTime

_PARAMETER = re.compile(r"%\((\w+)\)s")


def dialect_of(session: Session) -> str:
    """Name of the engine: sqlite or postgresql."""
    return session.get_bind().dialect.name


def insert_into(dialect: str, table: type[Table]) -> postgresql.Insert:
    """An INSERT that knows ON CONFLICT.

    SQLite's has the same methods, so it is spoken of as PostgreSQL's.
    """
    insert: Any = sqlite.insert if dialect == "sqlite" else postgresql.insert
    return cast("postgresql.Insert", insert(cast("SqlTable", table.__table__)))


def put_many(session: Session, statement: Insert, rows: Sequence[Mapping[str, Any]]) -> Sequence[Any]:
    """Have one INSERT with RETURNING put many rows, in their order.

    Args:
        session: in a transaction.
        statement: made once of `insert_into`; without values.
        rows: column → value, the same columns in each; no value is None.

    Returns:
        What RETURNING gave, in any order.
    """
    if dialect_of(session) == "sqlite":
        return session.connection().execute(statement, list(rows)).all()
    names = tuple(rows[0])
    columns = {name: [row[name] for row in rows] for name in names}
    return session.connection().exec_driver_sql(_of_arrays(statement, names), columns).all()


@cache
def _of_arrays(statement: Insert, names: tuple[str, ...]) -> str:
    """The statement in psycopg's words, from one array a column; arrays travel binary, which for documents is half."""
    insert = cast("postgresql.Insert", statement)
    table = cast("SqlTable", insert.table)
    arrays = [bindparam(name, type_=ARRAY(_element(table.c[name].type))) for name in names]
    source = func.unnest(*arrays).table_valued(*names).render_derived()
    whole = insert.from_select(names, select(*(source.c[name] for name in names)), include_defaults=False)
    text = str(whole.compile(dialect=PGDialect_psycopg()))  # type: ignore[no-untyped-call]
    return _PARAMETER.sub(r"%(\1)b", text)


def _element(kind: TypeEngine[Any]) -> TypeEngine[Any]:
    """The type that a column's values travel as: without its length, which a cast would cut to without a word."""
    if isinstance(kind, types.String):
        return Text()
    if isinstance(kind, UtcDateTime):
        return DateTime(timezone=True)
    if isinstance(kind, types.Integer):
        return types.BigInteger()
    return kind
