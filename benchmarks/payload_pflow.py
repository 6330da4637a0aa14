"""How fast is particle flow, and where does its time go? Ratios beside a reference loop timed in the same run.

    python -m benchmarks.payload_pflow [--rounds N] [--events N]

One thread. Widths and variants take turns, of each the smallest CPU time of all rounds is taken, since neighbours only ever
add. The plain NumPy reference runs once, on the first event.
"""

from __future__ import annotations

import argparse
import time

from payloads.arrays import one_event
from payloads.compiled import load, open_kernel, simulate, variants
from payloads.kernels.pflow.reference import reconstruct

PILE_UPS = (60, 200)


def main() -> None:
    """Prints a table a pile-up."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--events", type=int, default=4)
    options = parser.parse_args()
    for pile_up in PILE_UPS:
        events = simulate("calorimeters", pile_up, 20261123, 0, options.events)
        cells = len(events["rechit_energy"]) / options.events
        opened, modules = {}, {}
        for variant in (variant.name for variant in variants() if variant.usable):
            for lanes in sorted({1, load(variant).lanes}):
                name = f"{variant} W={lanes}"
                opened[name] = open_kernel(variant, "pflow", events, {}, lanes)
                modules[name] = load(variant)
        best = dict.fromkeys(opened, float("inf"))
        stages: dict[str, dict[str, float]] = {name: {} for name in opened}
        loop_s = float("inf")
        for _ in range(options.rounds):
            for name, kernel in opened.items():
                loop_s = min(loop_s, modules[name].reference_loop_s())
                start = time.thread_time()
                for event in range(options.events):
                    kernel.process(event)
                best[name] = min(best[name], (time.thread_time() - start) / options.events)
                for stage, seconds in kernel.stages(0).items():
                    stages[name][stage] = min(stages[name].get(stage, seconds), seconds)
        start = time.thread_time()
        reconstruct(one_event(events, 0), {})
        reference_s = time.thread_time() - start
        print(f"\npile-up {pile_up}: {cells:.0f} cells an event; reference loop {1e3 * loop_s:.2f} ms")
        print(
            "| variant | ms an event | reference loops | times its own W=1 | NumPy over it | us by stage, first event |"
        )
        print("|---|---|---|---|---|---|")
        for name, value in best.items():
            gain = best[name.split(" ")[0] + " W=1"] / value
            parts = ", ".join(f"{stage} {1e6 * seconds:.0f}" for stage, seconds in stages[name].items())
            print(
                f"| {name} | {1e3 * value:.2f} | {value / loop_s:.1f} | {gain:.2f} | {reference_s / value:.0f} | {parts} |"
            )
        print(f"workspace {next(iter(opened.values())).workspace_bytes / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
