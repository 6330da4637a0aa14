"""What the same bytes cost without us: uvicorn that only reads a body, PostgreSQL that only copies rows."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg

from benchmarks.process_cost import Cost, Meter
from capacity.store.packing import pack
from tests.lab.waiting import until

_ANSWER = b'{"index":0,"id":"019e0000-0000-7000-8000-000000000000","status":"stored","message":"stored"}'
_ROWS_A_COMMIT = 200


async def echo(scope: dict[str, Any], receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI
    """An ASGI application that reads a body and says something as long as a verdict."""
    assert scope["type"] == "http"
    while (await receive()).get("more_body"):
        pass
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(_ANSWER)).encode())]
    await send({"type": "http.response.start", "status": 202, "headers": headers})
    await send({"type": "http.response.body", "body": _ANSWER})


@contextmanager
def bare_uvicorn(workers: int) -> Iterator[tuple[str, int]]:
    """`echo` served by as many workers as the service has; its address and process."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = ["--port", str(port), "--workers", str(workers), "--http", "h11", "--log-level", "critical"]
    program = [sys.executable, "-m", "uvicorn", "benchmarks.capacity_references:echo", "--lifespan", "off"]
    process = subprocess.Popen([*program, "--no-access-log", *options])
    try:
        until("uvicorn", lambda: _answers(port), limit_s=60)
        yield f"127.0.0.1:{port}", process.pid
    finally:
        process.terminate()
        process.wait(30)


def _answers(port: int) -> bool:
    with socket.socket() as attempt:
        return attempt.connect_ex(("127.0.0.1", port)) == 0


def copied(url: str, postgres: int, documents: Sequence[bytes]) -> tuple[float, Cost]:
    """Rows/s of COPY into a table without an index, as many rows a commit as a bulk request has, fsync as it is set.

    What is copied is what the service keeps, the packed documents; packing them is not in the time.
    """
    kept = list(map(pack, documents))
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE raw (number integer, document bytea)")
        connection.execute("ALTER TABLE raw ALTER document SET STORAGE EXTERNAL")
        connection.commit()
        meter, began = Meter({"PostgreSQL": postgres}), time.perf_counter()
        for at in range(0, len(documents), _ROWS_A_COMMIT):
            with (
                connection.cursor() as cursor,
                cursor.copy("COPY raw FROM STDIN (FORMAT binary)") as copy,
            ):
                copy.set_types(["int4", "bytea"])
                for number, document in enumerate(kept[at : at + _ROWS_A_COMMIT]):
                    copy.write_row((number, document))
            connection.commit()
        rate = len(documents) / (time.perf_counter() - began)
        cost = meter.cost(len(documents))
        connection.execute("DROP TABLE raw")
        return rate, cost
