"""What may be told of this process's bearer token: the claims that a site admin needs, no secret and no person.

The token is parsed and not verified: whether its signature is good is for the storage to say. Claims: RFC 7519 §4.1, WLCG
Common JWT Profile.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
from typing import Any

from probes.answers import Json
from probes.errors import HostError
from probes.live_credentials import Found, read, token_places, token_text, token_variable

REQUIRED = ("sub", "exp", "iss", "wlcg.ver", "aud", "iat", "jti")
"""WLCG Common JWT Profile, "Required claims"."""

MAX_TOKEN_CHARS = 65_536
"""An HTTP server takes some 8 kB of header."""

MAX_ITEMS = 64
MAX_CHARS = 512

_LAST_SECOND = 253_402_300_799.0
"""End of the year 9999."""


class _MalformedError(Exception):
    """It is no token; the text is one clause without any of its content."""


def look() -> Json:
    """Fields of `probes.credential_answers.TokenSeen`, None if no token is found."""
    found = token_variable()
    if found is not None:
        return _seen(found)
    for place in token_places():
        try:
            found = read(place)
        except HostError as error:
            return _answer(Found(place.source, place.path, b""), error.text)
        if found is not None and found.value:
            return _seen(found)
    return None


def audiences(value: bytes) -> list[str] | None:
    """Whom a token is made for, None if it is no JSON Web Token."""
    try:
        _, claims = _parts(value)
    except _MalformedError:
        return None
    named = claims.get("aud")
    return [text for text in _texts([named] if isinstance(named, str) else named) if isinstance(text, str)]


def _seen(found: Found) -> Json:
    try:
        header, claims = _parts(found.value)
        return _answer(found, None, header, claims)
    except _MalformedError as error:
        return _answer(found, str(error))


def _parts(value: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
    text = token_text(value)
    if len(value) > MAX_TOKEN_CHARS:
        raise _MalformedError(f"it has {len(value)} characters, more than any header field may have")
    if text is None:
        raise _MalformedError("it has characters that RFC 6750 does not allow in a token")
    parts = text.split(".")
    if len(parts) != 3:
        raise _MalformedError("it is no JSON Web Token: that has three parts with dots between them")
    return _object(parts[0], "header"), _object(parts[1], "claims")


def _object(part: str, what: str) -> dict[str, Any]:
    try:
        found = json.loads(base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, RecursionError):
        raise _MalformedError(f"its {what} are not JSON in base64url") from None
    if not isinstance(found, dict):
        raise _MalformedError(f"its {what} are not a JSON object")
    return found


def _answer(
    found: Found,
    problem: str | None,
    header: dict[str, Any] | None = None,
    claims: dict[str, Any] | None = None,
) -> Json:
    header, about = header or {}, claims or {}
    if claims is not None:
        for name in ("exp", "nbf", "iat"):
            if name in about and _date(about, name) is None:
                raise _MalformedError(f"its claim {name} is no date")
        if "exp" not in about:
            raise _MalformedError("it has no claim exp, so nobody knows until when it is good")
    audiences = about.get("aud")
    return [
        found.source,
        found.path,
        found.mode,
        found.uid,
        len(found.value),
        problem,
        _text(header.get("alg")),
        _text(about.get("iss")),
        _texts([audiences] if isinstance(audiences, str) else audiences),
        _texts(
            str(about.get("scope", "")).split() if isinstance(about.get("scope"), str) else about.get("scope")
        ),
        _texts(about.get("wlcg.groups")),
        _text(about.get("wlcg.ver") or about.get("ver")),
        _date(about, "exp"),
        _date(about, "nbf"),
        _date(about, "iat"),
        [] if claims is None else [name for name in REQUIRED if name not in claims],
    ]


def _date(claims: dict[str, Any], name: str) -> float | None:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return float(value) if 0 <= value <= _LAST_SECOND else None


def _text(value: object) -> str | None:
    if not isinstance(value, str) or not value:
        return None
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in value[:MAX_CHARS])


def _texts(values: object) -> list[Json]:
    if not isinstance(values, list):
        return []
    return [text for text in map(_text, values[:MAX_ITEMS]) if text is not None]
