"""Calibrations: kept for ever, so that an old figure can be traced; one is active."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from capacity.errors import ConflictError, NotFoundError
from capacity.store.tables import CalibrationRow


class StoredCalibration(NamedTuple):
    """A calibration as it was fitted."""

    version: str
    created_at: datetime
    active: bool
    provisional: bool
    document: dict[str, Any]


_COLUMNS = tuple(getattr(CalibrationRow, name) for name in StoredCalibration._fields)


def add(
    session: Session, version: str, document: dict[str, Any], *, provisional: bool, created_at: datetime
) -> None:
    """Keep a calibration; the same one twice is kept once.

    Raises:
        ConflictError: another one has this version.
    """
    known = find(session, version)
    if known is None:
        session.add(
            CalibrationRow(
                version=version,
                created_at=created_at,
                active=False,
                provisional=provisional,
                document=document,
            )
        )
        session.flush()
    elif known.document != document:
        raise ConflictError(f"another calibration has the version {version}: give this one a new version")


def active_version(session: Session) -> str | None:
    """Version of the active calibration; None = the shipped one is in use."""
    return session.scalar(select(CalibrationRow.version).where(CalibrationRow.active))


def activate(session: Session, version: str) -> None:
    """Make one calibration the one that estimates are made with.

    Raises:
        NotFoundError: there is none of that version.
    """
    # One statement over all rows: two services that activate at once leave one active, not two.
    session.execute(update(CalibrationRow).values(active=CalibrationRow.version == version))
    if find(session, version) is None:
        raise NotFoundError(f"there is no calibration {version[:40]!r}: see the list of calibrations")


def find(session: Session, version: str) -> StoredCalibration | None:
    """One calibration."""
    found = session.execute(select(*_COLUMNS).where(CalibrationRow.version == version)).one_or_none()
    return StoredCalibration(*found) if found else None


def active(session: Session) -> StoredCalibration | None:
    """The active one; None = only the one that is shipped."""
    found = session.execute(select(*_COLUMNS).where(CalibrationRow.active)).one_or_none()
    return StoredCalibration(*found) if found else None


def listing(session: Session) -> list[StoredCalibration]:
    """All, newest first."""
    found = session.execute(
        select(*_COLUMNS).order_by(CalibrationRow.created_at.desc(), CalibrationRow.version)
    )
    return [StoredCalibration(*row) for row in found]
