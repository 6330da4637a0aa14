"""How fast profiles are taken in, in process: validation, packing, database; without HTTP.

    python -m benchmarks.ingest [--profile FILE] [--seconds 5] [--threads 8] [--batch 500] [--directory DIR]

Prints profiles a second and CPU time of this process a profile (where the machine is shared, only that means something), one by one (each call is durable when it returns) and in bulk, into SQLite and PostgreSQL.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from capacity.service.ingest import accept
from capacity.service.principal import Principal, Role
from capacity.store import profiles
from capacity.store.database import Database
from tests.lab import LabUnavailableError
from tests.lab.postgres import running

EXAMPLE = Path(__file__).parents[1] / "tests/unit/profiles/examples/good/full.json"
SENDER = Principal("benchmark", frozenset({Role.SUBMIT}), None)
NODES = 5000
ID, NODE, BOOT, SITE = "@id@", "@node@", "@boot@", "@site@"


class Documents:
    """Profiles that differ in id and node only."""

    def __init__(self, example: Path) -> None:
        value = json.loads(example.read_bytes())
        value["id"], value["site"] = ID, {"name": SITE, "source": "benchmark"}
        value["node"] = {**value["node"], "id": NODE, "boot_key": BOOT}
        self._text = json.dumps(value, separators=(",", ":"))

    @property
    def bytes(self) -> int:
        return len(self.one(0))

    def one(self, number: int) -> bytes:
        digits = list(uuid.uuid4().hex)
        digits[12], digits[16] = "7", "8"
        one = "".join(digits)
        text = self._text.replace(ID, f"{one[:8]}-{one[8:12]}-{one[12:16]}-{one[16:20]}-{one[20:]}")
        node = number % NODES
        text = text.replace(NODE, f"{node:032x}").replace(BOOT, f"{node + NODES:032x}")
        return text.replace(SITE, f"T2_XX_Site{node % 50}").encode()


def singly(
    database: Database, documents: Documents, seconds: float, threads: int
) -> tuple[int, float, list[float], float]:
    """Each thread sends one profile after the other; the documents are made beforehand."""
    took: list[float] = []
    until = 0.0
    start = threading.Barrier(threads + 1)

    def send(order: int) -> None:
        mine = [documents.one(order * 100_003 + number) for number in range(int(seconds * 400))]
        start.wait()
        for document in mine:
            began = time.perf_counter()
            (verdict,) = accept(database, [document], SENDER, datetime.now(UTC))
            assert verdict.status == "stored", verdict
            took.append(time.perf_counter() - began)
            if time.perf_counter() > until:
                return

    workers = [threading.Thread(target=send, args=(order,)) for order in range(threads)]
    for worker in workers:
        worker.start()
    until = float("inf")
    start.wait()
    began, cpu = time.perf_counter(), time.process_time()
    until = began + seconds
    for worker in workers:
        worker.join()
    return len(took), time.perf_counter() - began, sorted(took), time.process_time() - cpu


def in_bulk(database: Database, documents: Documents, seconds: float, batch: int) -> tuple[int, float, float]:
    sent, spent, cpu = 0, 0.0, 0.0
    while spent < seconds:
        these = [documents.one(sent + number) for number in range(batch)]
        began, cpu_before = time.perf_counter(), time.process_time()
        verdicts = accept(database, these, SENDER, datetime.now(UTC))
        spent += time.perf_counter() - began
        cpu += time.process_time() - cpu_before
        assert all(verdict.status == "stored" for verdict in verdicts), verdicts[0]
        sent += batch
    return sent, spent, cpu


@contextmanager
def sqlite(directory: Path) -> Iterator[Database]:
    with tempfile.TemporaryDirectory(dir=directory) as folder:
        database = Database(f"sqlite:///{folder}/capacity.sqlite")
        database.upgrade()
        yield database
        database.close()


@contextmanager
def postgresql(directory: Path) -> Iterator[Database]:
    with running(where=directory) as server:
        database = Database(server.create())
        database.upgrade()
        yield database
        database.close()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--profile", type=Path, default=EXAMPLE)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--threads", type=int, default=8)
    parser.add_argument("--batch", type=int, default=500)
    parser.add_argument("--directory", type=Path, default=Path(tempfile.gettempdir()))
    given = parser.parse_args()
    documents = Documents(given.profile)
    print(f"documents of {documents.bytes / 1000:.1f} kB, compact JSON; {NODES} nodes of 50 sites")
    engines: dict[str, Callable[[Path], object]] = {"SQLite": sqlite, "PostgreSQL": postgresql}
    for name, opened in engines.items():
        try:
            with opened(given.directory) as database:  # type: ignore[attr-defined]
                number, spent, took, used = singly(database, documents, given.seconds, given.threads)
                print(
                    f"{name:10} single, {given.threads} threads: {number / spent:7.0f} profiles/s"
                    f"  p50 {1e3 * took[len(took) // 2]:.1f} ms  p99 {1e3 * took[int(len(took) * 0.99)]:.1f} ms"
                    f"  CPU {1e3 * used / number:.2f} ms"
                )
                number, spent, used = in_bulk(database, documents, given.seconds, given.batch)
                print(
                    f"{name:10} bulk of {given.batch}: {number / spent:7.0f} profiles/s, one thread  CPU {1e3 * used / number:.2f} ms"
                )
                with database.reading() as session:
                    assert profiles.count(session) > 0
        except LabUnavailableError as error:
            print(f"{name}: {error}")


if __name__ == "__main__":
    main()
