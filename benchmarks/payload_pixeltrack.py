"""How fast the pixel tracks are on one core, by stage, beside a reference loop timed in the same run.

    python benchmarks/payload_pixeltrack.py [--repeats 9]

Others may work on the machine: the least of the repeats is given, and the median beside it. CMS's native serial program
(pixeltrack-standalone) does 25 events/s on a core of this kind, on a toy of comparable size, vertices included.
"""

from __future__ import annotations

import argparse
import statistics

from payloads.compiled import load, open_kernel, simulate, variants

SEED, EVENTS = 20261122, {50: 16, 200: 4}


def main() -> None:
    """Print a table for each pile-up: variant, lanes, events/s, reference loops an event, stages."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--repeats", type=int, default=9)
    repeats = parser.parse_args().repeats
    for pile_up, count in EVENTS.items():
        events = simulate("pixel", pile_up, SEED, 0, count)
        print(f"pile-up {pile_up}: {len(events['digi_row']) / count:.0f} digis an event")
        print("variant     lanes   events/s  (median)   loops/event   ms by stage")
        for variant in (v.name for v in variants() if v.usable):
            module = load(variant)
            for lanes in (0, 1) if module.lanes > 1 else (1,):
                opened = open_kernel(variant, "pixeltrack", events, lanes=lanes)
                opened.measure(0, count)
                seconds, loops = [], []
                stages: dict[str, float] = {}
                for _ in range(repeats):
                    loops.append(module.reference_loop_s())
                    seconds.append(opened.measure(0, count)[0] / count)
                    every = [opened.stages(event) for event in range(count)]
                    for stage in every[0]:
                        mean = statistics.fmean(one[stage] for one in every)
                        stages[stage] = min(stages.get(stage, mean), mean)
                width = lanes or module.lanes
                best, median = 1 / min(seconds), 1 / statistics.median(seconds)
                shares = "  ".join(f"{stage} {1e3 * least:.2f}" for stage, least in stages.items())
                print(
                    f"{variant:11} {width:5} {best:10.1f} {median:9.1f} {min(seconds) / min(loops):13.2f}   {shares}"
                )


if __name__ == "__main__":
    main()
