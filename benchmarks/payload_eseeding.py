"""Speed of eseeding on one core: W = 1 beside the full width, and the NumPy reference, in one run.

python -m benchmarks.payload_eseeding [--rounds 15] [--events 32]
"""

from __future__ import annotations

import argparse

from benchmarks.kernel_timing import print_table, seconds_of, time_variants
from payloads.arrays import one_event
from payloads.compiled import simulate
from payloads.kernels.eseeding.reference import reconstruct

PILE_UPS, REFERENCE_EVENTS = (50, 200), 2


def main() -> None:
    """Prints a table a pile-up."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--events", type=int, default=32)
    options = parser.parse_args()
    for pile_up in PILE_UPS:
        events = simulate("electron", pile_up, 20261122, 0, options.events)
        first = [one_event(events, event) for event in range(REFERENCE_EVENTS)]
        print(f"\npile-up {pile_up}: {len(events['hit_x']) / options.events:.0f} hits an event")
        reference_s = seconds_of(lambda first=first: [reconstruct(event, {}) for event in first])
        print_table(time_variants("eseeding", events, options.rounds), reference_s / REFERENCE_EVENTS)


if __name__ == "__main__":
    main()
