"""Profiles in and out: `POST /api/v1/profiles`, `GET /api/v1/profiles/{id}`."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, FastAPI, Path, Request
from fastapi.responses import Response

from capacity.api.answers import READ_ERRORS, Problem, errors
from capacity.api.bodies import InFlight, read_body
from capacity.api.guard import DirectRoute, principal_of, service_of
from capacity.api.intake import Intake
from capacity.api.problems import BodyError, problem
from capacity.api.telemetry import Metrics
from capacity.errors import NotFoundError
from capacity.service import retention
from capacity.service.ingest import Verdict
from capacity.service.policy import Policy, needs
from capacity.service.rates import RateBound
from profiles.profile import CapabilityProfile

JSON = "application/json"
LINES = ("application/x-ndjson", "application/ndjson", "application/jsonl")
_GOOD = {"stored": 202, "duplicate": 200}
_ID = r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"
_BAD = {"invalid": 422, "forbidden": 403, "conflict": 409}

VERDICT: dict[str, Any] = {
    "type": "object",
    "required": ["index", "id", "status", "message"],
    "properties": {
        "index": {"type": "integer", "minimum": 0, "description": "place in the request, from 0"},
        "id": {"type": ["string", "null"], "description": "of the profile; null = none could be read"},
        "status": {"enum": ["stored", "duplicate", "conflict", "invalid", "forbidden"]},
        "message": {"type": "string"},
    },
}
VERDICTS: dict[str, Any] = {
    "type": "object",
    "required": ["counts", "verdicts"],
    "properties": {
        "counts": {"type": "object", "additionalProperties": {"type": "integer"}},
        "verdicts": {"type": "array", "items": VERDICT},
    },
}
_REFUSED = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {**Problem.model_json_schema()["properties"], "verdict": VERDICT},
}
_TEXT = {"schema": {"type": "string", "description": "one profile a line; one verdict a line"}}
_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "One profile: it was stored before, nothing changed. Lines: each has its verdict.",
        "content": {JSON: {"schema": {"anyOf": [VERDICT, VERDICTS]}}},
    },
    202: {
        "description": "The profile is durable; its node's estimate follows within seconds.",
        "content": {JSON: {"schema": VERDICT}},
    },
    **errors(400, 401, 403, 408, 409, 413, 415, 422, 429, 503),
}
for _status in _BAD.values():
    _ANSWERS[_status]["content"] = {"application/problem+json": {"schema": _REFUSED}}
_REQUEST = {
    "requestBody": {
        "required": True,
        "description": "A capability profile (`agent schema` prints its JSON Schema), or one a line. gzip is taken.",
        "content": {JSON: {"schema": {"type": "object"}}, **dict.fromkeys(LINES, _TEXT)},
    }
}


class Reception:
    """What the receiving route works with; made with the application."""

    def __init__(self, intake: Intake, in_flight: InFlight, rate: RateBound, metrics: Metrics) -> None:
        self.intake = intake
        self.in_flight = in_flight
        self.rate = rate
        self.metrics = metrics


router = APIRouter(prefix="/api/v1", tags=["profiles"])


def receive_profiles(app: FastAPI) -> None:
    """Add the receiving route: before all others and not through a router, because most requests are for it."""
    app.router.routes.append(
        DirectRoute(
            "/api/v1/profiles",
            post_profiles,
            methods=["POST"],
            tags=["profiles"],
            responses=_ANSWERS,
            openapi_extra=_REQUEST,
            response_class=Response,
        )
    )


@needs(Policy.SUBMIT)
async def post_profiles(request: Request) -> Response:
    """Hand in capability profiles: one as JSON, or many as lines. Sending the same again is right and changes nothing."""
    reception, service = request.app.state.reception, service_of(request)
    assert isinstance(reception, Reception)
    principal = principal_of(request)
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != JSON and media_type not in LINES:
        raise BodyError(415, f"Content-Type must be {JSON} for one profile or {LINES[0]} for one a line")
    limits, body_s = service.config.limits, service.config.server.body_s
    reception.rate.check(principal.subject)
    with reception.in_flight.reservation() as reservation:
        body = await read_body(request, limits, body_s, reservation)
        if media_type == JSON:
            if not body.strip():
                raise BodyError(400, "the body is empty: send one profile")
            reception.rate.take(principal.subject)
            verdict = await reception.intake.one(body, principal)
            reception.metrics.judged(verdict.status, 1)
            return _of_one(verdict)
        documents = _documents(body, limits.documents)
        reception.rate.take(principal.subject, len(documents))
        verdicts = await reception.intake.many(documents, principal)
    counts = Counter(verdict.status for verdict in verdicts)
    for status, number in counts.items():
        reception.metrics.judged(status, number)
    return _json({"counts": counts, "verdicts": verdicts}, 200)


@router.get(
    "/profiles/{profile_id}",
    responses={200: {"content": {JSON: {"schema": {"type": "object"}}}}, **READ_ERRORS, **errors(404)},
    response_class=Response,
)
@needs(Policy.READ)
def get_profile(request: Request, profile_id: Annotated[str, Path(pattern=_ID)]) -> Response:
    """A profile as it was handed in, byte for byte, also from the archive."""
    service = service_of(request)
    document = retention.document(service.database, service.archive, profile_id)
    if document is None:
        raise NotFoundError(f"there is no profile {profile_id!r}")
    return Response(document, media_type=JSON)


@router.get(
    "/schema", response_class=Response, responses={200: {"content": {JSON: {"schema": {"type": "object"}}}}}
)
@needs(Policy.ANYBODY)
def get_schema() -> Response:
    """The JSON Schema of capability profiles that this service reads."""
    return _json(CapabilityProfile.model_json_schema(), 200)


def _documents(body: bytes, bound: int) -> list[bytes]:
    """Lines that are not blank.

    Raises:
        BodyError: none (400), or more than `bound` (413).
    """
    if body.count(b"\n") > 2 * bound:
        raise _too_many(bound)
    documents = [line for line in body.split(b"\n") if line and not line.isspace()]
    if not documents:
        raise BodyError(400, "the body is empty: send one profile a line")
    if len(documents) > bound:
        raise _too_many(bound)
    return documents


def _too_many(bound: int) -> BodyError:
    return BodyError(413, f"more than {bound} profiles in one request: send them in parts")


def _of_one(verdict: Verdict) -> Response:
    good = _GOOD.get(verdict.status)
    if good is not None:
        return _json(verdict, good)
    return problem(_BAD[verdict.status], verdict.message, extra={"verdict": verdict})


def _json(value: Any, status: int) -> Response:  # noqa: ANN401 - any JSON
    return Response(orjson.dumps(value), status, media_type=JSON)
