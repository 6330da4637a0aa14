"""How fast the pixel tracks are on one core, by stage, beside a reference loop timed in the same run.

    python -m benchmarks.payload_pixeltrack [--rounds 9]

CMS's native serial program (pixeltrack-standalone) does 25 events/s on a core of this kind, on a toy of comparable size,
vertices included.
"""

from __future__ import annotations

import argparse

from benchmarks.kernel_timing import print_table, time_variants
from payloads.compiled import simulate

EVENTS = {50: 16, 200: 4}


def main() -> None:
    """Prints a table a pile-up."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()
    for pile_up, count in EVENTS.items():
        events = simulate("pixel", pile_up, 20261122, 0, count)
        print(f"\npile-up {pile_up}: {len(events['digi_row']) / count:.0f} digis an event")
        print_table(time_variants("pixeltrack", events, options.rounds))


if __name__ == "__main__":
    main()
