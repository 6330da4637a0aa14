"""How fast does the central service take profiles? A real service, a real PostgreSQL, and the client, on one machine.

    python -m benchmarks.capacity_load [--detail short|probe|whole …] [--document FILE …] [--seconds S] [--workers N] [--grow N]

For each size of document:
* single: profiles/s of one POST each over connections that stay open;
* latency at half of the goal and at half of that rate, sent by the clock (a late answer delays nobody else);
* bulk: profiles/s of gzip'd NDJSON, 200 a request, over eight connections;
* beside them, of the same bytes: a bare uvicorn that only reads bodies, and COPY of the packed
  documents into a table without an index.
With --grow N: N short profiles in bulk; cost per profile and the service's memory at 10^3, 10^4 … N.

Each figure stands beside the CPU time that a profile cost the client, the service and PostgreSQL, and how many CPUs
other programs kept busy meanwhile. "estimating" is the process that makes estimates of nodes with a lower priority: it takes what
is left over, a tenth where nothing is, and more where all of this runs with a low priority itself (nice). short: what an estimate needs; probe: all probes of a synthetic fleet; whole: with eight payloads;
--document: a profile that `agent probe --json` or `agent bench --json` wrote, under other ids. PostgreSQL syncs to disk (fsync and synchronous_commit are on).
"""

from __future__ import annotations

import argparse
import gzip
import itertools
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import orjson

from benchmarks.capacity_references import bare_uvicorn, copied
from benchmarks.ingest import Documents
from benchmarks.load_client import request, send
from benchmarks.process_cost import Cost, Meter, gentler, memory_mib
from capacity.demo.documents import documents
from capacity.hs06.catalogue import Catalogue
from capacity.service.demo import fleet
from tests.lab import postgres
from tests.lab.waiting import until

Detail = Literal["short", "probe", "whole"]
Kind = Detail | Path
"""Of document: one of a synthetic fleet, or as in a file."""

BULK = 200
CONNECTIONS = 32
BULK_CONNECTIONS = 8
GOAL_PER_S = 500
GOAL_BULK_PER_S = 3000
PREPARED_MB = 80
GROW_STEP = 4000
PATH = "/api/v1/profiles"


def made(count: int, detail: Kind, seed: int) -> list[bytes]:
    """Documents of a fleet, each with an id of its own."""
    if isinstance(detail, Path):
        copies = Documents(detail)
        return [copies.one(seed * 1_000_003 + number) for number in range(count)]
    nodes = fleet(count, seed, Catalogue.shipped())
    now = datetime.now(UTC)
    kind: Literal["short", "whole"] = "short" if detail == "short" else "whole"
    found = list(itertools.islice((one for node in nodes for one in documents(node, now, seed, kind)), count))
    return list(map(_without_payloads, found)) if detail == "probe" else found


def _without_payloads(document: bytes) -> bytes:
    return orjson.dumps({**orjson.loads(document), "payloads": [], "bench": None})


class Service:
    """`capacity serve` on a database, with its address and a token that may submit."""

    def __init__(self, database: str, workers: int, directory: Path, postgres_pid: int | None = None) -> None:
        self.database = database
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
            postgres.tied([*program, "serve", "--port", "0", "--workers", str(workers)]),
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
        self.authorization = f"Bearer {secret.group()}"
        self.roots = {"service": self.process.pid}
        if workers > 1:
            until("the process that estimates", lambda: gentler(self.process.pid) is not None, limit_s=60)
            estimating = gentler(self.process.pid)
            assert estimating is not None
            self.roots["estimating"] = estimating
        if postgres_pid is not None:
            self.roots["PostgreSQL"] = postgres_pid

    def memory_mib(self) -> float:
        """Of all its processes."""
        return memory_mib(self.process.pid)

    def one(self, document: bytes) -> bytes:
        """A request with one profile."""
        return request(
            self.host,
            PATH,
            document,
            Authorization=self.authorization,
            Content_Type="application/json",
        )

    def many(self, bodies: list[bytes]) -> list[bytes]:
        """Requests of `BULK` profiles."""
        return [
            request(
                self.host,
                PATH,
                gzip.compress(b"\n".join(bodies[at : at + BULK]), 1),
                Authorization=self.authorization,
                Content_Type="application/x-ndjson",
                Content_Encoding="gzip",
            )
            for at in range(0, len(bodies) - BULK + 1, BULK)
        ]


@contextmanager
def running(workers: int) -> Iterator[Service]:
    """The service on a PostgreSQL of its own; both end with this process, also when it is killed."""
    with tempfile.TemporaryDirectory() as place, postgres.running(("max_connections=50",)) as server:
        service = Service(server.create(), workers, Path(place), server.pid)
        try:
            yield service
        finally:
            service.process.terminate()
            service.process.wait(30)


def bulk(service: Service, requests: list[bytes]) -> tuple[float, Cost]:
    """Profiles/s of prepared requests, and what a profile costs."""
    meter = Meter(service.roots)
    wall_s, _ = send(service.host, requests, BULK_CONNECTIONS, 600)
    return len(requests) * BULK / wall_s, meter.cost(len(requests) * BULK)


