"""A Stratum-1 on the loopback that serves a self-made repository, and breaks in the way that a test asks for.

`Stratum1(Repository()).serving()` is healthy; `server.faults["data/…C"] = Fault.RESET` breaks one object, and the key
"*" breaks all. What it was asked is in `asked`.
"""

from __future__ import annotations

import contextlib
import enum
import socket
import struct
import threading
import time
import zlib
from collections.abc import Iterator
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.lab.cvmfs_repository import FILES, Keys, Repository, shared_keys

__all__ = ["FILES", "Fault", "Keys", "Repository", "Stratum1", "shared_keys"]

DRIP_BYTES = 16
DRIP_EVERY_S = 0.2
HTML = b"<html><head><title>Welcome</title></head><body>Please log in to the network.</body></html>"


class Fault(enum.Enum):
    """What goes wrong with one object, or with all."""

    DRIP = "some bytes at a time, so that it takes minutes"
    RESET = "a reset of the connection in mid-object"
    TRUNCATED = "the connection ends before Content-Length"
    SHORT = "half of the object, with a Content-Length that agrees"
    HTML = "a page with status 200"
    SLOW_HEADER = "takes the request and says nothing"
    FLIPPED = "its last byte is another"
    OTHER_CONTENT = "compressed all right, but something else"
    NOT_FOUND = "404"
    UNAVAILABLE = "503"
    ENDLESS = "a body without end"


class Stratum1:
    """An HTTP server with repositories below /cvmfs/NAME; may be entered several times one after another.

    Args:
        repositories: what it serves.
        clock_s: by how much its Date is ahead of the true time.
        max_age_s: Cache-Control for what changes (the manifest and its like); objects may be kept for days.
    """

    def __init__(self, *repositories: Repository, clock_s: float = 0.0, max_age_s: int = 61) -> None:
        self.repositories = list(repositories)
        self.faults: dict[str, Fault] = {}
        self.clock_s = clock_s
        self.max_age_s = max_age_s
        self.asked: list[tuple[str, str]] = []
        self.geo_answer: bytes | None = None
        """Body for the geo API; None = the servers in reverse order; b"" = 400, as without a database."""
        self._server: _Server | None = None

    @contextlib.contextmanager
    def serving(self) -> Iterator[Stratum1]:
        """Serve until the block ends."""
        self._server = _Server(self)
        thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._server.stopping.set()
            self._server.shutdown()
            self._server.server_close()
            thread.join()

    @property
    def port(self) -> int:
        """TCP port while it serves."""
        assert self._server is not None
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        """As `cvmfs.stratum_ones` has it."""
        return f"http://127.0.0.1:{self.port}"

    def content(self, path: str) -> bytes | None:
        """What a healthy server would send for a path, None if it has no such thing."""
        for repository in self.repositories:
            root = f"/cvmfs/{repository.name}/"
            if path.startswith(root):
                return repository.objects.get(path.removeprefix(root))
        return None

    def fault(self, path: str) -> Fault | None:
        """The fault for a path: by its end, or by "*"."""
        found = (fault for end, fault in self.faults.items() if end != "*" and path.endswith(end))
        return next(found, self.faults.get("*"))


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, stratum_one: Stratum1) -> None:
        self.stratum_one = stratum_one
        self.stopping = threading.Event()
        super().__init__(("127.0.0.1", 0), _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that gives up is what these tests are about."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def log_message(self, *args: Any) -> None:
        """Silent."""

    def date_time_string(self, timestamp: float | None = None) -> str:
        return formatdate((timestamp or time.time()) + self.server.stratum_one.clock_s, usegmt=True)

    def do_HEAD(self) -> None:
        self._answer(body_wanted=False)

    def do_GET(self) -> None:
        self._answer(body_wanted=True)

    def _answer(self, *, body_wanted: bool) -> None:
        stratum_one = self.server.stratum_one
        stratum_one.asked.append((self.command, self.path))
        fault = stratum_one.fault(self.path)
        if fault is Fault.SLOW_HEADER:
            self.server.stopping.wait(60)
            self.close_connection = True
            return
        if "/api/v1.0/geo/" in self.path:
            self._geo()
            return
        content = stratum_one.content(self.path)
        if fault is Fault.UNAVAILABLE:
            self._send(503, b"busy", "text/plain")
        elif fault is Fault.HTML:
            self._send(200, HTML, "text/html")
        elif content is None or fault is Fault.NOT_FOUND:
            self._send(404, b"<html>404 Not Found</html>", "text/html")
        else:
            self._body(content, fault, body_wanted=body_wanted)

    def _body(self, content: bytes, fault: Fault | None, *, body_wanted: bool) -> None:
        if fault is Fault.FLIPPED:
            content = content[:-1] + bytes([content[-1] ^ 1])
        elif fault is Fault.SHORT:
            content = content[: len(content) // 2]
        elif fault is Fault.OTHER_CONTENT:
            content = zlib.compress(b"something else, of the right form")
        self.send_response(200)
        self.send_header("Content-Type", "application/octet-stream")
        volatile = "/data/" not in self.path
        max_age_s = self.server.stratum_one.max_age_s if volatile else 259_200
        self.send_header("Cache-Control", f"max-age={max_age_s}")
        length = len(content) if fault is not Fault.ENDLESS else 2**40
        self.send_header("Content-Length", str(length))
        self.end_headers()
        if not body_wanted:
            return
        if fault is Fault.DRIP:
            self._drip(content)
        elif fault in (Fault.RESET, Fault.TRUNCATED):
            self.wfile.write(content[: len(content) // 2])
            self.wfile.flush()
            time.sleep(0.1)  # the half must be on its way before the reset overtakes it
            if fault is Fault.RESET:
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.connection.close()
            self.close_connection = True
        elif fault is Fault.ENDLESS:
            while not self.server.stopping.is_set():
                self.wfile.write(b"\0" * 65_536)
        else:
            self.wfile.write(content)

    def _drip(self, content: bytes) -> None:
        for at in range(0, len(content), DRIP_BYTES):
            if self.server.stopping.wait(DRIP_EVERY_S):
                break
            self.wfile.write(content[at : at + DRIP_BYTES])
            self.wfile.flush()
        self.close_connection = True

    def _geo(self) -> None:
        answer = self.server.stratum_one.geo_answer
        if answer == b"":
            self._send(400, b"no geo database", "text/plain")
            return
        count = len(self.path.rpartition("/")[2].split(","))
        order = ",".join(str(number) for number in range(count, 0, -1)) + "\n"
        self._send(200, answer or order.encode(), "text/plain")

    def _send(self, status: int, body: bytes, content_type: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
