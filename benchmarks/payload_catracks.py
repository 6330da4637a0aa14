"""How fast the tracks from double layers are on one core, by stage, beside a reference loop timed in the same run.

    python -m benchmarks.payload_catracks [--repeats 9] [--reference]

Others may work on the machine: the least of the repeats is given, and the median beside it. `--reference` also times
the NumPy reference on the first event of each pile-up (several seconds an event at 200).
"""

from __future__ import annotations

import argparse
import statistics
import time

from payloads.arrays import one_event
from payloads.compiled import load, open_kernel, simulate, variants
from payloads.kernels.catracks import reference

SEED, EVENTS = 20261122, {140: 8, 200: 8}


def main() -> None:
    """Print a table for each pile-up: variant, lanes, events/s, reference loops an event, stages."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--reference", action="store_true", help="time the NumPy reference, too")
    asked = parser.parse_args()
    for pile_up, count in EVENTS.items():
        events = simulate("outertracker", pile_up, SEED, 0, count)
        print(f"pile-up {pile_up}: {len(events['hit_x']) / count:.0f} hits an event")
        if asked.reference:
            start = time.process_time()
            reference.reconstruct(one_event(events, 0), {})
            print(f"NumPy reference: {time.process_time() - start:.2f} s of processor time an event")
        print("variant     lanes   events/s  (median)   loops/event   ms by stage")
        for variant in (v.name for v in variants() if v.usable):
            module = load(variant)
            for lanes in (0, 1) if module.lanes > 1 else (1,):
                opened = open_kernel(variant, "catracks", events, lanes=lanes)
                opened.measure(0, count)
                seconds, loops = [], []
                stages: dict[str, float] = {}
                for _ in range(asked.repeats):
                    loops.append(module.reference_loop_s())
                    seconds.append(opened.measure(0, count)[0] / count)
                    every = [opened.stages(event) for event in range(count)]
                    for stage in every[0]:
                        mean = statistics.fmean(one[stage] for one in every)
                        stages[stage] = min(stages.get(stage, mean), mean)
                width = lanes or module.lanes
                best, median = 1 / min(seconds), 1 / statistics.median(seconds)
                shares = "  ".join(f"{stage} {1e3 * least:.2f}" for stage, least in stages.items())
                ratio = min(seconds) / min(loops)
                print(f"{variant:11} {width:5} {best:10.1f} {median:9.1f} {ratio:13.2f}   {shares}")


if __name__ == "__main__":
    main()