def say(what: str, figure: str, goal: str = "", cost: Cost | None = None) -> None:
    """One line of the table."""
    parts = ""
    if cost is not None:
        each = {"client": cost.client_ms, **cost.parts_ms}
        parts = ", ".join(f"{name} {value:.2f}" for name, value in each.items())
        parts = f"CPU ms: {parts}, sum {cost.total_ms:.2f}; others busy on {cost.others_cpus:.1f} CPUs"
    print(f"{what:<44} {figure:>21}  {goal:<16}{parts}".rstrip(), flush=True)


def title_of(detail: Kind) -> str:
    """How a kind of document is called in the table, with its size."""
    size_kb = statistics.mean(map(len, made(50, detail, seed=1))) / 1e3
    return f"{detail.stem if isinstance(detail, Path) else detail}, {size_kb:.0f} kB"


def latency(service: Service, detail: Kind, seconds: float, rate_per_s: float) -> None:
    """Of single posts that are sent by the clock."""
    count = int(min(PREPARED_MB * 1e6 / len(made(1, detail, seed=1)[0]), rate_per_s * seconds))
    bodies = list(map(service.one, made(count, detail, seed=int(rate_per_s))))
    meter = Meter(service.roots)
    wall_s, latencies = send(service.host, bodies, CONNECTIONS, seconds, rate_per_s)
    median, p99 = statistics.median(latencies), statistics.quantiles(latencies, n=100)[98]
    say(
        f"{title_of(detail)}: at {len(latencies) / wall_s:.0f}/s, median and p99",
        f"{median * 1e3:.1f}, {p99 * 1e3:.1f} ms",
        "goal p99 50 ms" if rate_per_s == GOAL_PER_S / 2 else "",
        meter.cost(len(latencies)),
    )


def measured(service: Service, detail: Kind, seconds: float, workers: int) -> None:
    """All figures of one size of document."""
    title = title_of(detail)
    count = int(PREPARED_MB * 1e6 / len(made(1, detail, seed=1)[0])) // BULK * BULK
    warm = made(BULK, detail, seed=2)
    send(service.host, list(map(service.one, warm)), CONNECTIONS, seconds)
    bodies = list(map(service.one, made(count, detail, seed=3)))
    meter = Meter(service.roots)
    wall_s, latencies = send(service.host, bodies, CONNECTIONS, seconds)
    rate = len(latencies) / wall_s
    say(
        f"{title}: single POST, {CONNECTIONS} connections",
        f"{rate:.0f} profiles/s",
        f"goal {GOAL_PER_S}",
        meter.cost(len(latencies)),
    )
    for each in (GOAL_PER_S / 2, rate / 2):
        latency(service, detail, seconds, each)
    plain = made(count, detail, seed=5)
    bulk_rate, cost = bulk(service, service.many(plain))
    say(
        f"{title}: bulk, {BULK} a request, gzip",
        f"{bulk_rate:.0f} profiles/s",
        f"goal {GOAL_BULK_PER_S}",
        cost,
    )
    with bare_uvicorn(workers) as (address, pid):
        meter = Meter({"uvicorn": pid})
        wall_s, latencies = send(address, list(map(service.one, plain)), CONNECTIONS, seconds)
        bare = len(latencies) / wall_s
        say(
            f"{title}: bare uvicorn, reads the body",
            f"{bare:.0f} profiles/s",
            f"single is {rate / bare:.2f}",
            meter.cost(len(latencies)),
        )
    raw, cost = copied(service.database, service.roots["PostgreSQL"], plain)
    say(f"{title}: COPY, no index", f"{raw:.0f} profiles/s", f"bulk is {bulk_rate / raw:.2f}", cost)
    say("memory of the service (PSS)", f"{service.memory_mib():.0f} MiB")


def grow(service: Service, most: int) -> None:
    """Cost and memory while the archive grows; documents are made beside it and are not in the time."""
    done, seed, step = 0, 100, 1000
    while step <= most:
        spent_s = 0.0
        sent = 0
        cpu_ms: dict[str, float] = {}
        others = 0.0
        while done < step:
            requests = service.many(made(min(GROW_STEP, step - done), "short", seed))
            seed += 1
            rate, cost = bulk(service, requests)
            count = len(requests) * BULK
            for name, each in {"client": cost.client_ms, **cost.parts_ms}.items():
                cpu_ms[name] = cpu_ms.get(name, 0.0) + each * count
            others += cost.others_cpus * count
            spent_s, sent, done = spent_s + count / rate, sent + count, done + count
        parts = dict(cpu_ms)
        say(
            f"up to {step} profiles: a profile takes",
            f"{spent_s / sent * 1e3:.2f} ms",
            f"{service.memory_mib():.0f} MiB",
            Cost(parts.pop("client") / sent, {name: ms / sent for name, ms in parts.items()}, others / sent),
        )
        step *= 10


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--detail", choices=("short", "probe", "whole"), nargs="*", default=["short", "probe"]
    )
    parser.add_argument("--document", type=Path, nargs="*", default=[])
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--grow", type=int, default=0)
    asked = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is ended
    with running(asked.workers) as service:
        for detail in (*asked.detail, *asked.document):
            measured(service, detail, asked.seconds, asked.workers)
        if asked.grow:
            grow(service, asked.grow)


if __name__ == "__main__":
    main()
