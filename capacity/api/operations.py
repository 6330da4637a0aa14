"""What operators and machines ask: is it alive, is it ready, what does it say of itself, how is it used."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.openapi.utils import get_openapi
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST

from capacity.api.answers import READ_ERRORS, errors
from capacity.api.guard import service_of
from capacity.api.telemetry import Metrics
from capacity.errors import UnavailableError
from capacity.service.exporting import export
from capacity.service.policy import Policy, needs

router = APIRouter(tags=["operations"])
OPENAPI_PATH = "/api/v1/openapi.json"


@router.get("/healthz")
@needs(Policy.ANYBODY)
async def alive() -> dict[str, str]:
    """The process answers. Says nothing of the database: a restart would not help it."""
    return {"status": "alive"}


@router.get("/readyz", responses=errors(503))
@needs(Policy.ANYBODY)
def ready(request: Request) -> dict[str, str]:
    """The database answers: requests may be sent here."""
    service_of(request).database.ping()
    return {"status": "ready"}


@router.get(
    "/metrics",
    response_class=Response,
    responses={200: {"content": {CONTENT_TYPE_LATEST: {}}}, **READ_ERRORS},
)
@needs(Policy.READ)
def metrics(request: Request) -> Response:
    """Prometheus metrics of the fleet, and of this service.

    The service's own numbers come also when the database is away: that is when somebody looks at them.
    """
    service, own = service_of(request), request.app.state.metrics
    assert isinstance(own, Metrics)
    try:
        fleet = export(service.database, "prometheus", datetime.now(UTC), service.fleet).body
        own.database_up.set(1)
    except UnavailableError:
        fleet = b""
        own.database_up.set(0)
    return Response(own.exposition() + fleet, media_type=CONTENT_TYPE_LATEST)


@router.get(OPENAPI_PATH, response_class=JSONResponse)
@needs(Policy.ANYBODY)
def openapi(request: Request) -> JSONResponse:
    """This interface as OpenAPI 3.1, with the role that each route needs."""
    app = request.app
    if app.openapi_schema is None:
        app.openapi_schema = describe(app)
    return JSONResponse(app.openapi_schema)


def describe(app: Any) -> dict[str, Any]:  # noqa: ANN401 - FastAPI, which only the edges know
    """The OpenAPI document of an application."""
    document = get_openapi(title=app.title, version=app.version, summary=app.summary, routes=app.routes)
    document["components"] = {
        **document.get("components", {}),
        "securitySchemes": {
            "token": {
                "type": "http",
                "scheme": "bearer",
                "description": "API token, or a JWT of a configured issuer",
            }
        },
    }
    return document
