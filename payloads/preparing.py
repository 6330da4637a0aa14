"""What is done once before copies are measured: events, the reference's results, and the physics of each variant."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from payloads import compiled
from payloads.arrays import Array, Arrays, each_event, event_count, one_event
from payloads.errors import PayloadError
from payloads.events import EventKey, Events, get_or_make, keep, look_up, make, simulation_version
from payloads.measuring import open_on, stages, stores_of
from payloads.parts import load_part
from payloads.store import Store, read

Request = Mapping[str, Any]


def describe(request: Request) -> dict[str, Any]:
    """What a compiled variant is, after loading it for real.

    Raises:
        NotBuiltError: it cannot be loaded.
    """
    module = compiled.load(request["variant"])
    return {
        "isa": str(module.isa),
        "lanes": int(module.lanes),
        "compiler": str(module.compiler),
        "flags": str(module.flags),
        "kernels": list(module.kernels),
    }


def prepare(request: Request) -> dict[str, Any]:
    """Have the events of a kernel and the reference's results kept where copies and verdicts find them."""
    stores = stores_of(request)
    events = get_or_make(EventKey(**request["events"]), stores, request["threads"])
    _, said = _reference(request, stores)
    return {
        "digest": events.digest,
        "size_bytes": events.size_bytes,
        "directory": None if events.directory is None else str(events.directory),
        "origin": events.origin,
        "said": list(dict.fromkeys((*events.said, *said))),
        "simulation_version": simulation_version(),
    }


def verify(request: Request) -> dict[str, Any]:
    """Run one variant on the reference's events, on all of the benchmark's and on single particles; measure its physics."""
    stores = stores_of(request)
    (reference_events, wanted), _ = _reference(request, stores)
    opened = open_on(request, reference_events)
    judge = load_part(Path(request["folder"]), "physics")
    differences = None
    for event, expected in enumerate(wanted):
        opened.process(event)
        found = judge.differences(expected, opened.results())
        if found is not None:
            differences = f"event {event} of the reference: {found}"
            break
    del opened
    events = _events(request, stores)
    opened = open_on(request, events.arrays)
    digest, metrics = _measured(request, stores, events, opened, judge.measure)
    if "singles" in request:
        singles = get_or_make(EventKey(**request["singles"]), stores)
        alone = open_on(request, singles.arrays)
        metrics |= _measured(request, stores, singles, alone, judge.measure_singles)[1]
    return {
        "digest": f"{digest:016x}",
        "differences": differences,
        "metrics": metrics,
        "stages": stages(opened),
    }


def _measured(
    request: Request,
    stores: Sequence[Store],
    events: Events,
    opened: compiled.Opened,
    measure: Callable[[Arrays, list[dict[str, Array]]], Mapping[str, float]],
) -> tuple[int, dict[str, float]]:
    """The digest of all results, and their physics: kept, since another variant has the same bits."""
    _, digest = opened.measure(0, opened.events)
    name = f"physics-{request['kernel']}-{request['sources']}-{events.digest[:16]}-{digest:016x}"
    held, _ = look_up(name, stores)
    if held is not None:
        return digest, dict(held.about["metrics"])
    results = []
    for event in range(opened.events):
        opened.process(event)
        results.append(opened.results())
    metrics = {str(metric): float(value) for metric, value in measure(events.arrays, results).items()}
    keep(name, {"values": np.array(list(metrics.values()))}, {"metrics": metrics}, stores)
    return digest, metrics


def picture(request: Request) -> dict[str, Any]:
    """The first of a kernel's benchmark events with its result, as SVG text."""
    events = make(EventKey(**{**request["events"], "count": 1}))
    opened = open_on(request, events)
    opened.process(0)
    draw = load_part(Path(request["folder"]), "display").picture
    return {"svg": str(draw(one_event(events, 0), opened.results()))}


def _events(request: Request, stores: Sequence[Store]) -> Events:
    directory = request.get("events_directory")
    if directory is None:
        return get_or_make(EventKey(**request["events"]), stores)
    held = read(Path(directory), check=False)
    return Events(held.arrays, held.digest, held.size_bytes, held.directory, "cache", ())


Reference = tuple[dict[str, Array], list[Arrays]]
"""The events, and what `reference.py` makes of each."""


def _reference(request: Request, stores: Sequence[Store]) -> tuple[Reference, tuple[str, ...]]:
    """Made once for all variants: plain Python takes seconds. Its own sources are part of the name it is kept under."""
    events = make(EventKey(**request["reference"]))
    name = f"reference-{request['kernel']}-{request['sources']}"
    held, said = look_up(name, stores)
    if held is None:
        reconstruct = load_part(Path(request["folder"]), "reference").reconstruct
        results = [reconstruct(event, request["settings"]) for event in each_event(events)]
        flat = {
            f"event{number}_{column}": np.atleast_1d(np.asarray(values))
            for number, result in enumerate(results)
            for column, values in result.items()
        }
        kept, more = keep(name, flat, {}, stores)
        if kept is None:
            return (events, results), (*said, *more)
        held = kept
    return (events, [_of_event(held.arrays, number) for number in range(event_count(events))]), said


def _of_event(flat: Arrays, number: int) -> dict[str, Array]:
    prefix = f"event{number}_"
    found = {name.removeprefix(prefix): column for name, column in flat.items() if name.startswith(prefix)}
    if not found:
        raise PayloadError(f"the reference has no result for event {number}: it returned no columns")
    return found
