"""How fast is vertexing, and where does its time go? Ratios beside a reference loop timed in the same run.

    python benchmarks/payload_vertexing.py [--rounds N] [--events N]

One thread. Widths and variants take turns (A B A B ...), so that a drift of the machine hits all alike; of each the smallest
time of all rounds is taken, since neighbours only ever add time. An event's cost is also given in reference loops (2^20
dependent multiply-adds and shifts: payloads/host/reference_loop.h), which drift with the clock as the kernel does.
"""

from __future__ import annotations

import argparse
from typing import Any

from payloads.compiled import Opened, load, open_kernel, simulate, variants

PILE_UPS = (50, 200)


def best_seconds(
    opened: dict[str, Any], modules: dict[str, Any], rounds: int, events: int
) -> tuple[dict[str, float], float]:
    """Smallest seconds an event of each, and of the reference loop."""
    seconds = dict.fromkeys(opened, float("inf"))
    loop_s = float("inf")
    for _ in range(rounds):
        for name, kernel in opened.items():
            seconds[name] = min(seconds[name], kernel.measure(0, events)[0] / events)
            loop_s = min(loop_s, modules[name].reference_loop_s())
    return seconds, loop_s


def stages(kernel: Opened, rounds: int, events: int) -> dict[str, float]:
    """Smallest seconds of each stage, summed over the events."""
    total: dict[str, float] = {}
    for event in range(events):
        runs = [kernel.stages(event) for _ in range(rounds)]
        for name in runs[0]:
            total[name] = total.get(name, 0.0) + min(run[name] for run in runs) / events
    return total


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--events", type=int, default=8)
    options = parser.parse_args()
    for pile_up in PILE_UPS:
        events = simulate("tracks", pile_up, 20261122, 0, options.events)
        tracks = len(events["track_pt"]) / options.events
        opened, modules = {}, {}
        for variant in (variant.name for variant in variants() if variant.usable):
            for lanes in sorted({1, load(variant).lanes}):
                name = f"{variant} W={lanes}"
                opened[name] = open_kernel(variant, "vertexing", events, {}, lanes)
                modules[name] = load(variant)
        seconds, loop_s = best_seconds(opened, modules, options.rounds, options.events)
        print(f"\npile-up {pile_up}: {tracks:.0f} tracks an event; reference loop {1e3 * loop_s:.2f} ms")
        print(
            "| variant | events/s | reference loops an event | times its own W=1 | workspace MB |\n|---|---|---|---|---|"
        )
        for name, value in seconds.items():
            gain = seconds[name.split(" ")[0] + " W=1"] / value
            size = opened[name].workspace_bytes / 1e6
            print(f"| {name} | {1 / value:.1f} | {value / loop_s:.2f} | {gain:.2f} | {size:.1f} |")
        best = min(seconds, key=lambda name: seconds[name])
        parts = stages(opened[best], options.rounds, options.events)
        whole = sum(parts.values())
        print(f"\nwhere the time of {best} goes:")
        for name, value in sorted(parts.items(), key=lambda item: -item[1]):
            print(f"  {name:22s} {1e6 * value:9.0f} us  {value / whole:6.1%}")


if __name__ == "__main__":
    main()
