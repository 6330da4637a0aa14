"""What does the daemon cost, and does it grow? Days of its schedule in minutes, with the real probes of this node.

    python -m benchmarks.daemon [--days N] [--json]

The loop is the daemon's own with a clock that jumps over its sleeps, so every look, verdict, page and profile is made as in
so many days. CPU time is of the loop's process and of all its children (cutime), divided by the days that went by on the
loop's clock; sleeps cost nothing but their turns, which are made too. Memory, descriptors and children are taken after each
quarter. The pages' process is measured beside it. Network probes are left out (no outbound): their cost is waiting.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from agent.config import Config
from agent.daemon.pages import Pages, listen
from benchmarks.process_cost import memory_mib
from probes.registry import all_probes
from tests.unit.agent.daemon.turning import Turning

HOURS_PER_DAY = 24.0
TARGETS = {"share_of_a_core": 0.001, "memory_mib": 60.0}
"""What the project promises."""


def state() -> dict[str, float]:
    """Of this process and its children, now."""
    fields = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    return {
        "rss_mib": int(fields["VmRSS"].split()[0]) / 1024,
        "with_children_pss_mib": memory_mib(os.getpid()),
        "descriptors": len(list(Path("/proc/self/fd").iterdir())),
        "threads": int(fields["Threads"]),
        "children": len(children),
    }


def cpu_s() -> float:
    """Of this process and of all its children that have ended."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def soak(days: float, notes: Path) -> dict[str, Any]:
    """Turn for so many days."""
    config = Config.model_validate(
        {
            "site_profile": "no-outbound",
            "delivery": {"url": None},
        }
    )
    probes = all_probes()
    pages = Pages(listen("127.0.0.1", 0), 300.0)
    pages.start()
    turning = Turning(notes, probes, config, pages)
    gc.enable()
    # The first hours import, build models and fill caches: a daemon pays that once.
    turning.for_hours(3)
    quarters = [state()]
    began_s, began_cpu_s, wall_s = turning.clock.monotonic(), cpu_s(), time.monotonic()
    turns = turning.loop.figures.turns
    for _ in range(4):
        turning.for_hours(days * HOURS_PER_DAY / 4)
        quarters.append(state())
    took_s = turning.clock.monotonic() - began_s
    used_s = cpu_s() - began_cpu_s
    result = {
        "days": took_s / 86_400,
        "wall_s": time.monotonic() - wall_s,
        "turns": turning.loop.figures.turns - turns,
        "looks": sum(turning.loop.figures.looks.values()),
        "cpu_s": used_s,
        "share_of_a_core": used_s / took_s,
        "memory_mib": quarters[-1]["with_children_pss_mib"],
        "quarters": quarters,
    }
    pages.stop()
    return result


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--days", type=float, default=7.0)
    parser.add_argument("--json", action="store_true", dest="as_json")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="sitecap-daemon-") as directory:
        found = soak(options.days, Path(directory))
    if options.as_json:
        print(json.dumps(found, indent=1))
        return 0
    print(
        f"{found['days']:.2f} days of the loop's clock in {found['wall_s']:.0f} s; {found['turns']} turns, {found['looks']} looks\n"
    )
    columns = list(found["quarters"][0])
    print("quarter  " + "  ".join(f"{name:>22}" for name in columns))
    for number, row in enumerate(found["quarters"]):
        print(f"{number:<7}  " + "  ".join(f"{row[name]:>22.1f}" for name in columns))
    print()
    for name, target in TARGETS.items():
        print(f"{name:<16} {found[name]:>9.5f} of {target:g} ({found[name] / target:.0%})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
