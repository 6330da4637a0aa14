"""The pages: overview, sites, a site, a node, catalogue, calibration. Each only asks for its view."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request

from capacity.fleet.rollup import RollKind
from capacity.hs06.catalogue import Catalogue
from capacity.service.views import asking, calibrations
from capacity.service.views.calibration import CalibrationView
from capacity.service.views.catalogue import CatalogueView, catalogue_view
from capacity.service.views.history import HistoryView, history_view
from capacity.service.views.node import NodeView
from capacity.service.views.overview import OverviewView, overview_of
from capacity.service.views.sites import SiteSort, SitesView, SiteView, sites_view
from capacity.web import account, drawings, planning, styles
from capacity.web.pages import page
from capacity.web.state import now, service_of, sums_of

router = APIRouter()

SiteName = Annotated[str, Path(max_length=64, pattern=r"^[A-Za-z0-9_.-]+$")]
Version = Annotated[str | None, Query(pattern=r"^[A-Za-z0-9._-]{1,40}$")]
NodeId = Annotated[str, Path(pattern=r"^[0-9a-f]{1,32}$")]
PageNumber = Annotated[int, Query(ge=1, le=100_000)]


@page(router, "/", "overview.html")
def overview(request: Request) -> OverviewView:
    """Capacity and coverage of the fleet, and what needs attention."""
    return overview_of(sums_of(request))


@page(router, "/history", "history.html")
def history(
    request: Request, of: RollKind = "cms", name: Annotated[str, Query(max_length=120)] = "CMS"
) -> HistoryView:
    """Capacity by day of CMS, a federation, a country or a site."""
    return history_view(service_of(request).database, sums_of(request), of, name)


@page(router, "/sites", "sites.html")
def sites(
    request: Request,
    sort: SiteSort = SiteSort.CAPACITY,
    search: Annotated[str, Query(max_length=64)] = "",
    page: PageNumber = 1,
) -> SitesView:
    """All sites, sorted and paged."""
    sums = sums_of(request)
    return sites_view(sums.sites, sort, search, page, sums.at)


@page(router, "/sites/{site}", "site.html")
def site(
    request: Request, site: SiteName, after: Annotated[str | None, Query(pattern=r"^[0-9a-f]{1,32}$")] = None
) -> SiteView:
    """One site: its nodes, failing checks with their fixes, capacity against pledge and constant."""
    service = service_of(request)
    return asking.site(service.database, site, after, service.fleet, now())


@page(router, "/sites/{site}/nodes/{node_id}", "node.html")
def node(request: Request, site: SiteName, node_id: NodeId) -> NodeView:
    """One node: what it is, what it computed, what it is worth and how that was derived."""
    service = service_of(request)
    return asking.node(service.database, service.estimators, site, node_id, service.fleet, now())


@page(router, "/catalogue", "catalogue.html")
def catalogue(
    request: Request,  # noqa: ARG001 - of every page
    search: Annotated[str, Query(max_length=200)] = "",
    page: PageNumber = 1,
) -> CatalogueView:
    """Published scores of a CPU model."""
    return catalogue_view(Catalogue.shipped(), search, page)


@page(router, "/calibration", "calibration.html")
def calibration(request: Request, version: Version = None) -> CalibrationView:
    """A calibration: its fit, its residuals, its errors on families that it never saw."""
    return calibrations.calibration(service_of(request).database, version, now())


router.include_router(drawings.router)
router.include_router(planning.router)
router.include_router(account.router)
router.include_router(styles.router)
