"""Figures of delivery: how long keeping a profile takes, how fast a spool drains, and that nothing is lost on the way.

    python -m benchmarks.delivery [--profiles 10000] [--directory DIR]     writing and draining, with references
    python -m benchmarks.delivery --faults [--profiles 10000] [--kills 200]   agents and service killed at random

The references do by hand what is measured: the same bytes written, synced and renamed by bare system calls; the same
documents sent as one request each over one connection, and in the same batches straight from memory. Where the machine is
shared, the ratios and the CPU times mean more than the seconds.
"""

from __future__ import annotations

import argparse
import gzip
import http.client
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from pydantic import SecretStr

from agent.delivery.deliver import Delivered, deliver
from agent.delivery.places import spool_of
from agent.delivery.settings import DeliverySettings
from benchmarks.ingest import EXAMPLE, Documents
from capacity.service.principal import Role
from tests.lab import LabUnavailableError
from tests.lab.delivery import Fire, Site, stored_ids
from tests.lab.postgres import running
from tests.lab.service import Service
from tests.unit.capacity.documents import new_id, node, profile

WRITES = 300
SINGLY = 300
BATCH = 250


def quantiles(took: Sequence[float]) -> str:
    """Median, 90th and 99th percentile, in ms."""
    ordered = sorted(took)
    return "  ".join(
        f"p{part} {1e3 * ordered[min(len(ordered) - 1, len(ordered) * part // 100)]:7.2f} ms"
        for part in (50, 90, 99)
    )


def timed(what: str, work: Callable[[bytes], object], documents: Sequence[bytes]) -> None:
    took, cpu = [], time.process_time()
    for document in documents:
        began = time.perf_counter()
        work(document)
        took.append(time.perf_counter() - began)
    cpu = (time.process_time() - cpu) / len(documents)
    print(f"  {what:46} {quantiles(took)}  CPU {1e3 * cpu:.2f} ms")


def bare(directory: Path) -> Callable[[bytes], None]:
    """Durable writing by system calls alone."""
    directory.mkdir()
    folder = os.open(directory, os.O_RDONLY)
    number = 0

    def write(document: bytes) -> None:
        nonlocal number
        number += 1
        part = directory / f"{number}.part"
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT)
        os.write(descriptor, document)
        os.fsync(descriptor)
        os.close(descriptor)
        part.rename(directory / f"{number}")
        os.fsync(folder)

    return write


def writing(directory: Path, documents: Documents, waiting: int) -> None:
    print(f"writing {WRITES} profiles of {documents.bytes / 1000:.1f} kB")
    settings = DeliverySettings(spool_directory=str(directory / "spool"), spool_max_bytes=2**40)
    spool = spool_of(settings)
    some = [documents.one(number) for number in range(WRITES)]
    timed("reference: bare write, fsync, rename, fsync", bare(directory / "bare"), some)
    timed("spool, empty at first", spool.put, some)
    for number in range(waiting - WRITES):
        # Names are what a spool must look at; the contents would take the disk minutes.
        one = new_id()
        (spool.directory / f"{one}.{number:032x}.json").write_bytes(b"")
    spool.tidy()
    timed(f"spool, {waiting} waiting", spool.put, [documents.one(number) for number in range(WRITES)])
    timed("reference: bare, again", bare(directory / "bare-again"), some)


@contextmanager
def services(directory: Path, *, sqlite_only: bool) -> Iterator[Iterator[tuple[str, Service]]]:
    started: list[Service] = []

    def serve(name: str, database: str | None) -> Service:
        place = directory / name
        place.mkdir()
        more = {"LIMITS__PROFILES_BURST": "100000"}
        started.append(Service(place, database, settings=more))
        started[-1].start()
        return started[-1]

    def each() -> Iterator[tuple[str, Service]]:
        yield "SQLite", serve("sqlite", None)
        if sqlite_only:
            return
        try:
            with running(where=directory.parent) as server:
                yield "PostgreSQL", serve("postgresql", server.create())
        except LabUnavailableError as error:
            print(f"PostgreSQL: {error}")

    try:
        yield each()
    finally:
        for one in started:
            one.kill()


def singly(service: Service, token: str, documents: Sequence[bytes]) -> None:
    connection = http.client.HTTPConnection("localhost", service.port)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    for document in documents:
        connection.request("POST", "/api/v1/profiles", document, headers)
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 202, answer.status
    connection.close()


