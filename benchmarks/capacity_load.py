"""How fast does the central service take profiles? A real service, a real PostgreSQL, and the client, on one machine.

    python -m benchmarks.capacity_load [--detail whole|short] [--seconds S] [--workers N] [--grow N]

* single: profiles/s of one POST each over connections that stay open;
* latency at half of that rate, sent by the clock (a late answer delays nobody else);
* bulk: profiles/s of gzip'd NDJSON, 200 a request;
* with --grow N: N short profiles in bulk; cost per profile and the service's memory at 10^3, 10^4 … N.

Whole documents have some 92 kB (all probes and four payloads), short ones some 17 kB. PostgreSQL syncs to disk (fsync on).
"""

from __future__ import annotations

import argparse
import gzip
import http.client
import itertools
import os
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from capacity.demo.documents import Detail, documents
from capacity.hs06.catalogue import Catalogue
from capacity.service.demo import fleet
from tests.lab import postgres

BULK = 200
PREPARED = 4000
CONNECTIONS = 32


def made(count: int, detail: Detail, seed: int) -> list[bytes]:
    """Documents of a fleet, each with an id of its own."""
    nodes = fleet(count, seed, Catalogue.shipped())
    now = datetime.now(UTC)
    return list(
        itertools.islice((one for node in nodes for one in documents(node, now, seed, detail)), count)
    )


class Service:
    """`capacity serve` on a database, with its address and a token that may submit."""

    def __init__(self, database: str, workers: int, directory: Path) -> None:
        self.environment = {
            **os.environ,
            "SITECAP_CAPACITY_DATA_DIRECTORY": str(directory),
            "SITECAP_CAPACITY_DATABASE__URL": database,
            "SITECAP_CAPACITY_LIMITS__PROFILES_PER_S": "1000000",
            "SITECAP_CAPACITY_LIMITS__PROFILES_BURST": "1000000",
            "SITECAP_CAPACITY_LOG__REQUESTS": "false",
        }
        program = [sys.executable, "-m", "capacity"]
        self.process = subprocess.Popen(
            [*program, "serve", "--port", "0", "--workers", str(workers)],
            env=self.environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        found = re.search(r"listens at (\S+)", self.process.stdout.readline())
        assert found
        self.host = urlsplit(found.group(1)).netloc.replace("localhost", "127.0.0.1")
        token = subprocess.run(
            [*program, "token", "create", "--all-sites", "--role", "submit"],
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        secret = re.search(r"sitecap_\S+", token.stdout)
        assert secret, token.stderr
        self.headers = {"Authorization": f"Bearer {secret.group()}"}

    def post(self, connection: http.client.HTTPConnection, body: bytes, **headers: str) -> None:
        connection.request("POST", "/api/v1/profiles", body, {**self.headers, **headers})
        answer = connection.getresponse()
        said = answer.read()
        if answer.status not in (200, 201, 202):
            raise SystemExit(f"HTTP {answer.status}: {said[:300].decode()}")

    def memory_mib(self) -> float:
        """Resident memory of the service's processes together; shared pages count in each."""
        pids = [self.process.pid]
        for pid in pids:
            pids += [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
        lines = [Path(f"/proc/{pid}/status").read_text() for pid in pids]
        return sum(int(re.search(r"VmRSS:\s+(\d+)", text).group(1)) for text in lines) / 1024  # type: ignore[union-attr]


@contextmanager
def running(workers: int) -> Iterator[Service]:
    with tempfile.TemporaryDirectory() as place, postgres.running(("max_connections=50",)) as server:
        service = Service(server.create(), workers, Path(place))
        try:
            yield service
        finally:
            service.process.terminate()
            service.process.wait(30)


def single(
    service: Service, bodies: list[bytes], seconds: float, rate_per_s: float | None
) -> tuple[float, list[float]]:
    """Profiles/s and latencies in s; with a rate, each is sent at its own moment and waits are part of its latency."""
    queue = iter(enumerate(bodies))
    lock = threading.Lock()
    latencies: list[float] = []
    began = time.perf_counter()

    def send() -> None:
        connection = http.client.HTTPConnection(service.host)
        while True:
            with lock:
                number, body = next(queue, (0, None))
            due = began + number / rate_per_s if rate_per_s else time.perf_counter()
            if body is None or time.perf_counter() - began > seconds:
                return
            time.sleep(max(0.0, due - time.perf_counter()))
            service.post(connection, body, **{"Content-Type": "application/json"})
            latencies.append(time.perf_counter() - due)

    threads = [threading.Thread(target=send) for _ in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return len(latencies) / (time.perf_counter() - began), latencies


def bulk(service: Service, packed: list[bytes]) -> float:
    """Profiles/s of prepared requests over two connections."""
    queue = iter(packed)
    lock = threading.Lock()

    def send() -> None:
        connection = http.client.HTTPConnection(service.host)
        while True:
            with lock:
                body = next(queue, None)
            if body is None:
                return
            service.post(
                connection, body, **{"Content-Type": "application/x-ndjson", "Content-Encoding": "gzip"}
            )

    began = time.perf_counter()
    threads = [threading.Thread(target=send) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return len(packed) * BULK / (time.perf_counter() - began)


def lines(bodies: list[bytes]) -> list[bytes]:
    return [
        gzip.compress(b"\n".join(bodies[at : at + BULK]), 1) for at in range(0, len(bodies) - BULK + 1, BULK)
    ]


def say(what: str, figure: str, goal: str = "") -> None:
    print(f"{what:<62}{figure:>18}  {goal}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--detail", choices=("whole", "short"), default="whole")
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--grow", type=int, default=0)
    asked = parser.parse_args()
    bodies = made(PREPARED, asked.detail, seed=1)
    say(f"{asked.detail} profile, mean size", f"{statistics.mean(map(len, bodies)) / 1e3:.1f} kB")
    with running(asked.workers) as service:
        single(service, bodies[:200], 10, None)
        rate, _ = single(service, bodies[200:], asked.seconds, None)
        say(
            f"single POST, {CONNECTIONS} connections, {asked.workers} workers",
            f"{rate:.0f} profiles/s",
            "goal 500",
        )
        again = made(PREPARED, asked.detail, seed=2)
        half, latencies = single(service, again, asked.seconds, rate / 2)
        p99 = statistics.quantiles(latencies, n=100)[98] * 1e3
        median = statistics.median(latencies) * 1e3
        say(
            f"at {half:.0f} profiles/s: median, 99th percentile",
            f"{median:.1f}, {p99:.1f} ms",
            "goal p99 50 ms",
        )
        packed = lines(made(PREPARED, asked.detail, seed=3))
        say(f"bulk, {BULK} a request, gzip", f"{bulk(service, packed):.0f} profiles/s", "goal 3000")
        say("memory of the service", f"{service.memory_mib():.0f} MiB")
        if asked.grow:
            grow(service, asked.grow)


def grow(service: Service, most: int) -> None:
    """Cost and memory while the archive grows; documents are made beside it and are not in the time."""
    done, seed, step = 0, 100, 1000
    while step <= most:
        spent = sent = 0.0
        while done < step:
            packed = lines(made(min(PREPARED, step - done), "short", seed))
            seed += 1
            rate = bulk(service, packed)
            count = len(packed) * BULK
            spent, sent, done = spent + count / rate, sent + count, done + count
        say(
            f"up to {step} profiles: a profile costs",
            f"{spent / sent * 1e3:.2f} ms",
            f"memory {service.memory_mib():.0f} MiB",
        )
        step *= 10


if __name__ == "__main__":
    main()
