"""A client that costs little: requests are bytes that were made beforehand, connections stay open."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Iterator, Sequence

_LENGTH = re.compile(rb"\r\ncontent-length: (\d+)\r\n", re.IGNORECASE)


def request(host: str, path: str, body: bytes, **headers: str) -> bytes:
    """A whole POST; underscores in names of headers stand for hyphens."""
    lines = [f"POST {path} HTTP/1.1", f"Host: {host}", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


class Connection(asyncio.Protocol):
    """One connection; a request after the other."""

    def __init__(self) -> None:
        self._seen = b""
        self._answer: asyncio.Future[bytes] | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It is open."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """A part of an answer, mostly all of it."""
        self._seen += data
        head = self._seen.find(b"\r\n\r\n")
        length = _LENGTH.search(self._seen) if head >= 0 else None
        if length is not None and len(self._seen) >= head + 4 + int(length[1]) and self._answer is not None:
            said, self._seen = self._seen, b""
            self._answer.set_result(said)

    def connection_lost(self, exc: Exception | None) -> None:
        """It is closed."""
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(exc or ConnectionResetError("the service closed the connection"))

    async def post(self, whole: bytes) -> None:
        """Send a request and wait for its answer.

        Raises:
            SystemExit: it was not a good one.
        """
        assert self._transport is not None
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(whole)
        said = await self._answer
        if not said.startswith((b"HTTP/1.1 200", b"HTTP/1.1 202")):
            raise SystemExit(said[:600].decode(errors="replace"))

    def close(self) -> None:
        """No more."""
        self._answer = None
        if self._transport is not None:
            self._transport.close()


def send(
    address: str, requests: Sequence[bytes], connections: int, seconds: float, rate_per_s: float | None = None
) -> tuple[float, list[float]]:
    """Send until all are sent or the time is over.

    Args:
        address: host:port.
        requests: of `request`.
        connections: at once.
        seconds: after these no new one is begun.
        rate_per_s: each is sent at its own moment, and what it has to wait for a connection is part of its latency;
            None = as fast as they are answered.

    Returns:
        Wall time, s, and the latency of each answer, s.
    """
    return asyncio.run(_send(address, iter(enumerate(requests)), connections, seconds, rate_per_s))


async def _send(
    address: str,
    queue: Iterator[tuple[int, bytes]],
    connections: int,
    seconds: float,
    rate_per_s: float | None,
) -> tuple[float, list[float]]:
    host, _, port = address.rpartition(":")
    loop = asyncio.get_running_loop()
    opened = [(await loop.create_connection(Connection, host, int(port)))[1] for _ in range(connections)]
    latencies: list[float] = []
    began = time.perf_counter()

    async def work(connection: Connection) -> None:
        for number, whole in queue:
            due = began + number / rate_per_s if rate_per_s else time.perf_counter()
            if max(due, time.perf_counter()) - began > seconds:
                return
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            await connection.post(whole)
            latencies.append(time.perf_counter() - due)

    try:
        await asyncio.gather(*map(work, opened))
        return time.perf_counter() - began, latencies
    finally:
        for connection in opened:
            connection.close()
