"""Errors as answers: application/problem+json (RFC 9457), one sentence, never a traceback."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import orjson
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from capacity.errors import (
    BadInputError,
    CapacityError,
    ConflictError,
    NotFoundError,
    RefusedError,
    UnavailableError,
)
from capacity.service.credentials import UnauthenticatedError
from capacity.service.rates import TooOftenError

MEDIA_TYPE = "application/problem+json"

STATUSES: Mapping[type[CapacityError], int] = {
    UnauthenticatedError: 401,
    RefusedError: 403,
    NotFoundError: 404,
    ConflictError: 409,
    BadInputError: 422,
    TooOftenError: 429,
    UnavailableError: 503,
}


class BodyError(CapacityError):
    """A request body that is not looked at any further.

    Attributes:
        status: 400, 408, 413 or 415.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def status_of(error: CapacityError) -> int:
    """The HTTP status of an error of the rooms below."""
    if isinstance(error, BodyError):
        return error.status
    return next((status for kind, status in STATUSES.items() if isinstance(error, kind)), 500)


def problem(
    status: int, detail: str, headers: Mapping[str, str] | None = None, extra: Mapping[str, Any] | None = None
) -> Response:
    """An error answer."""
    content = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail}
    return Response(
        orjson.dumps({**content, **(extra or {})}),
        status,
        headers=dict(headers) if headers else None,
        media_type=MEDIA_TYPE,
    )


def answer(error: CapacityError) -> Response:
    """The error answer, with the headers that belong to its status."""
    return problem(status_of(error), str(error), headers_of(error))


def headers_of(error: CapacityError) -> dict[str, str]:
    """Headers that belong to an error's status."""
    if isinstance(error, UnavailableError | TooOftenError):
        return {"Retry-After": str(error.retry_after_s)}
    if isinstance(error, UnauthenticatedError):
        return {"WWW-Authenticate": 'Bearer realm="sitecap"'}
    # What is left of the body is not read: the connection cannot be used for another request.
    return {"Connection": "close"} if isinstance(error, BodyError) else {}


def install(app: FastAPI) -> None:
    """Let the application answer errors so."""
    app.add_exception_handler(CapacityError, _capacity_error)
    app.add_exception_handler(RequestValidationError, _wrong_parameters)
    app.add_exception_handler(HTTPException, _http_error)


async def _capacity_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, CapacityError)
    return answer(error)


async def _wrong_parameters(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"])[:200]
    return problem(422, f"{place}: {first['msg']}")


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    sentences = {
        404: "there is nothing at this address: the interface is described at /api/v1/openapi.json",
        405: f"this address does not take {request.method[:16]}: see Allow",
    }
    return problem(error.status_code, sentences.get(error.status_code, str(error.detail)), error.headers)
