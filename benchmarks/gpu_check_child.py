"""One step of `make gpu-check` on the GPU: a request as JSON on standard input, the answer as one line of JSON.

Tasks: `once`: one event, `flight`: events per second with so many in flight, `kalman`: mkfit's step alone, `soak`: events for long,
memory watched.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from payloads.backends import nvml
from payloads.backends.on_device import OnDevice, open_on_device
from payloads.device_measuring import about_code
from payloads.errors import PayloadError
from payloads.events import EventKey, get_or_make
from payloads.measuring import stores_of

LOOKS = 100
"""At the memory, over a soak."""

Request = dict[str, Any]


def _open(request: Request) -> OnDevice:
    stores = stores_of(request)
    return open_on_device(request, get_or_make(EventKey(**request["events"]), stores).arrays, stores)


def once(request: Request) -> dict[str, Any]:
    opened = _open({**request, "slots": 1})
    opened.process(0)
    return {
        "first_result_at": time.monotonic(),
        "digest": f"{opened.digest():016x}",
        "code": about_code(opened.gpu),
    }


def flight(request: Request) -> dict[str, Any]:
    opened = _open(request)
    count = max(opened.events, 2 * opened.slots)
    opened.measure(0, count)
    events, seconds = 0, 0.0
    while seconds < request["seconds"]:
        seconds += opened.measure(0, count)[0]
        events += count
    return {"events_per_s": events / seconds, "in_flight": opened.slots}


def kalman(request: Request) -> dict[str, Any]:
    """Tracks through layers a second, kernel-only; the slots hold the same event, whose seeds are counted."""
    stores = stores_of(request)
    events = get_or_make(EventKey(**request["events"]), stores).arrays
    opened = open_on_device(request, events, stores)
    seeds = int(events["seed_offset"][1] - events["seed_offset"][0])
    count, seconds = opened.slots, 0.0
    opened.measure_kernels(count)
    while seconds < request["seconds"]:
        count *= 2
        seconds = opened.measure_kernels(count)
    layers = request["settings"]["bare_layers"]
    return {"track_layers_per_s": count * seeds * layers / seconds, "seeds": seeds, "in_flight": opened.slots}


def soak(request: Request) -> dict[str, Any]:
    """Each pass holds the bits of its last events against the first ones; other bits end it with a sentence."""
    board = None if request["bus_id"] is None else _board(request["bus_id"])
    opened = _open(request)
    count = max(opened.events, 2 * opened.slots)
    began = time.monotonic()
    looks: list[dict[str, Any]] = []
    events = 0
    while (passed := time.monotonic() - began) < request["seconds"]:
        opened.measure(0, count)
        events += count
        if passed >= len(looks) * request["seconds"] / LOOKS:
            used = None if board is None else board.look().memory_used_bytes
            looks.append({"at_s": passed, "gpu_bytes": used, "process_bytes": _resident_bytes()})
    return {"events": events, "seconds": time.monotonic() - began, "looks": looks}


def _resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _board(bus_id: str) -> nvml.Board | None:
    try:
        return nvml.Board(bus_id)
    except nvml.NvmlError:
        return None


TASKS: dict[str, Callable[[Request], dict[str, Any]]] = {
    "once": once,
    "flight": flight,
    "kalman": kalman,
    "soak": soak,
}


def main() -> int:
    request = json.loads(sys.stdin.read())
    try:
        answer = TASKS[request["task"]](request)
    except (PayloadError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    print(json.dumps(answer), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
