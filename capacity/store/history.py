"""Capacity by day of sites, federations, countries and CMS: one row each, written again as long as the day lasts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from functools import cache
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Session

from capacity.store.tables import CapacityDayRow
from capacity.store.upserts import dialect_of, insert_into


class CapacityDay(NamedTuple):
    """What something was said to be worth on a day (UTC). HS23; `low` and `high` bound 68 %.

    What is None was not kept: of days before the table, only the sum is known.
    """

    kind: str
    name: str
    day: date
    at: datetime
    nodes: int
    granted_cores: float | None
    hs23: float
    low: float | None
    high: float | None
    hs23_usable: float | None
    pledge_hs23: float | None
    calibration_version: str | None


def put(session: Session, days: Sequence[CapacityDay]) -> None:
    """Keep sums; of two for one day the later one, whoever comes first.

    In the order of their names, so that services that do this at once wait for one another and nothing else.
    """
    if days:
        rows = [one._asdict() for one in sorted(days, key=lambda one: (one.kind, one.name, one.day))]
        session.connection().execute(_upsert(dialect_of(session)), rows)


def days(session: Session, kind: str, name: str, since: date) -> list[CapacityDay]:
    """What was kept of one name, oldest first."""
    columns = [getattr(CapacityDayRow, field) for field in CapacityDay._fields]
    found = session.execute(
        select(*columns)
        .where(CapacityDayRow.kind == kind, CapacityDayRow.name == name, CapacityDayRow.day >= since)
        .order_by(CapacityDayRow.day)
    )
    return [CapacityDay(*row) for row in found]


@cache
def _upsert(dialect: str) -> postgresql.Insert:
    insert = insert_into(dialect, CapacityDayRow)
    keys = ("kind", "name", "day")
    return insert.on_conflict_do_update(
        index_elements=list(keys),
        set_={name: insert.excluded[name] for name in CapacityDay._fields if name not in keys},
        where=CapacityDayRow.at <= insert.excluded.at,
    )
