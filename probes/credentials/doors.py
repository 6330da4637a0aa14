"""Which host a URL or an audience names."""

from __future__ import annotations

from urllib.parse import urlsplit


def host_of(url: str) -> str | None:
    """Host of a URL or of "host:port", in lower case; None for a path or what is malformed."""
    try:
        return urlsplit(url if "://" in url else f"//{url}").hostname
    except ValueError:
        return None
