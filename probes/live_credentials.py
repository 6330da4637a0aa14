"""Where this process's credentials are. Their values stay on this side of the host door.

Discovery of a token: WLCG Bearer Token Discovery (WLCG AuthZ WG, Zenodo 3937438): BEARER_TOKEN, the file named by
BEARER_TOKEN_FILE, $XDG_RUNTIME_DIR/bt_u<euid>, /tmp/bt_u<euid>; an empty value goes on to the next. Proxy: X509_USER_PROXY,
else /tmp/x509up_u<uid> (Globus convention).
"""

from __future__ import annotations

import os
import stat
from typing import NamedTuple

from probes.errors import HostError

MAX_CREDENTIAL_BYTES = 256 * 1024
"""A token is some 1 kB, a proxy with its chain some 20 kB."""


class Found(NamedTuple):
    """A credential's place, and the value that must not leave this side."""

    source: str
    path: str | None
    value: bytes
    mode: int | None = None
    """Permission bits of its file."""
    uid: int | None = None


class Place(NamedTuple):
    """Where a credential may be."""

    source: str
    path: str
    named: bool
    """A variable names this very file, so that its absence is a mistake; a default place is simply empty."""


def token_places() -> tuple[Place, ...]:
    """The files in which a token may be, in order."""
    user = os.geteuid()
    named = os.environ.get("BEARER_TOKEN_FILE", "").strip()
    runtime = os.environ.get("XDG_RUNTIME_DIR", "").strip()
    places = (
        Place("BEARER_TOKEN_FILE", named, named=True),
        Place("XDG_RUNTIME_DIR", f"{runtime}/bt_u{user}" if runtime else "", named=False),
        Place("/tmp", f"/tmp/bt_u{user}", named=False),  # noqa: S108 - the place that the WLCG rule names
    )
    return tuple(place for place in places if place.path)


def find_token() -> Found | None:
    """The first token by the WLCG order; None if there is none.

    Raises:
        HostError: a file that is named cannot be read.
    """
    found = token_variable()
    if found is not None:
        return found
    for place in token_places():
        found = read(place)
        if found is not None and found.value:
            return found
    return None


def token_variable() -> Found | None:
    """The token in BEARER_TOKEN, None if it is unset or empty."""
    value = os.environ.get("BEARER_TOKEN", "").strip()
    return Found("BEARER_TOKEN", None, value.encode("utf-8", "replace")) if value else None


def read(place: Place) -> Found | None:
    """What is in a place, stripped; None if nothing is there.

    Raises:
        HostError: the file is named and does not exist, or cannot be read.
    """
    try:
        descriptor = os.open(place.path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as stream:
            status = os.fstat(descriptor)
            content = stream.read(MAX_CREDENTIAL_BYTES).strip()
    except FileNotFoundError:
        if place.named:
            raise HostError("ENOENT", f"{place.source} names {place.path}, which does not exist") from None
        return None
    except OSError as error:
        raise HostError.of(error, place.path) from error
    return Found(place.source, place.path, content, stat.S_IMODE(status.st_mode), status.st_uid)


def bearer_token() -> str:
    """The token itself, for an HTTP header on this side of the door.

    Raises:
        HostError: there is none, or it has characters that RFC 6750 does not allow.
    """
    found = find_token()
    if found is None:
        raise HostError("ENOENT", "no bearer token is found by the WLCG order")
    text = token_text(found.value)
    if text is None:
        raise HostError("EINVAL", f"the token of {found.source} has characters that RFC 6750 does not allow")
    return text


def token_text(value: bytes) -> str | None:
    """A token as text, None if it has characters outside of b64token (RFC 6750 §2.1)."""
    try:
        text = value.decode("ascii")
    except UnicodeDecodeError:
        return None
    good = text and all(char.isalnum() or char in "-._~+/=" for char in text)
    return text if good else None


def proxy_place() -> Place:
    """The file in which the X.509 proxy is, or would be."""
    named = os.environ.get("X509_USER_PROXY", "").strip()
    if named:
        return Place("X509_USER_PROXY", named, named=True)
    return Place("/tmp", f"/tmp/x509up_u{os.getuid()}", named=False)  # noqa: S108 - Globus


def proxy_path() -> str:
    """The file of the X.509 proxy.

    Raises:
        HostError: there is none.
    """
    path = proxy_place().path
    if not os.path.isfile(path):  # noqa: PTH113
        raise HostError("ENOENT", f"{path}: no X.509 proxy")
    return path
