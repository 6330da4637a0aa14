"""Calibrations: listed, read, activated."""

from __future__ import annotations

from datetime import UTC, datetime

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from capacity.api.answers import READ_ERRORS, errors
from capacity.api.guard import service_of
from capacity.api.parameters import VersionPath
from capacity.errors import NotFoundError
from capacity.hs06.calibration import Calibration
from capacity.service.calibrate import activate
from capacity.service.policy import Policy, needs
from capacity.store import calibrations

router = APIRouter(prefix="/api/v1/calibrations", tags=["calibrations"], responses=READ_ERRORS)


class CalibrationEntry(BaseModel):
    """A version in the list."""

    version: str
    created_at: datetime
    active: bool
    provisional: bool
    shipped: bool = Field(description="it came with the program")


class Calibrations(BaseModel):
    """All versions, newest first."""

    calibrations: list[CalibrationEntry]


class Activated(BaseModel):
    """What an activation set off."""

    version: str
    pending_nodes: int = Field(description="nodes that will be estimated anew")


@router.get("")
@needs(Policy.READ)
def list_calibrations(request: Request) -> Calibrations:
    """Versions that are kept; the shipped one is active until another one is."""
    with service_of(request).database.reading() as session:
        stored = calibrations.listing(session)
    shipped = Calibration.shipped()
    entries = [
        CalibrationEntry(
            version=one.version,
            created_at=one.created_at,
            active=one.active,
            provisional=one.provisional,
            shipped=one.version == shipped.version,
        )
        for one in stored
    ]
    if not any(entry.shipped for entry in entries):
        entries.append(
            CalibrationEntry(
                version=shipped.version,
                created_at=shipped.created_at,
                active=not any(entry.active for entry in entries),
                provisional=shipped.provisional,
                shipped=True,
            )
        )
    return Calibrations(calibrations=sorted(entries, key=lambda entry: entry.created_at, reverse=True))


@router.get("/{version}", responses=errors(404))
@needs(Policy.READ)
def get_calibration(request: Request, version: VersionPath) -> Calibration:
    """One version: weights, inputs, residuals, errors by family."""
    with service_of(request).database.reading() as session:
        found = calibrations.find(session, version)
    if found is not None:
        return Calibration.model_validate(found.document)
    shipped = Calibration.shipped()
    if shipped.version == version:
        return shipped
    raise NotFoundError(f"there is no calibration {version}")


@router.post("/{version}/activation", responses=errors(404))
@needs(Policy.ADMIN)
def activate_calibration(request: Request, version: VersionPath) -> Activated:
    """Make it the one that estimates are made with; every node is looked at again."""
    marked = activate(service_of(request).database, version, datetime.now(UTC), look_again=True)
    return Activated(version=version, pending_nodes=marked)
