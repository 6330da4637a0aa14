"""Sums of the fleet, made before anybody asks for them, and written down as the sums of their day."""

from __future__ import annotations

import logging
from threading import Event, Thread
from time import monotonic

from capacity.errors import UnavailableError
from capacity.service.views.history import record
from capacity.service.views.sums import FleetSums
from capacity.store.database import Database

EVERY_S = 25.0
"""Well below the age at which a reader would wait (`views.sums.OLD_S`); at 50,000 nodes 2 % of a core."""
RECORDED_EVERY_S = 300.0
"""So much of a day's end may be missing in its sum."""

_log = logging.getLogger(__name__)


class Keeper:
    """A thread that makes new sums as long as the process lives, idle or not.

    Args:
        database: of the service.
        sums: what pages read.
        every_s: from the end of one round to the next.
        recorded_every_s: from one writing of the day's sums to the next.
    """

    def __init__(
        self,
        database: Database,
        sums: FleetSums,
        every_s: float = EVERY_S,
        recorded_every_s: float = RECORDED_EVERY_S,
    ) -> None:
        self._database = database
        self._sums = sums
        self._every_s = every_s
        self._recorded_every_s = recorded_every_s
        self._recorded_s: float | None = None
        self._stop = Event()
        self._thread = Thread(target=self._run, name="keeper", daemon=True)

    def start(self) -> None:
        """Begin; the first sums are made at once."""
        self._thread.start()

    def stop(self) -> None:
        """End after the round that is under way."""
        self._stop.set()
        self._thread.join(timeout=self._every_s)

    def round(self) -> None:
        """Make sums, and write them down if it is time.

        Raises:
            UnavailableError: the database cannot be asked.
        """
        sums = self._sums.renewed()
        now_s = monotonic()
        if self._recorded_s is None or now_s - self._recorded_s >= self._recorded_every_s:
            record(self._database, sums)
            self._recorded_s = now_s

    def _run(self) -> None:
        while True:
            try:
                self.round()
            except UnavailableError as error:
                _log.warning("sums of the fleet are not kept: %s", error)
            except Exception:
                _log.exception("sums of the fleet could not be made")
            if self._stop.wait(self._every_s):
                return
