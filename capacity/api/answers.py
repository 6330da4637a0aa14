"""The statuses that routes may answer, for OpenAPI: each with its meaning and, where it is an error, its form."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field

from capacity.api.problems import MEDIA_TYPE

Responses = dict[int | str, dict[str, Any]]


class Problem(BaseModel):
    """An error (RFC 9457)."""

    type: str = Field(description="always about:blank")
    title: str = Field(description="the status in words")
    status: int
    detail: str = Field(description="one sentence: what is wrong, where, what to do")


MEANINGS: dict[int, str] = {
    400: "The body cannot be read: cut off, not gzip, empty.",
    401: "No credential, or one that is not valid here; see WWW-Authenticate.",
    403: "The credential is valid but not for this.",
    404: "There is no such thing.",
    408: "The body did not arrive in time.",
    409: "It contradicts what is stored.",
    413: "The body is larger, or has more documents, than is taken at a time.",
    415: "The Content-Type or Content-Encoding is not one that is taken.",
    422: "What was sent was read, and is not right.",
    429: "More than the rate of this sender; Retry-After says when to go on.",
    503: "The database or a token issuer cannot be asked now; nothing was acknowledged. Retry-After says when to try again.",
}

_RETRY = {
    "Retry-After": {"description": "seconds until a repetition makes sense", "schema": {"type": "integer"}}
}
_CHALLENGE = {"WWW-Authenticate": {"description": "the scheme, Bearer", "schema": {"type": "string"}}}
_HEADERS: dict[int, dict[str, Any]] = {401: _CHALLENGE, 429: _RETRY, 503: _RETRY}


def errors(*statuses: int) -> Responses:
    """Descriptions of error answers, keyed by status."""
    return {
        status: {
            "description": MEANINGS[status],
            "content": {MEDIA_TYPE: {"schema": Problem.model_json_schema()}},
            **({"headers": _HEADERS[status]} if status in _HEADERS else {}),
        }
        for status in statuses
    }


READ_ERRORS = errors(401, 403, 422, 429, 503)
"""What every reading route may answer."""
