"""A service that answers as it is told: for what the real one cannot be made to say."""

from __future__ import annotations

import gzip
import json
import ssl
import threading
from collections import deque
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self


@dataclass(frozen=True)
class Reply:
    """One answer.

    Attributes:
        status: of HTTP; 0 = the connection is dropped without a word.
        body: bytes, or what becomes JSON.
        content_type: of the body.
        headers: more of them.
        hang: it comes only when the service ends.
        kept: the documents are stored before the connection is dropped, so that only the acknowledgement is lost.
    """

    status: int
    body: Any = b""
    content_type: str = "application/problem+json"
    headers: dict[str, str] = field(default_factory=dict)
    hang: bool = False
    kept: bool = False

    @property
    def content(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


def problem(status: int, detail: str = "so it is", **headers: str) -> Reply:
    """As the service says that something is wrong."""
    body = {"type": "about:blank", "title": "x", "status": status, "detail": detail}
    return Reply(status, body, headers={name.replace("_", "-"): value for name, value in headers.items()})


DROPPED = Reply(0)
LOST_ACKNOWLEDGEMENT = Reply(0, kept=True)
HANGING = Reply(200, hang=True)
LOGIN_PAGE = Reply(200, b"<html>please log in</html>", "text/html")


@dataclass
class Seen:
    """A request."""

    path: str
    headers: dict[str, str]
    documents: list[bytes]

    @property
    def token(self) -> str | None:
        return self.headers.get("authorization", "").removeprefix("Bearer ") or None


class FaultyService:
    """Listens on loopback while it is a context.

    Attributes:
        script: answers of the next requests, in order; after the last, every profile is taken as the real service would.
        tokens: those that are good; None = any, also none.
        stored: by id, what was taken; each document at most once.
        seen: all requests.
    """

    def __init__(self, *script: Reply, tls: ssl.SSLContext | None = None) -> None:
        self.script = deque(script)
        self.tokens: set[str] | None = None
        self.stored: dict[str, bytes] = {}
        self.seen: list[Seen] = []
        self.connections = 0
        self._ended = threading.Event()
        self._lock = threading.Lock()
        owner = self

        class Handler(_Handler):
            service = owner

        self._server = _Server(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        if tls is not None:
            self._server.socket = tls.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self._scheme = "https" if tls else "http"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    @property
    def url(self) -> str:
        return f"{self._scheme}://localhost:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def answer(self, seen: Seen) -> Reply:
        with self._lock:
            self.seen.append(seen)
            scripted = self.script.popleft() if self.script else None
            if scripted is None and self.tokens is not None and seen.token not in self.tokens:
                scripted = problem(401, "the token has expired")
            if scripted is None or scripted.kept:
                verdicts = [self._take(place, document) for place, document in enumerate(seen.documents)]
                scripted = scripted or _answer(seen, verdicts)
        if scripted.hang:
            self._ended.wait()
        return scripted

    def _take(self, place: int, document: bytes) -> dict[str, Any]:
        one = json.loads(document)["id"]
        status = (
            "duplicate"
            if self.stored.get(one) == document
            else "conflict"
            if one in self.stored
            else "stored"
        )
        self.stored.setdefault(one, document)
        return {"index": place, "id": one, "status": status, "message": status}


def _answer(seen: Seen, verdicts: list[dict[str, Any]]) -> Reply:
    if seen.headers["content-type"] != "application/json":
        return Reply(200, {"counts": {}, "verdicts": verdicts}, "application/json")
    (verdict,) = verdicts
    if verdict["status"] == "conflict":
        return Reply(409, {"status": 409, "detail": "conflict", "verdict": verdict})
    return Reply(202 if verdict["status"] == "stored" else 200, verdict, "application/json")


class _Server(ThreadingHTTPServer):
    def handle_error(self, *_: Any) -> None:
        """Whoever asked has gone away, or did not like the certificate: that is what is tested."""


class _Handler(BaseHTTPRequestHandler):
    service: FaultyService
    protocol_version = "HTTP/1.1"
    timeout = 30

    def setup(self) -> None:
        super().setup()
        self.service.connections += 1

    def do_POST(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(int(headers.get("content-length", "0")))
        if headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        reply = self.service.answer(Seen(self.path, headers, body.split(b"\n")))
        if reply.status == 0:
            self.close_connection = True
            return
        self.send_response(reply.status)
        for name, value in {"Content-Type": reply.content_type, **reply.headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(reply.content)))
        self.end_headers()
        self.wfile.write(reply.content)

    def log_message(self, *_: Any) -> None:
        pass
