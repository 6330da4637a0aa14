"""Exports of what is known, and imports of what others measured or pledged."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from capacity.api.answers import READ_ERRORS, errors
from capacity.api.bodies import read_body
from capacity.api.guard import principal_of, service_of
from capacity.api.parameters import NODE_ID, SITE, SiteQuery
from capacity.exports import FORMATS
from capacity.imports import KINDS
from capacity.service.exporting import export
from capacity.service.importing import import_file
from capacity.service.policy import Policy, needs

router = APIRouter(prefix="/api/v1", tags=["exchange"])

Format = StrEnum("Format", {name: name for name in FORMATS})  # type: ignore[misc]
Kind = StrEnum("Kind", {name: name for name in KINDS})  # type: ignore[misc]


class Imported(BaseModel):
    """What became of an import."""

    model_config = ConfigDict(from_attributes=True)

    scores_stored: int = Field(description="new benchmark runs")
    scores_known: int = Field(description="runs that were imported before; nothing changed")
    scores_of_nodes: int = Field(description="of the new ones, how many belong to a node that is known")
    sites: int
    pledges: int
    problems: tuple[str, ...] = Field(description="what was left out and why")


@router.get(
    "/exports/{name}",
    response_class=Response,
    responses={
        200: {"content": {form.media_type: {} for form in FORMATS.values()}, "description": "The file."},
        **READ_ERRORS,
        **errors(404),
    },
)
@needs(Policy.READ)
def get_export(
    request: Request,
    name: Format,
    site: SiteQuery = None,
    node_id: Annotated[str | None, Query(pattern=NODE_ID, description="for formats of one node")] = None,
) -> Response:
    """One format of everything, of a site, or of a node."""
    service = service_of(request)
    made = export(service.database, name.value, datetime.now(UTC), service.fleet, site, node_id)
    headers = {"Content-Disposition": f'attachment; filename="{made.filename}"'}
    return Response(made.body, media_type=made.media_type, headers=headers)


@router.post(
    "/imports/{kind}",
    responses=errors(400, 401, 403, 408, 413, 415, 422, 429, 503),
    openapi_extra={
        "requestBody": {"required": True, "content": {"application/octet-stream": {"schema": {}}}}
    },
)
@needs(Policy.ADMIN)
async def post_import(
    request: Request,
    kind: Kind,
    site: Annotated[str | None, Query(pattern=SITE, description="where scores without a site belong")] = None,
) -> Imported:
    """Take a file of scores, pledges or sites; the same file twice counts once. gzip is taken."""
    service, in_flight = service_of(request), request.app.state.reception.in_flight
    config = service.config
    with in_flight.reservation() as reservation:
        body = await read_body(request, config.limits, config.server.body_s, reservation)
        outcome = await run_in_threadpool(
            import_file, service.database, kind.value, body, principal_of(request), datetime.now(UTC), site
        )
    return Imported.model_validate(outcome)
