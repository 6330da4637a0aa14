"""How fast is vertexing, and where does its time go? Ratios beside a reference loop timed in the same run.

python -m benchmarks.payload_vertexing [--rounds N] [--events N]
"""

from __future__ import annotations

import argparse

from benchmarks.kernel_timing import print_table, time_variants
from payloads.compiled import simulate

PILE_UPS = (50, 200)


def main() -> None:
    """Prints a table a pile-up."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--events", type=int, default=8)
    options = parser.parse_args()
    for pile_up in PILE_UPS:
        events = simulate("tracks", pile_up, 20261122, 0, options.events)
        print(f"\npile-up {pile_up}: {len(events['track_pt']) / options.events:.0f} tracks an event")
        print_table(time_variants("vertexing", events, options.rounds))


if __name__ == "__main__":
    main()
