"""Servers that speak just enough of the XRootD protocol to be wrong in a chosen way: silent, or redirecting in a circle."""

from __future__ import annotations

import contextlib
import socket
import socketserver
import struct
import threading
from collections.abc import Callable, Iterator

Answer = Callable[[int, bytes], bytes]
"""Code and data of a request → status and body of the reply, packed by `reply`."""

PROTOCOL, LOGIN, PING, CLOSE = 3006, 3007, 3011, 3003


def reply(status: int, body: bytes = b"") -> bytes:
    """A reply without its stream number."""
    return struct.pack(">Hi", status, len(body)) + body


def redirect(host: str, port: int) -> bytes:
    """kXR_redirect."""
    return reply(4004, struct.pack(">i", port) + host.encode())


class Manager(socketserver.ThreadingTCPServer):
    """Greets as a manager and gives `answer` to all that comes after the login."""

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Talk)
        self.answer: Answer = lambda code, data: reply(4003, struct.pack(">i", 3013) + b"unsupported\0")

    @property
    def port(self) -> int:
        """That it listens on."""
        return int(self.server_address[1])

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that break off are what these tests are about."""


class _Talk(socketserver.BaseRequestHandler):
    server: Manager

    def handle(self) -> None:
        if len(self._exactly(20)) < 20:
            return
        self.request.sendall(b"\0\0" + reply(0, struct.pack(">ii", 0x511, 0)))
        while len(head := self._exactly(24)) == 24:
            stream, code, _, length = struct.unpack(">2sH16si", head)
            data = self._exactly(length)
            if code == PROTOCOL:
                answer = reply(0, struct.pack(">II", 0x511, 0x2))
            elif code == LOGIN:
                answer = reply(0, bytes(16))
            elif code in (PING, CLOSE):
                answer = reply(0)
            else:
                answer = self.server.answer(code, data)
            self.request.sendall(stream + answer)

    def _exactly(self, count: int) -> bytes:
        got = b""
        while len(got) < count:
            piece = self.request.recv(count - len(got))
            if not piece:
                break
            got += piece
        return got


@contextlib.contextmanager
def managing() -> Iterator[Manager]:
    """A manager from when it takes connections until it is closed."""
    with Manager() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@contextlib.contextmanager
def circle() -> Iterator[tuple[Manager, Manager]]:
    """Two managers, each of which sends everybody to the other."""
    with managing() as first, managing() as second:
        first.answer = lambda code, data: redirect("localhost", second.port)
        second.answer = lambda code, data: redirect("localhost", first.port)
        yield first, second


@contextlib.contextmanager
def silent() -> Iterator[int]:
    """The port of a server that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        yield int(listener.getsockname()[1])
