"""Which proxy a request goes through."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies_environment, proxy_bypass

from agent.delivery.errors import DeliveryError


class Proxy(NamedTuple):
    """An outbound proxy; only `address` may be shown."""

    address: str
    """http://HOST:PORT, without name and password."""
    credentials: str | None
    """NAME:PASSWORD."""


def proxy_for(url: str, setting: str | None) -> Proxy | None:
    """The proxy for a URL; None = straight.

    Args:
        url: of the service.
        setting: "" = none, None = the environment's: HTTPS_PROXY, HTTP_PROXY (also in lower case), ALL_PROXY, but not for
            a host that NO_PROXY names.

    Raises:
        DeliveryError: it is not an address of an HTTP proxy.
    """
    parts = urlsplit(url)
    where = "delivery.proxy"
    if setting is None:
        found = getproxies_environment()
        where = f"the environment's {parts.scheme}_proxy"
        setting = found.get(parts.scheme) or found.get("all") or ""
        if setting and proxy_bypass(parts.netloc, found):
            return None
    if not setting.strip():
        return None
    return _parse(setting.strip(), where)


def _parse(text: str, where: str) -> Proxy:
    try:
        parts = urlsplit(text if "://" in text else f"http://{text}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
        parts = urlsplit("")
    if parts.scheme not in {"http", "https"} or not host:
        # The text itself may hold a password.
        raise DeliveryError(f"{where} is no address of an HTTP proxy: give it as http://HOST:PORT")
    shown = f"[{host}]" if ":" in host else host
    name = unquote(parts.username) if parts.username else None
    credentials = f"{name}:{unquote(parts.password or '')}" if name else None
    return Proxy(f"{parts.scheme}://{shown}:{port or (443 if parts.scheme == 'https' else 80)}", credentials)
