"""The computing model beside what this service measured: capacity of CMS now, and what was pledged."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from typing import NamedTuple

from capacity.fleet.model import FleetSettings, Roll
from capacity.service.fleet_view import fleet, of_cms
from capacity.store import sites
from capacity.store.database import Database
from computing_model.supply import Fleet, pledged


class Measured(NamedTuple):
    """What the service knows of the supply.

    Attributes:
        fleet: None = no node has an estimate.
        missing: why there is no fleet.
        pledges_khs06: by year; empty = none were imported.
    """

    fleet: Fleet | None
    missing: str | None
    pledges_khs06: dict[int, float]


def measured(database: Database, settings: FleetSettings, now: datetime) -> Measured:
    """Capacity and pledges of CMS in one transaction.

    Raises:
        ModelError: the pledges are in another unit than they say.
        UnavailableError: the database cannot be asked.
    """
    with database.session() as session:
        cms = of_cms(fleet(session, now, settings))
        by_year: dict[int, float] = defaultdict(float)
        for pledge in sites.pledges(session):
            by_year[pledge.year] += pledge.cpu_hs23 / 1000
    found, missing = fleet_of(cms, now, database.shown)
    return Measured(found, missing, pledged(by_year, f"pledges in {database.shown}"))


def fleet_of(cms: Roll, now: datetime, where: str) -> tuple[Fleet | None, str | None]:
    """The sum of all nodes as a supply, or why there is none.

    Args:
        cms: sum of everything.
        now: when it was summed.
        where: the database, as it is told.
    """
    if cms.hs23.value <= 0:
        missing = f"{where} has no node with an estimate: run `agent probe` on some and send it, or try `capacity demo`"
        return None, missing
    usable = cms.hs23_usable
    found = Fleet(
        year=now.year + (now.timetuple().tm_yday - 1) / 365.25,
        nominal_khs06=(cms.hs23.value / 1000, cms.hs23.low / 1000, cms.hs23.high / 1000),
        usable_khs06=(usable.value / 1000, usable.low / 1000, usable.high / 1000),
        gpus=cms.gpus,
        provisional_share=cms.provisional_share,
        source=f"{cms.nodes} nodes in {where}",
    )
    return found, None
