"""A large fleet in minutes: a small one goes the real way, then its rows are written again under other names.

Each row that is written is one that the service itself could have written: documents with their own id, node and moment,
packed and with their digest; nodes with their state; an estimate a day. Only validation and estimation are left out.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any, NamedTuple

import orjson
from sqlalchemy import JSON, insert, select, text
from sqlalchemy import Table as SqlTable

from capacity.store.database import POSTGRESQL, Database
from capacity.store.packing import pack, unpack
from capacity.store.tables import EstimateRow, NodeKeyRow, NodeRow, ProfileRow, Table

SITES_OF_ONE = 6
"""The copies of a site's nodes are spread over so many sites: ten sites become sixty, as many as CMS has."""
_AT_A_TIME = 5_000
_Row = dict[str, Any]


class Copied(NamedTuple):
    """What is in the database at the end."""

    nodes: int
    profiles: int
    estimates: int


def multiply(database: Database, copies: int, days: int) -> Copied:
    """Write every node again under `copies` - 1 other names, and every profile and estimate for each of `days` days.

    Args:
        database: with nodes that have been estimated, none pending, one profile a slot.
        copies: of each node, itself included.
        days: on which each slot sent a profile, up to the moment at which its own one was written.
    """
    nodes, keys, estimates = (_rows(database, table) for table in (NodeRow, NodeKeyRow, EstimateRow))
    profiles = [_original(row) for row in _rows(database, ProfileRow)]
    numbers = itertools.count(max(one.row["sequence"] for one in profiles) + 1)
    written = len(profiles)
    for copy in range(copies):
        newest: dict[tuple[str, str], int] = {}
        if copy:
            _write(database, NodeRow, (_node(one, copy, days) for one in nodes))
            _write(
                database, NodeKeyRow, ({**_named(one, copy), "key": _other(one["key"], copy)} for one in keys)
            )
        fresh = (
            _profile(one, copy, day, next(numbers))
            for day in reversed(range(days))
            for one in profiles
            if copy or day
        )
        written += _write(database, ProfileRow, _noted(fresh, newest))
        _write(
            database,
            EstimateRow,
            (_estimate(one, copy, day) for day in reversed(range(days)) for one in estimates if copy or day),
        )
        _count(database, newest)
    _numbered(database)
    return Copied(len(nodes) * copies, written, len(estimates) * copies * days)


class _Original(NamedTuple):
    """A profile that went the real way, with what is replaced in its document."""

    row: _Row
    document: bytes
    written: bytes  # when, as the agent says it
    boot_key: str


def _original(row: _Row) -> _Original:
    document = unpack(row.pop("document"), row["size_bytes"])
    read = orjson.loads(document)
    return _Original(row, document, read["created_at"].encode(), read["node"]["boot_key"])


def _rows(database: Database, table: type[Table]) -> list[_Row]:
    with database.reading() as session:
        return [dict(row) for row in session.execute(select(table.__table__)).mappings()]


def _other(name: str, copy: int) -> str:
    """The name of node or boot in a copy."""
    return blake2b(f"{copy} {name}".encode(), digest_size=16).hexdigest() if copy else name


def _site(site: str, copy: int) -> str:
    number = copy % SITES_OF_ONE
    return f"{site}_{number}" if number else site


def _named(row: _Row, copy: int) -> _Row:
    return {**row, "site": _site(row["site"], copy), "node_id": _other(row["node_id"], copy)}


def _profile_id(name: str, copy: int, day: int) -> str:
    """As random as the last 48 bits of the original; the own one for the newest profile of the first copy."""
    if not copy and not day:
        return name
    return name[:-12] + blake2b(f"{copy} {day} {name}".encode(), digest_size=6).hexdigest()


def _renamed(document: bytes, row: _Row, copy: int, boots: Iterable[str]) -> bytes:
    """Site, node and boots under their names in the copy; nothing else has such names."""
    site = row["site"]
    document = document.replace(f'"{site}"'.encode(), f'"{_site(site, copy)}"'.encode())
    for name in (row["node_id"], *boots):
        document = document.replace(name.encode(), _other(name, copy).encode())
    return document


