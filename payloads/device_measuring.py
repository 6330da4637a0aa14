"""One kernel on one device, in a process of its own: physics first, then as many timed passes as there is time for."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from payloads import preparing
from payloads.backends.on_device import open_on_device
from payloads.events import EventKey, get_or_make
from payloads.measuring import stores_of

LEAST_PASSES = 3
MOST_PASSES = 60


def measure(request: Mapping[str, Any]) -> dict[str, Any]:
    """What `preparing.verify` says, and wall seconds of passes over all events: end to end, and without transfers.

    Args:
        request: as of `verify`, with `device`, and `seconds` for the timed passes of each of the two.

    Raises:
        PayloadError: device or kernel cannot be had, or fail.
        ValueError: the kernel refuses the events.
    """
    answer = preparing.verify(request)
    stores = stores_of(request)
    events = get_or_make(EventKey(**request["events"]), stores)
    opened = open_on_device(request, events.arrays, stores)
    count = max(opened.events, 2 * opened.slots)
    opened.measure(0, count)  # warms up, and learns the digests
    passes: dict[bool, list[float]] = {True: [], False: []}
    for transfers, samples in passes.items():
        end = time.monotonic() + request["seconds"]
        while len(samples) < LEAST_PASSES or (len(samples) < MOST_PASSES and time.monotonic() < end):
            samples.append(opened.measure(0, count)[0] if transfers else opened.measure_kernels(count))
    return {
        **answer,
        "name": opened.name,
        "said": list(opened.said),
        "slots": opened.slots,
        "threads": opened.threads,
        "workspace_bytes": opened.workspace_bytes,
        "events_in_set": opened.events,
        "events_a_pass": count,
        "end_to_end_s": passes[True],
        "kernel_only_s": passes[False],
    }
