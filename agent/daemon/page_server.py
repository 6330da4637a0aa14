"""The process that answers /healthz, /readyz and /metrics: `python -m agent.daemon.page_server LISTENING CHANNEL SECONDS`.

It knows the last message of the loop and nothing else; when none comes any more, its age is the answer. One thread and no
library but sockets: it costs 6 MB, where an HTTP library costs 12 and a thread in the loop's process would be in the way of
its forks.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import socket
import sys
import time
from typing import Any, NamedTuple

MAX_CONNECTIONS = 16
"""Open at a time; one more closes the oldest, so that clients that never end cannot lock the kubelet out."""

CONNECTION_S = 10.0
"""From the first byte to the last, of a request and of its answer."""

MAX_REQUEST_BYTES = 8192
MAX_MESSAGE_BYTES = 65536
MAX_PAGE_BYTES = 16 * 1024 * 1024
METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_REASONS = {
    200: "OK",
    400: "Bad Request",
    404: "Not Found",
    405: "Method Not Allowed",
    503: "Service Unavailable",
}


class Page(NamedTuple):
    """An answer."""

    status: int
    text: str
    kind: str = "text/plain; charset=utf-8"


class State:
    """What is known of the loop.

    Args:
        unhealthy_after_s: age of the last message at which the loop counts as stuck.
        now_s: of a monotonic clock that the loop shares.
    """

    def __init__(self, unhealthy_after_s: float, now_s: float) -> None:
        self._unhealthy_after_s = unhealthy_after_s
        self._at_s = now_s
        self._ready = False
        self._why_not = "the first look has not ended"
        self._metrics = ""

    def take(self, message: dict[str, Any]) -> None:
        """A message of the loop."""
        self._metrics = message.get("metrics", self._metrics)
        self._why_not = message["why_not"]
        self._ready = message["ready"]
        self._at_s = message["at"]

    def page(self, path: str, now_s: float) -> Page:
        """What is at a path."""
        match path:
            case "/healthz":
                return self._health(now_s)
            case "/readyz":
                health = self._health(now_s)
                if health.status != 200:
                    return health
                return Page(200, "ready\n") if self._ready else Page(503, f"{self._why_not}\n")
            case "/metrics":
                return Page(200, self._metrics, METRICS_TYPE)
            case _:
                return Page(404, "there are /healthz, /readyz and /metrics\n")

    def _health(self, now_s: float) -> Page:
        age_s = max(now_s - self._at_s, 0.0)
        if age_s > self._unhealthy_after_s:
            return Page(503, f"the loop has not turned for {age_s:.0f} s\n")
        return Page(200, f"the loop turned {age_s:.0f} s ago\n")


def answer(head: bytes, state: State, now_s: float) -> bytes:
    """The whole answer to the head of a request."""
    words = head.partition(b"\n")[0].decode("latin-1").split()
    if len(words) != 3 or not words[2].startswith("HTTP/"):
        return _bytes_of(Page(400, "this is no HTTP request\n"))
    method, target, _ = words
    if method not in ("GET", "HEAD"):
        return _bytes_of(Page(405, "only GET and HEAD are answered\n"))
    return _bytes_of(state.page(target.partition("?")[0], now_s), body=method == "GET")


def _bytes_of(page: Page, *, body: bool = True) -> bytes:
    content = page.text.encode("utf-8", "replace")
    head = (
        f"HTTP/1.1 {page.status} {_REASONS[page.status]}\r\nContent-Type: {page.kind}\r\n"
        f"Content-Length: {len(content)}\r\nConnection: close\r\n\r\n"
    )
    return head.encode("ascii") + (content if body else b"")


class _Client:
    def __init__(self, connection: socket.socket, until_s: float) -> None:
        self.connection = connection
        self.until_s = until_s
        self.head = b""
        self.left: memoryview | None = None


class Server:
    """Answers until the loop's end of the channel is closed.

    Args:
        listening: non-blocking.
        channel: of messages.
        state: what is answered from.
    """

    def __init__(self, listening: socket.socket, channel: socket.socket, state: State) -> None:
        self._listening = listening
        self._channel = channel
        self._state = state
        self._clients: dict[int, _Client] = {}
        self._selector = selectors.DefaultSelector()

    def run(self) -> None:
        """Until the loop has gone."""
        self._selector.register(self._listening, selectors.EVENT_READ)
        self._selector.register(self._channel, selectors.EVENT_READ)
        while True:
            ends_s = [client.until_s for client in self._clients.values()]
            timeout = max(min(ends_s) - time.monotonic(), 0.0) if ends_s else None
            for key, _ in self._selector.select(timeout):
                if key.fileobj is self._channel:
                    message = _received(self._channel)
                    if message is None:
                        return
                    self._state.take(message)
                elif key.fileobj is self._listening:
                    self._accept()
                elif key.fd in self._clients:
                    self._serve(self._clients[key.fd])
            now_s = time.monotonic()
            for client in [client for client in self._clients.values() if client.until_s <= now_s]:
                self._close(client)

    def _accept(self) -> None:
        try:
            connection, _ = self._listening.accept()
        except OSError:
            return
        connection.setblocking(False)  # noqa: FBT003 - the only form it has
        if len(self._clients) >= MAX_CONNECTIONS:
            self._close(next(iter(self._clients.values())))
        self._clients[connection.fileno()] = _Client(connection, time.monotonic() + CONNECTION_S)
        self._selector.register(connection, selectors.EVENT_READ)

    def _serve(self, client: _Client) -> None:
        try:
            if client.left is None:
                piece = client.connection.recv(MAX_REQUEST_BYTES)
                client.head += piece
                whole = b"\r\n\r\n" in client.head or b"\n\n" in client.head
                if not piece or (len(client.head) > MAX_REQUEST_BYTES and not whole):
                    self._close(client)
                    return
                if not whole:
                    return
                client.left = memoryview(answer(client.head, self._state, time.monotonic()))
                self._selector.modify(client.connection, selectors.EVENT_WRITE)
            client.left = client.left[client.connection.send(client.left) :]
        except BlockingIOError:
            return
        except OSError:
            self._close(client)
            return
        if not client.left:
            self._close(client)

    def _close(self, client: _Client) -> None:
        self._clients.pop(client.connection.fileno(), None)
        self._selector.unregister(client.connection)
        with contextlib.suppress(OSError):
            client.connection.shutdown(socket.SHUT_WR)
        client.connection.close()


def _received(channel: socket.socket) -> dict[str, Any] | None:
    """The next message, with the page as "metrics" where it brings a new one; None at the channel's end."""
    data, files, _, _ = socket.recv_fds(channel, MAX_MESSAGE_BYTES, 1)
    if not data:
        return None
    message: dict[str, Any] = json.loads(data)
    for number in files:
        with open(number, "rb") as file:  # noqa: PTH123 - it has no path
            file.seek(0)
            message["metrics"] = file.read(MAX_PAGE_BYTES).decode("utf-8", "replace")
    return message


def main(arguments: list[str]) -> None:
    """Serve; the loop ends this process by closing its end of the channel."""
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        # Meant for the loop: it is answered for until it has ended.
        signal.signal(number, signal.SIG_IGN)
    listening, channel = (socket.socket(fileno=int(number)) for number in arguments[:2])
    listening.setblocking(False)  # noqa: FBT003
    channel.setblocking(True)  # noqa: FBT003
    Server(listening, channel, State(float(arguments[2]), time.monotonic())).run()


if __name__ == "__main__":
    main(sys.argv[1:])
    # Nothing has to be put in order.
    os._exit(0)
