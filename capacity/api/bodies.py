"""Request bodies: read within bounds of size, time and memory; gzip undone without ever exceeding them."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from capacity.api.problems import BodyError
from capacity.errors import UnavailableError
from capacity.settings import LimitSettings

_GZIP = 31
"""Window bits of zlib for the gzip format."""

_PIECE_BYTES = 1024 * 1024
"""So much is inflated at a time, so that the bound is looked at before more is made."""

_SMALL_BYTES = 16 * 1024
"""Bodies up to here are inflated at once: a thread would cost more (deflate makes at most 1,032 bytes of one)."""


class InFlight:
    """Bytes of bodies that this process holds now, with a bound. Safe for threads.

    Args:
        bound_bytes: most that are held at once.
        told: is given the number whenever it changes.
    """

    def __init__(self, bound_bytes: int, told: Callable[[float], None] = lambda _: None) -> None:
        self._bound_bytes = bound_bytes
        self._told = told
        self._held_bytes = 0
        self._lock = Lock()

    @property
    def held_bytes(self) -> int:
        """So many now."""
        return self._held_bytes

    @contextmanager
    def reservation(self) -> Iterator[Reservation]:
        """A reservation that grows while a body is read, and is given back at the end."""
        mine = Reservation(self)
        try:
            yield mine
        finally:
            self._add(-mine.size_bytes)

    def _add(self, size_bytes: int) -> bool:
        with self._lock:
            if size_bytes > 0 and self._held_bytes + size_bytes > self._bound_bytes:
                return False
            self._held_bytes += size_bytes
            self._told(self._held_bytes)
            return True


class Reservation:
    """What one request holds."""

    def __init__(self, owner: InFlight) -> None:
        self._owner = owner
        self.size_bytes = 0

    def grow(self, size_bytes: int) -> None:
        """Hold so many bytes more.

        Raises:
            UnavailableError: the process holds as much as it may.
        """
        if not self._owner._add(size_bytes):  # noqa: SLF001 - two halves of one idea
            raise UnavailableError(
                "the service holds as many requests as it may: send it again", retry_after_s=2
            )
        self.size_bytes += size_bytes


async def read_body(
    request: Request, limits: LimitSettings, body_s: float, reservation: Reservation
) -> bytes:
    """The body of a request, with gzip undone.

    Raises:
        BodyError: too large (413), too slow (408), of an encoding that is not taken (415), damaged gzip (400).
        UnavailableError: the process holds as many bodies as it may.
    """
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in {"identity", "gzip", "x-gzip"}:
        raise BodyError(415, "Content-Encoding must be gzip or absent")
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > limits.body_bytes:
        raise _too_large(limits.body_bytes)
    try:
        async with asyncio.timeout(body_s):
            body = await _received(request, limits.body_bytes, reservation)
    except TimeoutError:
        raise BodyError(408, f"the body did not arrive within {body_s:g} s") from None
    except ClientDisconnect:
        raise BodyError(400, "the body was cut off") from None
    if encoding == "identity":
        return body
    if len(body) <= _SMALL_BYTES:
        return inflate(body, limits.inflated_bytes, reservation)
    return await run_in_threadpool(inflate, body, limits.inflated_bytes, reservation)


async def _received(request: Request, bound_bytes: int, reservation: Reservation) -> bytes:
    parts: list[bytes] = []
    size_bytes = 0
    async for part in request.stream():
        size_bytes += len(part)
        if size_bytes > bound_bytes:
            raise _too_large(bound_bytes)
        reservation.grow(len(part))
        parts.append(part)
    return b"".join(parts)


def inflate(body: bytes, bound_bytes: int, reservation: Reservation) -> bytes:
    """Undo gzip (of several members too), never making more than the bound.

    Raises:
        BodyError: more than `bound_bytes` (413), or not gzip (400).
        UnavailableError: the process holds as many bodies as it may.
    """
    parts: list[bytes] = []
    size_bytes = 0
    rest = body
    try:
        while rest:
            member = zlib.decompressobj(_GZIP)
            while not member.eof:
                part = member.decompress(rest, _PIECE_BYTES)
                rest = member.unconsumed_tail
                if not part and not rest and not member.eof:
                    raise BodyError(400, "the gzip body is cut off")
                size_bytes += len(part)
                if size_bytes > bound_bytes:
                    raise BodyError(
                        413,
                        f"the body has more than {bound_bytes} bytes after gzip is undone: send it in parts",
                    )
                reservation.grow(len(part))
                parts.append(part)
            rest = member.unused_data
    except zlib.error:
        raise BodyError(400, "the body is not gzip, though Content-Encoding says so") from None
    return b"".join(parts)


def _too_large(bound_bytes: int) -> BodyError:
    return BodyError(413, f"the body has more than {bound_bytes} bytes: send it in parts")
