"""One pinned copy: events in its own memory, warmed up, measured whenever it is told to.

Conversation: it says `ready`; then any number of `run` (answered when the passes are done, after which the copy goes on
working unmeasured, so that the others are not measured beside an idle core), `rest` (answered at once; it sleeps), and
`end` (answered with what it cost). Passes are timed in C++, event by event, without the digest of the results.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from payloads import compiled
from payloads.arrays import Array
from payloads.backends.on_device import open_on_device
from payloads.channel import Channel
from payloads.compiled import Opened
from payloads.events import EventKey, make, maker
from payloads.store import Store, read

SPIN_S = 0.002
"""Before a common start the last moments are not slept through: waking up takes longer than the start may be off."""


def open_copy(request: Mapping[str, Any]) -> tuple[Opened, int]:
    """The kernel of a request on its own copy of the events, and the bytes of the events.

    Raises:
        PayloadError: kernel or events cannot be had.
        ValueError: the kernel refuses them.
        MemoryError: there is not enough.
    """
    events = private_events(request)
    opened = open_on(request, events)
    return opened, sum(column.nbytes for column in events.values())


def open_on(request: Mapping[str, Any], events: Mapping[str, Array]) -> Opened:
    """The kernel of a request on these events: of a variant, or on a device where one is named.

    Raises:
        PayloadError: the kernel or the device cannot be had.
        ValueError: the kernel refuses the events.
    """
    if request["backend"] != "cpu":
        return open_on_device(request, events, stores_of(request))
    return compiled.open_kernel(
        request["variant"], request["kernel"], events, request["settings"], request["lanes"]
    )


def stores_of(request: Mapping[str, Any]) -> list[Store]:
    """Where event sets, results of the reference and device code are kept."""
    return [Store(Path(place), maker(), request["cache_max_bytes"]) for place in request["places"]]


def private_events(request: Mapping[str, Any]) -> dict[str, Array]:
    """Events in this process's own memory: copies that shared pages would share cache lines, and measure something else."""
    directory = request.get("events_directory")
    if directory is None:
        return make(EventKey(**request["events"]))
    # Whoever prepared them has just held every bit against its digest.
    return read(Path(directory), check=False, mapped=False).arrays


def copy(request: Mapping[str, Any], channel: Channel) -> None:
    """Be one copy until the other end says `end` or goes away."""
    opened, event_bytes = open_copy(request)
    pass_s, digest = opened.measure(0, opened.events)
    module = compiled.load(request["variant"])
    channel.send(
        {
            "ready": True,
            "events": opened.events,
            "event_bytes": event_bytes,
            "workspace_bytes": opened.workspace_bytes,
            "memory_bytes": peak_memory_bytes(),
            "pass_s": pass_s,
            "digest": f"{digest:016x}",
            "isa": str(module.isa),
            "lanes": int(module.lanes),
            "compiler": str(module.compiler),
            "flags": str(module.flags),
        }
    )
    while (command := channel.receive()) is not None:
        if command["do"] == "run":
            channel.send(_run(opened, command["start"], command["end"], digest))
            _go_on(opened, channel)
        elif command["do"] == "rest":
            channel.send({"resting": True})
        else:
            channel.send({"memory_bytes": peak_memory_bytes()})
            return


def _run(opened: Opened, start: float, end: float, digest: int) -> dict[str, Any]:
    """Whole passes from `start` on (monotonic clock), as many as end nearest to `end`, at least one."""
    while (left := start - time.monotonic()) > SPIN_S:
        time.sleep(left - SPIN_S)
    while time.monotonic() < start:
        pass
    before, cpu_before = resource.getrusage(resource.RUSAGE_SELF), time.process_time()
    began = time.monotonic()
    passes, seconds, same = 0, 0.0, True
    while True:
        one_s, found = opened.measure(0, opened.events)
        passes += 1
        seconds += one_s
        same = same and found == digest
        if time.monotonic() + seconds / passes / 2 > end:
            break
    ended = time.monotonic()
    after, cpu_after = resource.getrusage(resource.RUSAGE_SELF), time.process_time()
    return {
        "events": passes * opened.events,
        "seconds": seconds,
        "began": began,
        "ended": ended,
        "cpu_s": cpu_after - cpu_before,
        "same_bits": same,
        "major_faults": after.ru_majflt - before.ru_majflt,
        "preempted": after.ru_nivcsw - before.ru_nivcsw,
    }


def _go_on(opened: Opened, channel: Channel) -> None:
    event = 0
    while not channel.waiting():
        opened.process(event)
        event = (event + 1) % opened.events


def stages(opened: Opened) -> dict[str, float]:
    """Mean seconds an event by stage, over all events."""
    total: dict[str, float] = {}
    for event in range(opened.events):
        for stage, seconds in opened.stages(event).items():
            total[stage] = total.get(stage, 0.0) + seconds / opened.events
    return total


def peak_memory_bytes() -> int | None:
    """The most physical memory that this process ever had (VmHWM); None where the kernel does not say."""
    try:
        status = Path("/proc/self/status").read_text("utf-8")
        line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024
    except (OSError, StopIteration, ValueError, IndexError):
        return None
