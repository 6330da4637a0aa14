"""Full HEPscore23 and HS06 runs that were imported: the truth that calibrations are fitted to."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from capacity.store.identity import canonical
from capacity.store.nodes import mark_pending
from capacity.store.tables import MeasurementRow
from capacity.store.upserts import dialect_of, insert_into


class StoredMeasurement(NamedTuple):
    """A run as it was imported; `report` is the whole of it."""

    id: str
    site: str | None
    node_id: str | None
    kind: str  # HS23, HS06
    total: float
    loaded_cpus: int
    cpu_key: str | None
    measured_at: datetime | None
    imported_at: datetime
    source: str
    report: dict[str, Any]


_COLUMNS = tuple(getattr(MeasurementRow, name) for name in StoredMeasurement._fields)


def add(session: Session, rows: Sequence[StoredMeasurement]) -> list[Literal["stored", "duplicate"]]:
    """Keep what is new, one outcome a row; nodes that were measured are looked at again."""
    kept: dict[str, StoredMeasurement] = {}
    for row in rows:
        node_id = canonical(session, row.site, row.node_id) if row.site and row.node_id else row.node_id
        kept.setdefault(row.id, row._replace(node_id=node_id))
    if not kept:
        return []
    insert = insert_into(dialect_of(session), MeasurementRow).on_conflict_do_nothing(index_elements=["id"])
    stored = set(
        session.scalars(insert.returning(MeasurementRow.id), [row._asdict() for row in kept.values()])
    )
    for one in stored:
        row = kept[one]
        if row.site and row.node_id:
            mark_pending(session, row.imported_at, row.site, row.node_id)
    outcomes: list[Literal["stored", "duplicate"]] = []
    for row in rows:
        outcomes.append("stored" if row.id in stored else "duplicate")
        stored.discard(row.id)
    return outcomes


def of_node(session: Session, site: str, node_id: str) -> list[StoredMeasurement]:
    """Runs on one node, latest first."""
    return _select(
        session,
        MeasurementRow.site == site,
        MeasurementRow.node_id == canonical(session, site, node_id),
    )


def of_cpu(session: Session, cpu_key: str) -> list[StoredMeasurement]:
    """Runs on all nodes with one CPU model, latest first."""
    return _select(session, MeasurementRow.cpu_key == cpu_key)


def with_node(session: Session) -> list[StoredMeasurement]:
    """Runs whose node is known: what a calibration can be fitted to."""
    return _select(session, MeasurementRow.site.is_not(None), MeasurementRow.node_id.is_not(None))


def listing(session: Session) -> list[StoredMeasurement]:
    """All runs, latest first."""
    return _select(session)


def _select(session: Session, *conditions: Any) -> list[StoredMeasurement]:  # noqa: ANN401 - SQL conditions
    found = session.execute(
        select(*_COLUMNS)
        .where(*conditions)
        .order_by(MeasurementRow.imported_at.desc(), MeasurementRow.measured_at.desc(), MeasurementRow.id)
    )
    return [StoredMeasurement(*row) for row in found]
