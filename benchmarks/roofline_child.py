"""What `benchmarks.roofline` runs under callgrind: one kernel on events from a file, counted in the third pass only.

    python -m benchmarks.roofline_child KERNEL VARIANT LANES EVENTS.npz SETTINGS_JSON SWITCH.so

The first pass is not simulated, the second fills the simulated caches.
"""

from __future__ import annotations

import ctypes
import json
import sys

import numpy as np

from payloads.compiled import open_kernel


def main() -> None:
    kernel, variant, lanes, events, settings, switch_file = sys.argv[1:]
    with np.load(events) as arrays:
        opened = open_kernel(variant, kernel, dict(arrays), json.loads(settings), int(lanes))
    switch = ctypes.CDLL(switch_file)
    numbers = range(opened.events)
    for event in numbers:
        opened.process(event)
    switch.start_simulation()
    for event in numbers:
        opened.process(event)
    switch.forget_counts()
    for event in numbers:
        opened.process(event)
    switch.stop_simulation()


if __name__ == "__main__":
    main()