def in_batches(service: Service, token: str, documents: Sequence[bytes]) -> None:
    connection = http.client.HTTPConnection("localhost", service.port)
    headers = {
        "Authorization": f"Bearer {token}",
        "Content-Type": "application/x-ndjson",
        "Content-Encoding": "gzip",
    }
    for start in range(0, len(documents), BATCH):
        body = gzip.compress(b"\n".join(documents[start : start + BATCH]), 1)
        connection.request("POST", "/api/v1/profiles", body, headers)
        answer = connection.getresponse()
        said = answer.read()
        assert answer.status == 200, said[:200]
        assert b'"stored"' in said
    connection.close()


def rate(what: str, number: int, service: Service, work: Callable[[], object]) -> None:
    began, cpu, theirs = time.perf_counter(), time.process_time(), cpu_s(service.pid)
    work()
    spent = time.perf_counter() - began
    cpu, theirs = time.process_time() - cpu, cpu_s(service.pid) - theirs
    print(
        f"  {what:46} {number / spent:7.0f} profiles/s  CPU ms/profile: sender {1e3 * cpu / number:.2f}, "
        f"service {1e3 * theirs / number:.2f}"
    )


def cpu_s(pid: int) -> float:
    """CPU time of a process so far, its children's not counted."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def draining(directory: Path, documents: Documents, number: int, *, sqlite_only: bool) -> None:
    with services(directory, sqlite_only=sqlite_only) as each:
        for name, service in each:
            print(f"draining {number} profiles of {documents.bytes / 1000:.1f} kB into {name}")
            drained(directory / name, documents, number, service)
            service.kill()


def drained(directory: Path, documents: Documents, number: int, service: Service) -> None:
    directory.mkdir()
    token = service.token(Role.SUBMIT)
    (directory / "token").write_text(token)
    some = [documents.one(place) for place in range(SINGLY)]
    rate("reference: one a request, one connection", SINGLY, service, lambda: singly(service, token, some))
    many = [documents.one(place) for place in range(min(number, 2000))]
    batches = f"reference: {BATCH} a request, from memory"
    rate(batches, len(many), service, lambda: in_batches(service, token, many))
    settings = DeliverySettings(
        url=service.url,
        token_file=str(directory / "token"),
        spool_directory=str(directory / "spool"),
        spool_max_bytes=2**40,
        batch_documents=BATCH,
        proxy=SecretStr(""),
    )
    spool = spool_of(settings)
    for place in range(number):
        spool.put(documents.one(place))
    found: list[Delivered] = []

    def drain() -> None:
        found.append(deliver(settings, until_s=None, stop=lambda: False))

    rate("drain of the spool", number, service, drain)
    print(f"  {found[0]}; rows in the database: {len(stored_ids(service))}")


def faults(directory: Path, number: int, kills: int, service_kills: int) -> int:
    place = directory / "service"
    place.mkdir()
    service = Service(place)
    service.start()
    try:
        ids = [new_id() for _ in range(number)]
        documents = [profile(id=one, node_id=node(order % 5000)) for order, one in enumerate(ids)]
        settings = {"BATCH_DOCUMENTS": "20", "BACKOFF_FIRST_S": "0.1", "BACKOFF_MAX_S": "1"}
        home = directory / "site"
        home.mkdir()
        site = Site(home, service.url, service.token(Role.SUBMIT), settings)
        fire = Fire(site, service, documents, kills=kills, service_kills=service_kills, seed=1)
        began = time.monotonic()
        fire.run()
        rows = stored_ids(service)
        spool = home / "spool"
        counts = {
            **fire.counts,
            "profiles": number,
            "rows": len(rows),
            "missing": len(set(ids) - set(rows)),
            "more than once": len(rows) - len(set(rows)),
            "not ours": len(set(rows) - set(ids)),
            "still waiting": len(site.spool.waiting()),
            "set aside": len(list((spool / "set-aside").glob("*"))),
            "given up": int((spool / "lost.jsonl").exists()),
        }
        print(
            f"{time.monotonic() - began:.0f} s;",
            "; ".join(f"{name} {value}" for name, value in counts.items()),
        )
        bad = ("crashes", "missing", "more than once", "not ours", "still waiting", "set aside", "given up")
        return int(any(counts[name] for name in bad))
    finally:
        service.kill()


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--profiles", type=int, default=10_000)
    parser.add_argument("--profile", type=Path, default=EXAMPLE)
    parser.add_argument("--directory", type=Path, default=Path(tempfile.gettempdir()))
    parser.add_argument("--sqlite-only", action="store_true")
    parser.add_argument("--faults", action="store_true")
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--service-kills", type=int, default=20)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=given.directory) as name:
        if given.faults:
            return faults(Path(name), given.profiles, given.kills, given.service_kills)
        documents = Documents(given.profile)
        writing(Path(name), documents, given.profiles)
        draining(Path(name), documents, given.profiles, sqlite_only=given.sqlite_only)
    return 0


if __name__ == "__main__":
    sys.exit(main())
