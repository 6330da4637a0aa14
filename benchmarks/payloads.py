"""How good is the machinery that measures payloads? Its own figures, printed as a table.

    python -m benchmarks.payloads [--kernel NAME] [--rounds N] [--whole]

* start-up: from nothing to a copy that is ready, without the time for its events and warm-up;
* scaling from one copy to two;
* repeatability: whole measurements of each kernel by turns with the reference loop (`benchmarks.repeatability`);
* with --whole: wall time of `agent bench` and `agent bench --quick`.

A reference loop (no memory, no vectors) is timed beside it: where it scatters, the machine was not quiet.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.repeatability import DEFAULT_BUDGET_S, mad, repeatability
from payloads import compiled
from payloads.catalogue import Kernel, choose, kernels
from payloads.chains import one_task, request_of
from payloads.placement import order
from payloads.plan import Options
from payloads.sampling import interval
from payloads.team import Team

WINDOW_S = 0.5
REPEATS = 9
PATIENCE_S = 60.0


def row(what: str, value: str, goal: str = "") -> None:
    print(f"{what:<52} {value:>16}  {goal}")


def start_up(rounds: int) -> list[float]:
    """Seconds until a worker has loaded the module of a variant and answered."""
    options = Options(mode="quick", budget_s=60, cpus=(), copies=1)
    variant = compiled.best_variant().name
    took = []
    for _ in range(rounds):
        began = time.perf_counter()
        one_task(
            {"task": "describe", "variant": variant}, "worker", options, time.monotonic() + 60, lambda: False
        )
        took.append(time.perf_counter() - began)
    return took


def kernel_figures(kernel: Kernel, rounds: int, place: Path) -> None:
    cpus = order(os.sched_getaffinity(0))[:2]
    options = Options(mode="quick", budget_s=600, cpus=cpus, copies=len(cpus), places=(place,))
    request = request_of(kernel, options)
    end = time.monotonic() + 600
    began = time.perf_counter()
    made = one_task(
        {**request, "task": "prepare", "threads": len(cpus)}, "prepare", options, end, lambda: False
    )
    row(f"{kernel.name}: events and reference, first run", f"{time.perf_counter() - began:.2f} s")
    began = time.perf_counter()
    one_task({**request, "task": "prepare", "threads": 1}, "prepare", options, end, lambda: False)
    row(f"{kernel.name}: events and reference, from the cache", f"{time.perf_counter() - began:.2f} s")
    variant = compiled.best_variant().name
    medians: dict[int, list[float]] = {1: [], len(cpus): []}
    with Team({**request, "variant": variant, "events_directory": made["directory"]}, lambda: False) as team:
        ready = team.start(cpus, time.monotonic() + PATIENCE_S)
        window_s = max(WINDOW_S, *(one["pass_s"] for one in ready))
        for _ in range(rounds):
            for copies, found in medians.items():
                team.rest(PATIENCE_S)
                samples = [
                    sum(one["events"] / one["seconds"] for one in team.run(copies, window_s, PATIENCE_S))
                    for _ in range(REPEATS)
                ]
                found.append(interval(samples).median)
    for copies, found in medians.items():
        row(f"{kernel.name}: {copies} copies ({variant}), best of {rounds}", f"{max(found):.1f} events/s")
    scaling = [many / one for one, many in zip(medians[1], medians[len(cpus)], strict=True)]
    row(
        f"{kernel.name}: scaling 1 to {len(cpus)}, median of rounds",
        f"{statistics.median(scaling):.2f}x",
        "goal 1.9x",
    )


def whole_run(arguments: list[str], bound_s: float, place: Path) -> None:
    began = time.perf_counter()
    done = subprocess.run(
        [
            sys.executable,
            "-I",
            "-m",
            "agent",
            "bench",
            "--quiet",
            "--cache",
            str(place),
            "--json",
            *arguments,
        ],
        stdout=subprocess.DEVNULL,
        check=False,
    )
    took = time.perf_counter() - began
    row(f"agent bench {' '.join(arguments)} (exit {done.returncode})", f"{took:.1f} s", f"goal {bound_s:g} s")


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kernel", action="append", default=[])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--whole", action="store_true", help="also time whole runs: some four minutes")
    chosen = parser.parse_args()
    loop = compiled.load("scalar").reference_loop_s
    loops = [loop() for _ in range(9)]
    row("reference loop, best of 9", f"{min(loops) * 1e3:.2f} ms", f"MAD {mad(loops):.2%}")
    took = start_up(chosen.rounds)
    row("start-up of a worker with its module, best", f"{min(took):.2f} s", "goal 1 s")
    row("start-up of a worker with its module, median", f"{statistics.median(took):.2f} s")
    with tempfile.TemporaryDirectory() as directory:
        place = Path(directory) / "events"
        for kernel in choose(kernels(), chosen.kernel):
            kernel_figures(kernel, chosen.rounds, place)
        print("repeatability, goal 1 % on a quiet machine:")
        repeatability(choose(kernels(), chosen.kernel), chosen.rounds, DEFAULT_BUDGET_S, place, alone=False)
        if chosen.whole:
            for arguments, bound_s in (([], 180.0), (["--quick"], 60.0)):
                whole_run(arguments, bound_s, place)
    loops = [loop() for _ in range(9)]
    row("reference loop at the end, best of 9", f"{min(loops) * 1e3:.2f} ms", f"MAD {mad(loops):.2%}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
