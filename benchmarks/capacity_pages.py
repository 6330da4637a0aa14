"""How long does a reader wait when the fleet is large? Real pages over HTTP from a filled database.

    python -m benchmarks.capacity_pages [--nodes N] [--days D] [--postgres]

The fleet of `capacity demo` (short profiles), every node estimated; then pages are asked for in turn, one client.
Nodes of the demo have 3-4 slots in the mean: 50,000 nodes give some 180,000 profiles a day.
"""

from __future__ import annotations

import argparse
import http.client
import json
import statistics
import tempfile
import time
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.capacity_load import Service, say
from capacity.hs06.calibration import Calibration
from capacity.hs06.estimate import Estimator
from capacity.service.demo import fill
from capacity.service.refresh import refresh_pending
from capacity.store.database import Database
from tests.lab import postgres

ROUNDS = 15


def fetch(service: Service, path: str) -> tuple[float, bytes]:
    """Seconds, and what came."""
    connection = http.client.HTTPConnection(service.host)
    began = time.perf_counter()
    connection.request("GET", path)
    answer = connection.getresponse()
    body = answer.read()
    taken = time.perf_counter() - began
    if answer.status != 200:
        raise SystemExit(f"{path}: HTTP {answer.status}: {body[:300].decode()}")
    return taken, body


def filled(url: str, nodes: int, days: int) -> None:
    """A database with the fleet, and nothing pending."""
    database = Database(url)
    database.upgrade()
    now = datetime.now(UTC)
    began = time.perf_counter()
    done = fill(database, nodes, days, seed=1, now=now, detail="short")
    taken = time.perf_counter() - began
    say(
        f"{done.profiles} profiles of {nodes} nodes taken in process",
        f"{done.profiles / taken:.0f} profiles/s",
    )
    estimator = Estimator.shipped(Calibration.shipped())
    began = time.perf_counter()
    seen = 0
    while count := refresh_pending(database, estimator, datetime.now(UTC), 100):
        seen += count
    say("nodes absorbed and estimated, one process", f"{seen / (time.perf_counter() - began):.0f} nodes/s")
    database.close()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--nodes", type=int, default=5000)
    parser.add_argument("--days", type=int, default=1)
    parser.add_argument("--postgres", action="store_true")
    asked = parser.parse_args()
    with ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = f"sqlite:///{place}/capacity.db"
        if asked.postgres:
            url = stack.enter_context(postgres.running(("max_connections=50",))).create()
        filled(url, asked.nodes, asked.days)
        service = Service(url, 1, place)
        stack.callback(service.process.terminate)
        node = json.loads(fetch(service, "/api/v1/nodes?limit=1")[1])["nodes"][0]
        pages = {
            "overview": "/",
            "sites": "/sites",
            "site": f"/sites/{node['site']}",
            "node": f"/sites/{node['site']}/nodes/{node['node_id']}",
            "catalogue": "/catalogue",
            "calibration": "/calibration",
        }
        for name, path in pages.items():
            times = [fetch(service, path)[0] * 1e3 for _ in range(ROUNDS)]
            say(
                f"{name}: first, median, slowest of the others",
                f"{times[0]:.0f}, {statistics.median(times):.0f}, {max(times[1:]):.0f} ms",
                "goal 200 ms" if name in {"overview", "site"} else "",
            )
        say("memory of the service", f"{service.memory_mib():.0f} MiB")


if __name__ == "__main__":
    main()
