"""Roll-ups: sites, federations, countries, CMS."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel

from capacity.api.answers import READ_ERRORS, errors
from capacity.api.guard import service_of
from capacity.api.parameters import SitePath
from capacity.errors import NotFoundError
from capacity.fleet.model import Roll
from capacity.service import fleet_view
from capacity.service.policy import Policy, needs
from capacity.store import sites

router = APIRouter(prefix="/api/v1", tags=["sites"], responses=READ_ERRORS)


class Rolls(BaseModel):
    """Sums with their 68 % intervals, by name."""

    rolls: list[Roll]


@router.get("/sites")
@needs(Policy.READ)
def list_sites(request: Request, by: Literal["site", "federation", "country", "cms"] = "site") -> Rolls:
    """Capacity of every site that has nodes, or summed by what it belongs to, held against pledges."""
    service = service_of(request)
    with service.database.reading() as session:
        found = fleet_view.fleet(session, datetime.now(UTC), service.fleet)
    if by == "cms":
        return Rolls(rolls=[fleet_view.of_cms(found)])
    sums = {
        "site": fleet_view.of_sites,
        "federation": fleet_view.of_federations,
        "country": fleet_view.of_countries,
    }
    return Rolls(rolls=sums[by](found))


@router.get("/sites/{site}", responses=errors(404))
@needs(Policy.READ)
def get_site(request: Request, site: SitePath) -> Roll:
    """Capacity of one site."""
    service = service_of(request)
    with service.database.reading() as session:
        if sites.info(session, site) is None:
            raise NotFoundError(f"nothing is known of a site {site}")
        found = fleet_view.fleet(session, datetime.now(UTC), service.fleet, site)
    return fleet_view.of_site(found, site)
