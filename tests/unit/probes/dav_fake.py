"""A small WebDAV door on the loopback that says whatever a test wants; honest unless told otherwise."""

from __future__ import annotations

import contextlib
import re
import threading
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

CONTENT = bytes(range(256)) * 1200
"""Of the file: 307 200 bytes, longer than the range that the probe asks for."""


@dataclass
class Door:
    """What the door says; None leaves the field or the feature out.

    Attributes:
        dav: field of the answer to OPTIONS.
        propfind: status and body; None = the honest one.
        ranges: "multi", "single" or "none".
        content_range: of a single range, instead of the honest one.
        digest: field of the answer to HEAD.
        onward: Location to which readers are sent on, with status 307.
        wanted_query: a question about the file without it is refused with 403.
        asked: method, path and fields of the questions so far.
    """

    dav: str | None = "1"
    propfind: tuple[int, bytes] | None = None
    ranges: str = "multi"
    content_range: str | None = None
    digest: str | None = f"adler32={zlib.adler32(CONTENT):08x}"
    onward: str | None = None
    wanted_query: str | None = None
    asked: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}/store/file"


def multistatus(prop: str, status: str = "HTTP/1.1 200 OK") -> bytes:
    """The answer to PROPFIND about one resource."""
    return (
        '<?xml version="1.0" encoding="utf-8"?><D:multistatus xmlns:D="DAV:"><D:response><D:href>/store/file</D:href>'
        f"<D:propstat><D:prop>{prop}</D:prop><D:status>{status}</D:status></D:propstat></D:response></D:multistatus>"
    ).encode()


HONEST = multistatus(
    f"<D:getcontentlength>{len(CONTENT)}</D:getcontentlength>"
    "<D:getlastmodified>Sun, 22 Nov 2026 10:00:00 GMT</D:getlastmodified><D:resourcetype/>"
)


@contextlib.contextmanager
def serving(door: Door) -> Iterator[Door]:
    """Run the door on a free port."""
    server = _Server(door)
    door.port = int(server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield door
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Server(ThreadingHTTPServer):
    def __init__(self, door: Door) -> None:
        self.door = door
        super().__init__(("127.0.0.1", 0), _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that has seen enough and hangs up is what these tests are about."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def _note(self) -> None:
        self.server.door.asked.append((self.command, self.path, dict(self.headers)))

    def _say(self, status: int, body: bytes, **fields: str | None) -> None:
        self.send_response(status)
        for name, value in fields.items():
            if value is not None:
                self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_OPTIONS(self) -> None:
        self._note()
        self._say(200, b"", DAV=self.server.door.dav)

    def do_PROPFIND(self) -> None:
        self._note()
        self.rfile.read(int(self.headers["Content-Length"]))
        self._say(*(self.server.door.propfind or (207, HONEST)), Content_Type="application/xml")

    def do_HEAD(self) -> None:
        self._note()
        if self._turned_away():
            return
        self._say(200, CONTENT, Digest=self.server.door.digest)

    def _turned_away(self) -> bool:
        if self.server.door.onward is not None:
            self._say(307, b"", Location=self.server.door.onward)
            return True
        wanted = self.server.door.wanted_query
        if wanted is not None and not self.path.endswith(f"?{wanted}"):
            self._say(403, b"")
            return True
        return False

    def do_GET(self) -> None:
        self._note()
        if self._turned_away():
            return
        ranges = re.findall(r"(\d+)-(\d+)", self.headers.get("Range", ""))
        pieces = {(int(first), int(last)): CONTENT[int(first) : int(last) + 1] for first, last in ranges}
        if (
            not pieces
            or self.server.door.ranges == "none"
            or (len(pieces) > 1 and self.server.door.ranges == "single")
        ):
            self._say(200, CONTENT)
        elif len(pieces) == 1:
            ((first, last), piece), *_ = pieces.items()
            honest = f"bytes {first}-{last}/{len(CONTENT)}"
            self._say(206, piece, Content_Range=self.server.door.content_range or honest)
        else:
            parts = [
                b"--XX\r\nContent-Range: bytes %d-%d/%d\r\n\r\n%s\r\n" % (*where, len(CONTENT), piece)
                for where, piece in pieces.items()
            ]
            body = b"".join(parts) + b"--XX--\r\n"
            self._say(206, body, Content_Type="multipart/byteranges; boundary=XX")

    def log_message(self, *args: Any) -> None:
        pass
