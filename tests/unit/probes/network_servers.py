"""Real servers on the loopback for the network tests: HTTP, TLS, a forwarding proxy, and a port that never answers."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from email.utils import formatdate
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit


class Server(ThreadingHTTPServer):
    """An HTTP server that keeps what it was asked; TLS if it is given a context."""

    def __init__(
        self, handler: type[BaseHTTPRequestHandler], family: int, tls: ssl.SSLContext | None
    ) -> None:
        self.address_family = family
        self.asked: list[tuple[str, str]] = []
        self._tls = tls
        super().__init__(("::1" if family == socket.AF_INET6 else "127.0.0.1", 0), handler)

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def finish_request(self, request: Any, client_address: Any) -> None:
        if self._tls is None:
            super().finish_request(request, client_address)
            return
        # In the thread of the request: a client that breaks off must not hold the others up.
        with self._tls.wrap_socket(request, server_side=True) as link:
            super().finish_request(link, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up after the connection or the certificate is what these tests are about."""


@contextlib.contextmanager
def serving(
    *,
    body: bytes = b"{}",
    content_type: str = "application/json",
    status: int = 200,
    clock_s: float = 0.0,
    fields: dict[str, str] | None = None,
    tls: ssl.SSLContext | None = None,
    family: int = socket.AF_INET,
) -> Iterator[Server]:
    """An HTTP server whose clock is `clock_s` ahead of ours."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.server.asked.append((self.command, self.path))  # type: ignore[attr-defined]
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            for name, value in (fields or {}).items():
                self.send_header(name, value)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

        def do_HEAD(self) -> None:
            self.do_GET()

        def date_time_string(self, timestamp: float | None = None) -> str:
            return formatdate((time.time() if timestamp is None else timestamp) + clock_s, usegmt=True)

        def log_message(self, *args: Any) -> None:
            pass

    with _running(Server(Handler, family, tls)) as server:
        yield server


@contextlib.contextmanager
def forwarding() -> Iterator[Server]:
    """An HTTP proxy: takes GET with an absolute URL, asks the origin, passes the answer on, adds Via."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.server.asked.append((self.command, self.path))  # type: ignore[attr-defined]
            target = urlsplit(self.path)
            origin = HTTPConnection(target.hostname or "", target.port, timeout=10)
            try:
                origin.request("GET", target.path, headers={"Host": target.netloc})
                answer = origin.getresponse()
                body = answer.read()
            finally:
                origin.close()
            self.send_response(answer.status)
            self.send_header("Via", "1.1 proxy.test")
            self.send_header("Content-Type", answer.headers["Content-Type"])
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: Any) -> None:
            pass

    with _running(Server(Handler, socket.AF_INET, None)) as server:
        yield server


@contextlib.contextmanager
def _running(server: Server) -> Iterator[Server]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextlib.contextmanager
def listening(*, reply: bytes | None = None) -> Iterator[int]:
    """The port of a TCP service; `reply` is sent, byte by byte and without end, to whoever says something."""
    stop = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.05)

        def serve() -> None:
            while not stop.is_set():
                with contextlib.suppress(OSError):
                    link, _ = listener.accept()
                    with link:
                        while reply is not None and not stop.wait(0.1):
                            link.sendall(reply)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield int(listener.getsockname()[1])
        finally:
            stop.set()
            thread.join()


@contextlib.contextmanager
def black_hole() -> Iterator[int]:
    """A port whose queue of connections is full, so that the kernel drops every SYN, as a firewall does."""
    with contextlib.ExitStack() as held:
        listener = held.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port = int(listener.getsockname()[1])
        for _ in range(16):
            filler = held.enter_context(socket.socket())
            filler.settimeout(0.3)
            try:
                filler.connect(("127.0.0.1", port))
            except TimeoutError:
                yield port
                return
        raise AssertionError("the kernel still takes connections beyond the queue")


def closed_port() -> int:
    """A port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
