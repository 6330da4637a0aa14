"""One kernel on one device, in a process of its own: physics first, then timed passes whenever it is told to.

Conversation: it says `ready`, with what `preparing.verify` says; then any number of `passes` (answered with their times and with what
the GPU was like meanwhile), and `end` (answered with the GPU as it is then).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from payloads import preparing
from payloads.backends import cubin, nvml
from payloads.backends.device_module import OpenedGpu, device_module
from payloads.backends.devices import version_of
from payloads.backends.occupancy import occupancy
from payloads.backends.on_device import OnDevice, open_on_device
from payloads.channel import Channel
from payloads.events import EventKey, get_or_make
from payloads.gpu_conditions import GpuSnapshot, Watching
from payloads.measuring import stores_of

LEAST_PASSES = 3
MOST_PASSES = 1000

Look = Callable[[], GpuSnapshot]


def measure(request: Mapping[str, Any], channel: Channel) -> None:
    """Verify a kernel on a device, then measure it as often as is asked for.

    Args:
        request: as of `verify`, with `device`, and `bus_id` of the board where there is somebody to ask about it.
        channel: to whoever asks.

    Raises:
        PayloadError: device or kernel cannot be had, or fail.
        ValueError: the kernel refuses the events.
    """
    board, unknown = _board(request)
    look = None if board is None else board.look
    before = None if look is None else look()
    stores = stores_of(request)
    events = get_or_make(EventKey(**request["events"]), stores)
    began = time.monotonic()
    opened = open_on_device(request, events.arrays, stores)
    opened.process(0)
    first_result_s = time.monotonic() - began
    del opened  # its memory
    answer = preparing.verify(request)
    opened = open_on_device(request, events.arrays, stores)
    count = max(opened.events, 2 * opened.slots)
    pass_s, _ = opened.measure(0, count)  # warms up, and learns the digests
    channel.send(
        {
            **answer,
            "name": opened.name,
            "said": list(opened.said),
            "slots": opened.slots,
            "threads": opened.threads,
            "workspace_bytes": opened.workspace_bytes,
            "events_in_set": opened.events,
            "events_a_pass": count,
            "pass_s": pass_s,
            "first_result_s": first_result_s,
            "code": about_code(opened.gpu),
            "entries": entries_of(opened.gpu),
            "multiprocessors": opened.gpu.multiprocessors,
            "driver_version": None if board is None else board.driver_version,
            "cuda_version": (
                version_of(device_module().driver_version("cuda")) if request["backend"] == "cuda" else None
            ),
            "is_cut": None if board is None else board.is_cut,
            "not_watched": unknown,
            "before": None if before is None else asdict(before),
        }
    )
    while (command := channel.receive()) is not None:
        if command["do"] == "passes":
            channel.send(_passes(opened, count, command["seconds"], look, transfers=command["transfers"]))
        else:
            channel.send({"after": None if look is None else asdict(look())})
            return


def _board(request: Mapping[str, Any]) -> tuple[nvml.Board | None, str | None]:
    bus_id = request.get("bus_id")
    if bus_id is None:
        return None, "sitecap asks only NVIDIA's boards about clocks and power"
    try:
        return nvml.Board(bus_id), None
    except nvml.NvmlError as error:
        return None, str(error)


def _passes(
    opened: OnDevice, count: int, seconds: float, look: Look | None, *, transfers: bool
) -> dict[str, Any]:
    samples: list[float] = []
    with Watching(look) as watching:
        end = time.monotonic() + seconds
        while len(samples) < LEAST_PASSES or (len(samples) < MOST_PASSES and time.monotonic() < end):
            samples.append(opened.measure(0, count)[0] if transfers else opened.measure_kernels(count))
    during = None if watching.spell is None else asdict(watching.spell)
    return {"seconds": samples, "events": count * len(samples), "during": during}


def about_code(gpu: OpenedGpu) -> dict[str, Any]:
    """Which code a GPU was given."""
    code = gpu.code
    return {
        "form": code.form,
        "architecture": code.architecture,
        "origin": code.origin,
        "compiler": code.compiler,
    }


def entries_of(gpu: OpenedGpu) -> list[dict[str, Any]]:
    """What a cubin says of each entry that was launched, and how many of its blocks a multiprocessor holds; empty for other code."""
    if gpu.code.form != "cubin":
        return []
    compiled = cubin.entries(gpu.code.code)
    found = []
    for name, threads in sorted(gpu.device.launched().items()):
        entry = compiled[name]
        held = occupancy(entry, threads, gpu.code.architecture)
        found.append(
            {
                "name": name,
                "threads": threads,
                "registers": entry.registers,
                "local_bytes": entry.local_bytes,
                "shared_bytes": entry.shared_bytes,
                "blocks_per_multiprocessor": None if held is None else held.blocks,
                "occupancy": None if held is None else held.share,
                "limited_by": None if held is None else held.limited_by,
            }
        )
    return found
