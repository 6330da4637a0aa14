"""What somebody shows to say who they are, and the text of API tokens."""

from __future__ import annotations

import hashlib
import re
import secrets
from typing import NamedTuple

from capacity.errors import CapacityError

MAX_CREDENTIAL_CHARACTERS = 8192
"""Longest credential that is looked at; WLCG tokens have 1-2 kB."""

COOKIE = "sitecap_session"
"""Name of the cookie in which the login page keeps a token: HttpOnly, SameSite=Strict."""

PREFIX = "sitecap"
_API_TOKEN = re.compile(r"sitecap_([0-9a-f]{16})_([A-Za-z0-9_-]{43})")


class UnauthenticatedError(CapacityError):
    """Nobody knows who asks (HTTP 401)."""


class ApiToken(NamedTuple):
    """Parts of the text ``sitecap_ID_SECRET``: 64 bits of id, 256 bits of secret."""

    id: str
    secret: str

    @property
    def text(self) -> str:
        """What its owner keeps."""
        return f"{PREFIX}_{self.id}_{self.secret}"

    @property
    def hash(self) -> str:
        """SHA-256 of the secret, hexadecimal; it has 256 random bits, so no slow hash is needed."""
        return hashlib.sha256(self.secret.encode()).hexdigest()


def new_api_token() -> ApiToken:
    """A token that nobody had before."""
    return ApiToken(secrets.token_hex(8), secrets.token_urlsafe(32))


def parse_api_token(text: str) -> ApiToken | None:
    """The parts; None = it has not the form of an API token."""
    match = _API_TOKEN.fullmatch(text)
    return ApiToken(match.group(1), match.group(2)) if match else None


def bearer(authorization: str | None) -> str | None:
    """The credential of an Authorization header; None = there is none.

    Raises:
        UnauthenticatedError: another scheme, or too long.
    """
    if authorization is None:
        return None
    scheme, _, credential = authorization.strip().partition(" ")
    credential = credential.strip()
    if scheme.lower() != "bearer" or not credential:
        raise UnauthenticatedError("send the token as `Authorization: Bearer TOKEN`")
    if len(credential) > MAX_CREDENTIAL_CHARACTERS:
        raise UnauthenticatedError(f"the token is longer than {MAX_CREDENTIAL_CHARACTERS} characters")
    return credential
