"""Whose fault an answer through a proxy is: what the proxy says for itself, as opposed to what it passes on.

A library for probes, not a probe; pure. Squid signs its own error pages with `X-Squid-Error: ERR_NAME code` and
`Server: squid/…`; what it passes on has the origin's Server, if any, and names the proxy in Via only (squid
documentation, "error pages"; RFC 9209 for Proxy-Status).
"""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

from probes.answers import Fetched

ProxyFault = Literal["acl-denied", "proxy-auth", "proxy-error"]

_ERROR_NAME = re.compile(r"^ERR_[A-Z0-9_]{1,60}(?: -?\d{1,6})?")

_PAGE = re.compile(rb"\bsquid\b|<body id=.?ERR_|ERR_[A-Z_]{4,40}", re.IGNORECASE)
"""In an error page of squid's own, whose header a box on the way may have taken off."""

_PAGE_STATUSES = frozenset({403, 407, 502, 503, 504})

_DENIED = ("ERR_ACCESS_DENIED", "ERR_FORWARDING_DENIED")
_AUTHENTICATION = ("ERR_CACHE_ACCESS_DENIED", "ERR_CACHE_MGR_ACCESS_DENIED")

_MEANINGS = {
    "ERR_CONNECT_FAIL": "it cannot connect to the server",
    "ERR_DNS_FAIL": "it cannot resolve the server's name",
    "ERR_READ_TIMEOUT": "the server did not answer it in time",
    "ERR_READ_ERROR": "its connection to the server broke",
    "ERR_ZERO_SIZE_OBJECT": "the server hung up on it",
    "ERR_CANNOT_FORWARD": "it has no way to forward the request",
    "ERR_LIFETIME_EXP": "the request took it too long",
    "ERR_TOO_BIG": "the object is larger than it allows",
}
"""What squid's error pages say, by their names (squid, errors/templates)."""


class OwnError(NamedTuple):
    """An error of the proxy itself."""

    fault: ProxyFault
    detail: str
    """One clause, e.g. "403 from the proxy itself (ERR_ACCESS_DENIED)"."""


def own_error(answer: Fetched) -> OwnError | None:
    """The proxy's own error in an answer that came through it; None if the answer is the server's."""
    status = answer.status
    if status is None or status < 400:
        return None
    match = _ERROR_NAME.match(answer.headers.get("x-squid-error", ""))
    name = match[0].split(" ")[0] if match else None
    by_proxy = match is not None or answer.headers.get("server", "").lower().startswith("squid")
    by_proxy = by_proxy or "error=" in answer.headers.get("proxy-status", "")
    by_proxy = by_proxy or (status in _PAGE_STATUSES and bool(_PAGE.search(answer.body[:8192])))
    if not by_proxy and status != 407:
        return None
    said = f"{status} from the proxy itself" + (f" ({name})" if name else "")
    if name in _DENIED or (name is None and status == 403):
        return OwnError("acl-denied", f"{said}: its access list does not let this node through")
    if status == 407 or name in _AUTHENTICATION:
        return OwnError("proxy-auth", f"{said}: it wants a user name and password")
    meaning = _MEANINGS.get(name or "")
    return OwnError("proxy-error", said + (f": {meaning}" if meaning else ""))


def from_cache(answer: Fetched) -> bool:
    """Whether an answer came out of a cache on the way.

    The last word of X-Cache is that of the nearest proxy; without that field, any Age says that some cache had it
    (RFC 9111 §5.1).
    """
    nearest = answer.headers.get("x-cache", "").rpartition(",")[2].strip().upper()
    return nearest.startswith("HIT") if nearest else "age" in answer.headers
