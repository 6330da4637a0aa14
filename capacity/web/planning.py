"""The page of the computing model, and its charts."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from capacity.service.policy import Policy, needs
from capacity.service.views.plan import Asked, PlanView, asked_of, plan_view
from capacity.web.charts.theme import Palette, Scheme, Width, palette
from capacity.web.drawings import Chart, answer
from capacity.web.pages import page
from capacity.web.state import now, sums_of

router = APIRouter()

Short = Annotated[str, Query(max_length=40)]
Scenarios = Annotated[list[Annotated[str, Query(max_length=40)]] | None, Query(max_length=6)]
Sets = Annotated[list[Annotated[str, Query(max_length=200)]] | None, Query(max_length=60)]


@page(router, "/plan", "plan.html")
def plan(
    request: Request,
    scenario: Scenarios = None,
    schedule: Short = "",
    flat: Short = "",
    gpu: Short = "",
    set: Sets = None,  # noqa: A002 - as the flag of the command is called
) -> PlanView:
    """What CMS needs by year under chosen assumptions, against the flat budget, pledges and this fleet."""
    return plan_view(_asked(request, scenario, schedule, flat, gpu, set), sums_of(request).cms, now())


@router.get("/plan/charts/{name}.vl.json", include_in_schema=False)
@router.get("/plan/charts/{name}.svg", include_in_schema=False)
@needs(Policy.READ)
def chart(  # noqa: PLR0913, PLR0917 - what the form sends
    request: Request,
    name: Literal["cpu_khs06_years", "disk_pb", "tape_pb"],
    scenario: Scenarios = None,
    schedule: Short = "",
    flat: Short = "",
    gpu: Short = "",
    set: Sets = None,  # noqa: A002 - as the flag of the command is called
    scheme: Scheme = Scheme.LIGHT,
    width: Width = Width.WIDE,
) -> Response:
    """Need of one resource."""
    view = plan_view(_asked(request, scenario, schedule, flat, gpu, set), sums_of(request).cms, now())
    resource = next(one for one in view.resources if one.name == name)

    def spec(colours: Palette) -> dict[str, object]:
        from capacity.web.charts.plan import needs as needs_chart  # noqa: PLC0415 - altair takes a second to load

        return needs_chart(view.years, resource, colours)

    return answer(
        request, Chart([view.years, resource.model_dump(mode="json")], spec), palette(scheme, width)
    )


def _asked(
    request: Request, scenario: list[str] | None, schedule: str, flat: str, gpu: str, sets: list[str] | None
) -> Asked:
    return asked_of(scenario, schedule, flat, gpu, sets, request.query_params)
