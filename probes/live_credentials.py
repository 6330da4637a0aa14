"""Where this process's credentials are. Their values stay on this side of the host door.

Discovery of a token: WLCG Bearer Token Discovery (WLCG AuthZ WG, Zenodo 3937438): BEARER_TOKEN, the file named by
BEARER_TOKEN_FILE, $XDG_RUNTIME_DIR/bt_u<euid>, /tmp/bt_u<euid>; an empty value goes on to the next. Proxy: X509_USER_PROXY,
else /tmp/x509up_u<uid> (Globus convention).
"""

from __future__ import annotations

import os
from typing import NamedTuple

from probes.errors import HostError

MAX_CREDENTIAL_BYTES = 256 * 1024
"""A token is some 1 kB, a proxy with its chain some 20 kB."""


class Found(NamedTuple):
    """A credential's place, and the value that must not leave this side."""

    source: str
    path: str | None
    value: bytes


def find_token() -> Found | None:
    """The first token by the WLCG order; None if there is none.

    Raises:
        HostError: a file that is named cannot be read.
    """
    value = os.environ.get("BEARER_TOKEN", "").strip()
    if value:
        return Found("BEARER_TOKEN", None, value.encode("utf-8", "replace"))
    user = os.geteuid()
    named = os.environ.get("BEARER_TOKEN_FILE", "").strip()
    runtime = os.environ.get("XDG_RUNTIME_DIR", "").strip()
    places = [
        ("BEARER_TOKEN_FILE", named),
        ("XDG_RUNTIME_DIR", f"{runtime}/bt_u{user}" if runtime else ""),
        ("/tmp", f"/tmp/bt_u{user}"),  # noqa: S108 - the place that the WLCG rule names
    ]
    for source, path in places:
        if not path:
            continue
        try:
            content = _read(path).strip()
        except FileNotFoundError:
            # A variable that names nothing is a mistake; the two default places are simply empty.
            if source == "BEARER_TOKEN_FILE":
                raise HostError("ENOENT", f"BEARER_TOKEN_FILE names {path}, which does not exist") from None
            continue
        except OSError as error:
            raise HostError.of(error, path) from error
        if content:
            return Found(source, path, content)
    return None


def bearer_token() -> str:
    """The token itself, for an HTTP header on this side of the door.

    Raises:
        HostError: there is none, or it has characters that RFC 6750 does not allow.
    """
    found = find_token()
    if found is None:
        raise HostError("ENOENT", "no bearer token is found by the WLCG order")
    try:
        text = found.value.decode("ascii")
    except UnicodeDecodeError:
        text = ""
    if not text or any(not (char.isalnum() or char in "-._~+/=") for char in text):
        raise HostError("EINVAL", f"the token of {found.source} has characters that RFC 6750 does not allow")
    return text


def proxy_path() -> str:
    """The file of the X.509 proxy.

    Raises:
        HostError: there is none.
    """
    path = os.environ.get("X509_USER_PROXY", "").strip() or f"/tmp/x509up_u{os.getuid()}"  # noqa: S108 - Globus
    if not os.path.isfile(path):  # noqa: PTH113
        raise HostError("ENOENT", f"{path}: no X.509 proxy")
    return path


def _read(path: str) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as stream:
        return stream.read(MAX_CREDENTIAL_BYTES)