def _node(row: _Row, copy: int, days: int) -> _Row:
    state = row["state"]
    document = _renamed(orjson.dumps(state), row, copy, [boot["key"] for boot in state["boots"]])
    for slot in state["slots"]:
        before = slot["profile_id"]
        document = document.replace(before.encode(), _profile_id(before, copy, 0).encode())
    return {**_named(row, copy), "state": orjson.loads(document), "profiles": row["profiles"] * days}


def _profile(one: _Original, copy: int, day: int, sequence: int) -> _Row:
    row, earlier = one.row, timedelta(days=day)
    new_id = _profile_id(row["id"], copy, day)
    moment: datetime = row["created_at"] - earlier
    document = one.document.replace(row["id"].encode(), new_id.encode())
    document = document.replace(one.written, moment.isoformat().encode())
    document = _renamed(document, row, copy, [one.boot_key])
    return {
        **_named(row, copy),
        "sequence": sequence,
        "id": new_id,
        "created_at": moment,
        "received_at": row["received_at"] - earlier,
        "seen_at": row["seen_at"] - earlier,
        "received_day": row["received_day"] - earlier,
        "digest": blake2b(document, digest_size=16).hexdigest(),
        "size_bytes": len(document),
        "document": pack(document),
    }


def _estimate(row: _Row, copy: int, day: int) -> _Row:
    made = _named(row, copy) | {"at": row["at"] - timedelta(days=day)}
    wobble = 1 + 0.005 * (day % 5)  # from day to day, as repeats of the payloads do
    made["hs23_per_core"] = row["hs23_per_core"] * wobble
    made["hs23_granted"] = row["hs23_granted"] and row["hs23_granted"] * wobble
    made["profile_id"] = row["profile_id"] and _profile_id(row["profile_id"], copy, day)
    del made["id"]
    return made


def _noted(rows: Iterable[_Row], newest: dict[tuple[str, str], int]) -> Iterator[_Row]:
    for row in rows:
        newest[row["site"], row["node_id"]] = row["sequence"]
        yield row


def _write(database: Database, table: type[Table], rows: Iterable[_Row]) -> int:
    """By COPY where there is one; how many."""
    written = 0
    rest = iter(rows)
    while batch := list(itertools.islice(rest, _AT_A_TIME)):
        with database.connection() as connection:
            if database.dialect == POSTGRESQL:
                _copy(connection.connection.driver_connection, table, batch)
            else:
                connection.execute(insert(table), batch)
        written += len(batch)
    return written


def _copy(driver: Any, table: type[Table], rows: Sequence[_Row]) -> None:  # noqa: ANN401 - psycopg's connection
    names = list(rows[0])
    target: SqlTable = table.__table__  # type: ignore[assignment]
    are_json = [isinstance(target.columns[name].type, JSON) for name in names]
    with (
        driver.cursor() as cursor,
        cursor.copy(f"COPY {target.name} ({', '.join(names)}) FROM STDIN") as copy,
    ):
        for row in rows:
            copy.write_row(
                [
                    orjson.dumps(value).decode() if packed and value is not None else value
                    for packed, value in zip(are_json, row.values(), strict=True)
                ]
            )


def _count(database: Database, newest: dict[tuple[str, str], int]) -> None:
    """Nodes know their newest profile."""
    if not newest:
        return
    with database.connection() as connection:
        connection.execute(
            text("UPDATE node SET newest = :n, absorbed = :n WHERE site = :site AND node_id = :node_id"),
            [{"n": number, "site": site, "node_id": node} for (site, node), number in newest.items()],
        )


def _numbered(database: Database) -> None:
    """What is inserted later gets numbers beyond these, and the planner knows the tables."""
    with database.connection() as connection:
        if database.dialect == POSTGRESQL:
            connection.execute(
                text(
                    "SELECT setval(pg_get_serial_sequence('profile', 'sequence'), max(sequence)) FROM profile"
                )
            )
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if database.dialect == POSTGRESQL:
            connection.execute(text("VACUUM (ANALYZE) node, profile, estimate, node_key"))
