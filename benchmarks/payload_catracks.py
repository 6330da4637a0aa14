"""How fast the tracks from double layers are on one core, by stage, beside a reference loop timed in the same run.

    python -m benchmarks.payload_catracks [--rounds 9] [--events 8] [--reference]

`--reference` also times the NumPy reference on the first event of each pile-up (several seconds an event at 200).
"""

from __future__ import annotations

import argparse

from benchmarks.kernel_timing import print_table, seconds_of, time_variants
from payloads.arrays import one_event
from payloads.compiled import simulate
from payloads.kernels.catracks.reference import reconstruct

PILE_UPS = (140, 200)


def main() -> None:
    """Prints a table a pile-up."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--events", type=int, default=8)
    parser.add_argument("--reference", action="store_true", help="time the NumPy reference, too")
    options = parser.parse_args()
    for pile_up in PILE_UPS:
        events = simulate("outertracker", pile_up, 20261122, 0, options.events)
        first = one_event(events, 0)
        print(f"\npile-up {pile_up}: {len(events['hit_x']) / options.events:.0f} hits an event")
        reference_s = seconds_of(lambda first=first: reconstruct(first, {})) if options.reference else None
        print_table(time_variants("catracks", events, options.rounds), reference_s)


if __name__ == "__main__":
    main()
