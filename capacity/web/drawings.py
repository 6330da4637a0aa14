"""Charts at their own addresses, so that no page waits for one: SVG, and the Vega-Lite specification that it is of."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Annotated, Any, Literal, NamedTuple

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response

from capacity.errors import NotFoundError
from capacity.fleet.rollup import RollKind
from capacity.service.policy import Policy, needs
from capacity.service.views import asking, calibrations
from capacity.service.views.history import history_view
from capacity.service.views.overview import overview_of
from capacity.web.charts.svg import Pictures, digest_of
from capacity.web.charts.theme import Palette, Scheme, Width, palette
from capacity.web.state import now, service_of, sums_of

router = APIRouter(include_in_schema=False)
_pictures = Pictures()

SiteName = Annotated[str, Path(max_length=64, pattern=r"^[A-Za-z0-9_.-]+$")]
Version = Annotated[str | None, Query(pattern=r"^[A-Za-z0-9._-]{1,40}$")]
NodeId = Annotated[str, Path(pattern=r"^[0-9a-f]{1,32}$")]


class Chart(NamedTuple):
    """A chart before it is drawn: the numbers, and how to make a specification of them."""

    data: object
    spec: Callable[[Palette], dict[str, Any]]


@router.get("/charts/history.vl.json")
@router.get("/charts/history.svg")
@needs(Policy.READ)
def of_history(
    request: Request,
    of: RollKind = "cms",
    name: Annotated[str, Query(max_length=120)] = "CMS",
    scheme: Scheme = Scheme.LIGHT,
    width: Width = Width.WIDE,
) -> Response:
    """Capacity by day."""
    days = history_view(service_of(request).database, sums_of(request), of, name).history

    def spec(colours: Palette) -> dict[str, Any]:
        from capacity.web.charts.history import by_day  # noqa: PLC0415 - altair takes a second to load

        return by_day(days, colours)

    return answer(request, Chart([day.model_dump(mode="json") for day in days], spec), palette(scheme, width))


@router.get("/charts/{name}.vl.json")
@router.get("/charts/{name}.svg")
@needs(Policy.READ)
def of_fleet(
    request: Request,
    name: Literal["sites", "federations"],
    scheme: Scheme = Scheme.LIGHT,
    width: Width = Width.WIDE,
) -> Response:
    """Charts of the overview."""
    view = overview_of(sums_of(request))
    rows = view.sites if name == "sites" else view.federations

    def spec(colours: Palette) -> dict[str, Any]:
        from capacity.web.charts.capacities import capacities  # noqa: PLC0415 - altair takes a second to load

        return capacities(rows, colours)

    return answer(request, Chart([row.model_dump(mode="json") for row in rows], spec), palette(scheme, width))


@router.get("/sites/{site}/nodes/{node_id}/charts/{name}.vl.json")
@router.get("/sites/{site}/nodes/{node_id}/charts/{name}.svg")
@needs(Policy.READ)
def of_node(
    request: Request,
    site: SiteName,
    node_id: NodeId,
    name: Literal["ladder", "history"],
    scheme: Scheme = Scheme.LIGHT,
    width: Width = Width.WIDE,
) -> Response:
    """The ladder of a node, or its history."""
    service = service_of(request)
    view = asking.node(service.database, service.estimators, site, node_id, service.fleet, now())
    estimate = view.estimate
    if estimate is None:
        raise NotFoundError("the node has no figure yet, so there is nothing to draw")

    def spec(colours: Palette) -> dict[str, Any]:
        from capacity.web.charts.history import node_history  # noqa: PLC0415 - altair takes a second to load
        from capacity.web.charts.ladder import ladder  # noqa: PLC0415

        if name == "ladder":
            return ladder(view.ladder, estimate, colours)
        return node_history(view.history, view.last_seen_at, colours)

    shown = view.ladder if name == "ladder" else view.history
    data = [estimate.hs23_per_core, view.last_seen_at, [row.model_dump(mode="json") for row in shown]]
    return answer(request, Chart(data, spec), palette(scheme, width))


@router.get("/calibration/charts/{name}.vl.json")
@router.get("/calibration/charts/{name}.svg")
@needs(Policy.READ)
def of_calibration(
    request: Request,
    name: Literal["fit", "families"],
    scheme: Scheme = Scheme.LIGHT,
    width: Width = Width.WIDE,
    version: Version = None,
) -> Response:
    """Fit and residuals of a calibration."""
    view = calibrations.calibration(service_of(request).database, version, now())

    def spec(colours: Palette) -> dict[str, Any]:
        from capacity.web.charts import calibration as charts  # noqa: PLC0415 - altair takes a second to load

        return (
            charts.fit(view.residuals, colours) if name == "fit" else charts.families(view.residuals, colours)
        )

    return answer(request, Chart([view.version], spec), palette(scheme, width), name)


def answer(request: Request, chart: Chart, colours: Palette, name: str = "") -> Response:
    """The chart, or 304 if the browser has it already."""
    path = request.url.path
    digest = digest_of([path, name, colours._asdict(), chart.data])
    headers = {"ETag": f'"{digest}"', "Cache-Control": "private, no-cache"}
    if request.headers.get("if-none-match") == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    if path.endswith(".vl.json"):
        return Response(json.dumps(chart.spec(colours)), media_type="application/json", headers=headers)
    picture = _pictures.get(digest, lambda: chart.spec(colours))
    return Response(picture, media_type="image/svg+xml", headers=headers)
