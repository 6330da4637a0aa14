"""Which calibration a page shows."""

from __future__ import annotations

from datetime import datetime

from capacity.errors import NotFoundError
from capacity.hs06.calibration import Calibration
from capacity.service.views.calibration import CalibrationView, calibration_view
from capacity.store import calibrations
from capacity.store.database import Database


def calibration(database: Database, version: str | None, now: datetime) -> CalibrationView:
    """The calibration of that version; None = the one in use, which is the shipped one until another is activated.

    Raises:
        NotFoundError: there is none of that version.
        UnavailableError: the database cannot be asked.
    """
    shipped = Calibration.shipped()
    with database.reading() as session:
        active = calibrations.active(session)
        wanted = calibrations.find(session, version) if version else active
        stored = calibrations.listing(session)
    in_use = active.version if active else shipped.version
    if wanted is not None:
        shown = Calibration.model_validate(wanted.document)
    elif version in (None, shipped.version):
        shown = shipped
    else:
        raise NotFoundError(f"there is no calibration {version!r:.60}: see the list of versions")
    return calibration_view(shown, in_use, stored, now)
