"""The estimator of now: the shipped catalogue and family model with the active calibration."""

from __future__ import annotations

import logging
from threading import Lock

import orjson
from sqlalchemy.orm import Session

from capacity.hs06.calibration import Calibration
from capacity.hs06.estimate import Estimator
from capacity.store import calibrations
from capacity.store.database import Database

_log = logging.getLogger(__name__)


class Estimators:
    """Gives the estimator of the active calibration, and makes it anew only when another one was activated.

    Args:
        database: where calibrations are kept.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._version: str | None = None
        self._estimator: Estimator | None = None
        self._lock = Lock()

    def current(self) -> Estimator:
        """With the active calibration; the shipped one if none was activated.

        Raises:
            UnavailableError: the database cannot be asked.
        """
        with self._database.reading() as session:
            found = calibrations.active(session)
        version = found.version if found is not None else None
        with self._lock:
            if self._estimator is None or version != self._version:
                calibration = (
                    Calibration.from_json(orjson.dumps(found.document))
                    if found is not None
                    else Calibration.shipped()
                )
                self._estimator = Estimator.shipped(calibration)
                self._version = version
                _log.info("estimates are made with calibration %s", calibration.version)
            return self._estimator


def version_in_use(session: Session) -> str:
    """Version of the calibration that estimates are made with now."""
    return calibrations.active_version(session) or Calibration.shipped().version
