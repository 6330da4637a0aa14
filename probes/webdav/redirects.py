"""Where a door sends a reader on to, and whether the credential goes along. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urljoin, urlsplit

MAX_HOPS = 4
"""A door and its pool are two; XrdHttp's own clients stop at some more."""

STATUSES = frozenset({301, 302, 303, 307, 308})
"""RFC 9110 §15.4; 300 and 304 send nobody on."""


class Target(NamedTuple):
    """Where to ask next."""

    url: str
    host: str
    port: int
    trusted: bool
    """Whether the credential may go along: only over TLS, and only to a host of the door's own domain."""


def target(url: str, status: int | None, headers: Mapping[str, str]) -> Target | None:
    """Where the answer of `url` sends us on to; None if it does not.

    Raises:
        ValueError: to something that is no URL of HTTP; the text is one clause.
    """
    location = headers.get("location")
    if status not in STATUSES or not location:
        return None
    try:
        joined = urljoin(url, location)
        parts, origin = urlsplit(joined), urlsplit(url)
        port = parts.port or {"https": 443, "http": 80}[parts.scheme]
    except (ValueError, KeyError):
        raise ValueError("it redirects to what is no http or https URL") from None
    if not parts.hostname:
        raise ValueError("it redirects to a URL without a host")
    trusted = parts.scheme == "https" and _same_domain(parts.hostname, origin.hostname or "")
    return Target(parts._replace(fragment="").geturl(), parts.hostname, port, trusted)


def _same_domain(host: str, other: str) -> bool:
    if host == other:
        return True
    domain = host.partition(".")[2]
    # A name directly below a public suffix shares it with strangers, so two dots at least are wanted.
    return "." in domain and domain == other.partition(".")[2] and not domain.replace(".", "").isdigit()
