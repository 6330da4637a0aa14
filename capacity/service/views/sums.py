"""Sums of the whole fleet, kept for seconds: many readers cost the database no more than one, and none waits for it.

At 50,000 nodes the database needs some tenths of a second to add them up. A page shows at which moment its sums were made.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from threading import Lock, Thread
from time import monotonic
from typing import NamedTuple

from capacity.errors import UnavailableError
from capacity.fleet.model import FleetSettings, Roll
from capacity.fleet.staleness import fresh_after
from capacity.service import fleet_view
from capacity.service.estimators import version_in_use
from capacity.store import nodes
from capacity.store.database import Database
from capacity.store.nodes import OddNode

FRESH_S = 5.0
"""So long sums are shown as they are."""
OLD_S = 60.0
"""So long they are shown while new ones are made; after that a reader waits for new ones."""
ODD_NODES = 8
"""That are read for the overview."""


class Sums(NamedTuple):
    """The fleet at a moment.

    Attributes:
        at: the moment.
        cms: everything.
        sites: those that have nodes, by name.
        sites_known: sites that have nodes or were described.
        federations: those that have nodes or a pledge.
        countries: those that have nodes or a pledge.
        odd: nodes with alarming findings, the worst first.
        calibration_version: of the calibration in use.
    """

    at: datetime
    cms: Roll
    sites: list[Roll]
    sites_known: int
    federations: list[Roll]
    countries: list[Roll]
    odd: list[OddNode]
    calibration_version: str


class FleetSums:
    """Gives the sums; safe for threads.

    Args:
        database: of the service.
        settings: of the fleet's rules.
        clock: seconds that only go on.
        fresh_s: see `FRESH_S`.
        old_s: see `OLD_S`.
    """

    def __init__(
        self,
        database: Database,
        settings: FleetSettings,
        clock: Callable[[], float] = monotonic,
        fresh_s: float = FRESH_S,
        old_s: float = OLD_S,
    ) -> None:
        self._database = database
        self._settings = settings
        self._clock = clock
        self._fresh_s = fresh_s
        self._old_s = old_s
        self._known: tuple[float, Sums] | None = None
        self._making = Lock()

    def current(self) -> Sums:
        """The sums, at most `old_s` old.

        Raises:
            UnavailableError: there are none so young, and the database cannot be asked.
        """
        known = self._known
        age_s = self._clock() - known[0] if known is not None else None
        if known is not None and age_s is not None and age_s <= self._old_s:
            if age_s > self._fresh_s and self._making.acquire(blocking=False):
                Thread(target=self._renew, name="fleet-sums", daemon=True).start()
            return known[1]
        with self._making:
            newer = self._known
            if newer is not None and newer is not known:
                return newer[1]
            return self._make()

    def renewed(self) -> Sums:
        """Sums that are made now, for the readers to come.

        Raises:
            UnavailableError: the database cannot be asked; readers get what is known until it is too old.
        """
        with self._making:
            return self._make()

    def _renew(self) -> None:
        """In the background, holding `_making`; if the database is away, what is known grows older."""
        try:
            self._make()
        except UnavailableError:
            return
        finally:
            self._making.release()

    def _make(self) -> Sums:
        begun = self._clock()
        now = datetime.now(UTC)
        bound = fresh_after(now, self._settings)
        with self._database.reading() as session:
            found = fleet_view.fleet(session, now, self._settings)
            odd = nodes.odd(session, bound, ODD_NODES)
            version = version_in_use(session)
        sums = Sums(
            at=now,
            cms=fleet_view.of_cms(found),
            sites=fleet_view.of_sites(found),
            sites_known=len(found.sites),
            federations=fleet_view.of_federations(found),
            countries=fleet_view.of_countries(found),
            odd=odd,
            calibration_version=version,
        )
        self._known = (begun, sums)
        return sums
