"""One bounded HTTP GET or HEAD as the network probe asks it: what came of it, and its beginning as text."""

from __future__ import annotations

from probes.answers import Json
from probes.live_fetch import exchange

BODY_TEXT_BYTES = 64 * 1024
"""So much of a body is shown at most: a larger one is fetched for its speed, not to be kept in a recording."""


def http_get(
    url: str,
    headers: dict[str, str],
    proxy: str | None,
    ca_path: str | None,
    timeout_s: float,
    limit_bytes: int,
    head: bool,  # noqa: FBT001
) -> list[Json]:
    """Ask once; the body is cut at `limit_bytes`.

    All of a HEAD takes at most `timeout_s`; a GET may read its body for as long again.

    Raises:
        HostError: the URL or the proxy is none, or there are no authorities for https.
    """
    at = exchange(
        "HEAD" if head else "GET",
        url,
        headers,
        proxy=proxy,
        ca_path=ca_path,
        connect_timeout_s=timeout_s,
        timeout_s=timeout_s * (1 if head else 2),
        limit_bytes=0 if head else limit_bytes,
    )
    fields: dict[str, Json] = dict(at.fields)
    if at.status is None:
        return [None, {}, "", 0, at.error or "no answer", at.duration_s]
    text = at.body[:BODY_TEXT_BYTES].decode("utf-8", "replace")
    return [at.status, fields, text, len(at.body), None, at.duration_s]
