"""How fast is particle flow, and where does its time go? Ratios beside a reference loop timed in the same run.

    python -m benchmarks.payload_pflow [--rounds N] [--events N]

The plain NumPy reference runs once, on the first event.
"""

from __future__ import annotations

import argparse

from benchmarks.kernel_timing import print_table, seconds_of, time_variants
from payloads.arrays import one_event
from payloads.compiled import simulate
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
        first = one_event(events, 0)
        print(f"\npile-up {pile_up}: {len(events['rechit_energy']) / options.events:.0f} cells an event")
        reference_s = seconds_of(lambda first=first: reconstruct(first, {}))
        print_table(time_variants("pflow", events, options.rounds), reference_s)


if __name__ == "__main__":
    main()
