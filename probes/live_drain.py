"""A body that is read to its end behind the host door, and of which only length, checksum and times come back."""

from __future__ import annotations

import zlib

from probes.answers import Json
from probes.live_fetch import exchange


def drain(
    url: str,
    headers: dict[str, str],
    ca_path: str | None,
    credential: str | None,
    connect_timeout_s: float,
    timeout_s: float,
    limit_bytes: int,
    checksum: bool,  # noqa: FBT001 - in the order of the question
) -> list[Json]:
    """GET, as `probes.answers.Drained` is built from it.

    Raises:
        HostError: the URL is none, there are no authorities for https, or no such credential.
    """
    value = 1

    def take(piece: bytes) -> None:
        nonlocal value
        if checksum:
            value = zlib.adler32(piece, value)

    at = exchange(
        "GET",
        url,
        headers,
        proxy=None,
        ca_path=ca_path,
        credential=credential,
        connect_timeout_s=connect_timeout_s,
        timeout_s=timeout_s,
        limit_bytes=limit_bytes,
        take=take,
    )
    fields: dict[str, Json] = dict(at.fields)
    return [
        at.status,
        fields,
        at.body_bytes,
        f"{value:08x}" if checksum else None,
        at.complete,
        at.stage,
        at.error,
        at.errno_name,
        at.first_byte_s,
        at.duration_s,
    ]
