"""A small stand-in for the Kubernetes API server, for faults that the real one cannot be made to have.

It keeps objects with resource versions and speaks TLS; the real one is of a later tier (docs/how-to/daemon.md says how the
daemon is pointed at any API server).
"""

from __future__ import annotations

import contextlib
import json
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import trustme


@dataclass
class ApiServer:
    """The server.

    Attributes:
        url: of it.
        ca_file: its authority.
        objects: by path, as they were last written.
        requests: method, path, token, in order.
        token: that it takes.
        answers: status and body to give instead, each once, in order.
    """

    url: str
    ca_file: Path
    token: str = "first"
    objects: dict[str, dict[str, Any]] = field(default_factory=dict)
    requests: list[tuple[str, str, str]] = field(default_factory=list)
    answers: list[tuple[int, bytes]] = field(default_factory=list)
    versions: int = 0

    def answer(self, method: str, path: str, token: str, document: dict[str, Any]) -> tuple[int, Any]:
        self.requests.append((method, path, token))
        if self.answers:
            return self.answers.pop(0)
        if token != self.token:
            return 401, {"message": "Unauthorized"}
        if method == "GET":
            found = self.objects.get(path)
            return (200, found) if found is not None else (404, {"message": "not found"})
        if method == "PUT":
            if (
                document["metadata"].get("resourceVersion")
                != self.objects[path]["metadata"]["resourceVersion"]
            ):
                return 409, {"message": "the object has been modified"}
        else:
            metadata = document["metadata"]
            path = f"{path}/{metadata.get('name') or metadata['generateName'] + str(self.versions)}"
        self.versions += 1
        document["metadata"]["resourceVersion"] = str(self.versions)
        self.objects[path] = document
        return (201 if method == "POST" else 200), document


@contextlib.contextmanager
def api_server(directory: Path) -> Iterator[ApiServer]:
    """The server while it runs, at "localhost"."""
    authority = trustme.CA()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(context)
    authority.cert_pem.write_to_path(str(directory / "ca.crt"))

    class Handler(BaseHTTPRequestHandler):
        def _do(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            document = json.loads(self.rfile.read(length)) if length else {}
            token = (self.headers.get("Authorization") or "").removeprefix("Bearer ")
            status, body = found.answer(self.command, self.path, token, document)
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PUT = _do  # noqa: N815 - named by the base class

        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    found = ApiServer(f"https://localhost:{server.server_address[1]}", directory / "ca.crt")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
