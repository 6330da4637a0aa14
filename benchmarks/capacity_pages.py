"""How long does a reader wait when the fleet is large? Real pages over HTTP from a filled database.

    python -m benchmarks.capacity_pages [--nodes N] [--profiles P] [--real R] [--postgres]

R nodes of `capacity demo` (short profiles) are taken in and estimated; the others are written beside them as copies
(`benchmarks.capacity_fleet`), with as many days of profiles and estimates as P needs. Then pages are asked for, one client.

Of each page: the first answer of a service that has just started; those at once after it; and those with so long a pause
before each that sums must be made anew (`views.sums`). Seconds of CPU are of the service and, beside it, of the database.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import statistics
import tempfile
import time
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.capacity_fleet import Copied, multiply
from benchmarks.capacity_load import Service, say
from capacity.hs06.calibration import Calibration
from capacity.hs06.estimate import Estimator
from capacity.service.demo import fill
from capacity.service.refresh import refresh_pending
from capacity.service.views.sums import FRESH_S
from capacity.store.database import Database
from tests.lab import postgres

ROUNDS = 15
PAUSED_ROUNDS = 5


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


def cpu_s(parent: int) -> float:
    """CPU time of a process and its living children, user and system."""
    pids = [parent]
    for pid in pids:
        pids += [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    ticks = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def filled(url: str, nodes: int, profiles: int, real: int) -> Copied:
    """A database with the fleet, and nothing pending."""
    database = Database(url)
    database.upgrade()
    began = time.perf_counter()
    done = fill(database, real, 1, seed=1, now=datetime.now(UTC), detail="short")
    estimator = Estimator.shipped(Calibration.shipped())
    while refresh_pending(database, estimator, datetime.now(UTC), 100):
        pass
    say(
        f"{done.profiles} profiles of {real} nodes: taken in, estimated",
        f"{time.perf_counter() - began:.0f} s",
    )
    copies = -(-nodes // real)
    days = -(-profiles // (copies * done.profiles))
    began = time.perf_counter()
    written = multiply(database, copies, days)
    say(
        f"{written.nodes} nodes, {written.profiles} profiles, {written.estimates} estimates of {days} days",
        f"written in {time.perf_counter() - began:.0f} s",
    )
    database.close()
    return written


def measured(service: Service, name: str, path: str, database_pid: int | None, first_s: float) -> None:
    """Ask for one page again and again, and tell how long it took."""
    pids = [service.process.pid, *([database_pid] if database_pid else [])]
    before = [cpu_s(pid) for pid in pids]
    times = [fetch(service, path)[0] * 1e3 for _ in range(ROUNDS)]
    used = [(cpu_s(pid) - start) * 1e3 / ROUNDS for pid, start in zip(pids, before, strict=True)]
    paused = []
    for _ in range(PAUSED_ROUNDS):
        time.sleep(FRESH_S + 0.5)
        paused.append(fetch(service, path)[0] * 1e3)
    say(
        f"{name}: first; median, slowest; after a pause: median, slowest",
        f"{first_s * 1e3:.0f}; {statistics.median(times):.0f}, {max(times):.0f}; "
        f"{statistics.median(paused):.0f}, {max(paused):.0f} ms",
        f"CPU {' + '.join(f'{one:.0f}' for one in used)} ms"
        + ("; goal 200 ms" if "site " in name or name == "overview" else ""),
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--nodes", type=int, default=50_000)
    parser.add_argument("--profiles", type=int, default=1_000_000)
    parser.add_argument("--real", type=int, default=500)
    parser.add_argument("--postgres", action="store_true")
    parser.add_argument("--keep", type=Path, help="SQLite file that is filled if it is not there, and kept")
    asked = parser.parse_args()
    with ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        file = asked.keep.absolute() if asked.keep else place / "capacity.db"
        url, database_pid, ready = f"sqlite:///{file}", None, file.exists()
        if asked.postgres:
            server = stack.enter_context(postgres.running(("max_connections=50", "shared_buffers=1GB")))
            url, database_pid, ready = server.create(), server.pid, False
        if not ready:
            filled(url, asked.nodes, asked.profiles, min(asked.real, asked.nodes))
        service = Service(url, 1, place)
        stack.callback(service.process.wait, 30)
        stack.callback(service.process.terminate)
        first = {"overview": fetch(service, "/")[0]}
        sites = json.loads(fetch(service, "/sites.json?sort=nodes")[1])["sites"]
        pages = {"overview": "/", "sites": "/sites"}
        for told, site in (("largest", sites[0]), ("middle", sites[len(sites) // 2])):
            pages[f"site of {site['roll']['nodes']} nodes ({told})"] = f"/sites/{site['roll']['name']}"
        node = json.loads(fetch(service, f"/api/v1/nodes?limit=1&site={sites[0]['roll']['name']}")[1])[
            "nodes"
        ][0]
        pages["node"] = f"/sites/{node['site']}/nodes/{node['node_id']}"
        pages |= {"history of CMS": "/history", "catalogue": "/catalogue", "calibration": "/calibration"}
        for name, path in pages.items():
            measured(service, name, path, database_pid, first.get(name) or fetch(service, path)[0])
        say("memory of the service", f"{service.memory_mib():.0f} MiB")


if __name__ == "__main__":
    main()
