"""HTTP/1.1 as the service speaks it: uvicorn's protocol, with bounds on what comes before a request is worked on.

The parser in C (httptools) costs a third of the one in Python (h11), which stands in where the former is not installed.
"""

from __future__ import annotations

import asyncio
from typing import Any

import uvicorn

try:
    from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol as _Base
except ModuleNotFoundError:  # no httptools for this platform
    _PARSER_IN_C = False
    from uvicorn.protocols.http.h11_impl import H11Protocol as _Base  # type: ignore[assignment]
else:
    _PARSER_IN_C = True

MAX_HEAD_BYTES = 64 * 1024
"""Most bytes in a row that bring no part of a body: heads, trailers, frames of chunks."""


class PatientConfig(uvicorn.Config):
    """uvicorn's configuration, with the time that a request head may take."""

    header_s: float = 10


class PatientProtocol(_Base):
    """HTTP/1.1 that closes connections on which no whole request head arrives in time.

    uvicorn bounds only the pause between requests: a peer that sends a byte now and then would keep its connection for
    ever (slow loris). What is sent after the answer counts too.
    """

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A peer has connected: the clock runs."""
        super().connection_made(transport)
        self._watch()

    def data_received(self, data: bytes) -> None:
        """Something came: the clock stops only if a request is complete enough to be worked on."""
        super().data_received(data)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """The peer has gone."""
        super().connection_lost(exc)
        self._unwatch()

    def _watch(self) -> None:
        if self._busy():
            self._unwatch()
        elif self._deadline is None:
            assert isinstance(self.config, PatientConfig)
            self._deadline = self.loop.call_later(self.config.header_s, self._give_up)

    def _unwatch(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _give_up(self) -> None:
        self._deadline = None
        if not self._busy():
            self.transport.abort()

    def _busy(self) -> bool:
        cycle: Any = self.cycle  # None until the first request
        return cycle is not None and not cycle.response_complete


class BoundedProtocol(PatientProtocol):
    """With a bound on the size of heads and trailers, which h11 has of itself and httptools has not."""

    _without_body_bytes = 0

    def data_received(self, data: bytes) -> None:
        """Something came; whatever part of a body is in it sets the count back."""
        self._without_body_bytes += len(data)
        super().data_received(data)
        if self._without_body_bytes > MAX_HEAD_BYTES and not self.transport.is_closing():
            self.send_400_response(f"More than {MAX_HEAD_BYTES} bytes without a part of a body.")

    def on_headers_complete(self) -> None:
        """A head is whole."""
        self._without_body_bytes = 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A part of a body."""
        self._without_body_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """A request is whole."""
        self._without_body_bytes = 0
        super().on_message_complete()


PROTOCOL: type[asyncio.Protocol] = BoundedProtocol if _PARSER_IN_C else PatientProtocol
"""What the server speaks."""
