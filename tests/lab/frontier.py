"""A Frontier-like server on loopback: it decodes the query, runs it in SQLite and answers in Frontier's XML.

The real one is a Java servlet in front of Oracle that no registry has. What a client sees is the same: the path, the
encoded query, the reply with its payload of typed records, MD5 and size (fermitools/frontier, ResponseFormat.java). It is
written apart from the probe's own decoder, so that an error in one does not hide in the other.
"""

from __future__ import annotations

import base64
import contextlib
import enum
import hashlib
import sqlite3
import struct
import threading
import time
import zlib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from xml.sax.saxutils import quoteattr

TEXT, END_OF_RECORD = 6, 7


class Fault(enum.Enum):
    """What a test may have the server do instead of answering."""

    ERROR = "an error of the database, in <quality>"
    DAMAGED = "a payload whose MD5 is another's"
    HTML = "a page with status 200"
    REFUSES = "404 for every servlet"
    SILENT = "takes the request and says nothing"


class Frontier:
    """An HTTP server with the servlet FrontierProd.

    Attributes:
        fault: what goes wrong, None = nothing.
        queries: the SQL it was asked, decoded.
    """

    def __init__(self) -> None:
        self.fault: Fault | None = None
        self.queries: list[str] = []
        self._server: ThreadingHTTPServer | None = None

    @property
    def url(self) -> str:
        """As `squid.frontier_servers` has it."""
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.server_address[1]}/FrontierProd"

    @contextlib.contextmanager
    def serving(self) -> Iterator[Frontier]:
        """Serve until the block ends."""
        stopping = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self, stopping))
        self._server.daemon_threads = True
        thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            stopping.set()
            self._server.shutdown()
            self._server.server_close()
            thread.join()

    def reply(self, path: str) -> tuple[int, str, bytes]:
        """Status, content type and body for a path."""
        prefix = "/FrontierProd/Frontier/"
        if not path.startswith(prefix) or self.fault is Fault.REFUSES:
            return 404, "text/html", b"<html>not found</html>"
        if self.fault is Fault.HTML:
            return 200, "text/html", b"<html><body>Please log in</body></html>"
        wanted = dict(part.split("=", 1) for part in path.removeprefix(prefix).split("&"))
        if wanted.get("type") != "frontier_request:1:DEFAULT" or wanted.get("encoding") != "BLOBzip":
            return 200, "text/xml", _xml('<quality error="1" message="unknown request"/>')
        packed = wanted["p1"].replace(".", "+").replace("-", "/").replace("_", "=")
        query = zlib.decompress(base64.b64decode(packed)).decode()
        self.queries.append(query)
        if self.fault is Fault.ERROR:
            return 200, "text/xml", _xml(_error("Could not get connection: ORA-12541: TNS:no listener"))
        try:
            blob = _answer(query)
        except sqlite3.Error as error:
            return 200, "text/xml", _xml(_error(str(error)))
        zipped = zlib.compress(blob)
        md5 = hashlib.md5(zipped).hexdigest()
        if self.fault is Fault.DAMAGED:
            md5 = hashlib.md5(b"another").hexdigest()
        quality = f'<quality error="0" md5="{md5}" records="1" full_size="{len(blob)}"/>'
        data = base64.encodebytes(zipped).decode()
        payload = f'<payload type="frontier_request" version="1" encoding="BLOBzip">\n<data>{data}</data>\n{quality}'
        return 200, "text/xml", _xml(f"{payload}\n</payload>")


def _error(message: str) -> str:
    quality = f'<quality error="1" message={quoteattr(message)}/>'
    return f'<payload type="frontier_request" version="1" encoding="BLOBzip">\n<data/>{quality}\n</payload>'


def _xml(transaction: str) -> bytes:
    return (
        '<?xml version="1.0" encoding="US-ASCII"?>\n'
        '<!DOCTYPE frontier SYSTEM "http://frontier.fnal.gov/frontier.dtd">\n'
        f'<frontier version="3.42" xmlversion="1.0">\n <transaction payloads="1">\n<keepalive/>\n{transaction}\n'
        " </transaction>\n</frontier>\n"
    ).encode("ascii")


def _answer(query: str) -> bytes:
    """The rows of a query as Frontier's records, a record of column names and types first."""
    database = sqlite3.connect(":memory:")
    try:
        database.execute("CREATE TABLE dual (dummy TEXT)")
        database.execute("INSERT INTO dual VALUES ('X')")
        cursor = database.execute(query)
        columns = [part for column in cursor.description for part in (column[0], "NUMBER")]
        return b"".join(_record(fields) for fields in [columns, *cursor.fetchall()])
    finally:
        database.close()


def _record(fields: list[str]) -> bytes:
    texts = [str(field).encode() for field in fields]
    return b"".join(struct.pack(">bi", TEXT, len(text)) + text for text in texts) + bytes([END_OF_RECORD])


def _handler(frontier: Frontier, stopping: threading.Event) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if frontier.fault is Fault.SILENT:
                stopping.wait(60)
                return
            status, kind, body = frontier.reply(self.path)
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            # A real one lets errors be kept for some minutes; here each test asks the server anew.
            self.send_header("Cache-Control", "no-store")
            self.send_header("Last-Modified", self.date_time_string(int(time.time())))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            """Tests read `queries` instead."""

    return Handler
