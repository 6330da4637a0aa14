"""One event through all kernels, chained where CMS chains them: what each takes of the time, and what each adds to a picture."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from payloads import compiled
from payloads.arrays import Array, Arrays, one_event
from payloads.errors import PayloadError
from payloads.parts import has_part, load_part
from payloads.scene import to_json

ROUNDS = 5
"""Of which the median is the time of a kernel, after one that warms up."""

Request = Mapping[str, Any]


def whole_event(request: Request) -> dict[str, Any]:
    """Reconstruct one event with every kernel.

    Args:
        request: `variant`; `pile_up`, `seed`, `event`; and `kernels`, each with `name`, `folder`, `section`, `settings`.

    Returns:
        `steps`: in the order in which they ran, each with `kernel`, `after` (the kernel whose result it took, or None),
        `seconds` (median) and `layers` (see `payloads.scene.to_json`).

    Raises:
        PayloadError: a kernel or its events cannot be had.
        ValueError: the simulation refuses the numbers, or a kernel its events.
    """
    done: dict[str, tuple[Arrays, Arrays]] = {}
    steps = []
    for kernel in in_order(request["kernels"]):
        own = compiled.simulate(kernel["section"], request["pile_up"], request["seed"], request["event"], 1)
        folder = Path(kernel["folder"])
        after, events, settings = _input(kernel, folder, own, done)
        opened = compiled.open_kernel(request["variant"], kernel["name"], events, settings)
        opened.measure(0, 1)
        seconds = statistics.median(opened.measure(0, 1)[0] for _ in range(ROUNDS))
        opened.process(0)
        result = opened.results()
        done[kernel["name"]] = events, result
        layers = []
        if has_part(folder, "scene"):
            layers = load_part(folder, "scene").scene(one_event({**own, **events}, 0), result)
        steps.append(
            {
                "kernel": kernel["name"],
                "after": after,
                "seconds": seconds,
                "layers": [to_json(layer) for layer in layers],
            }
        )
    return {"steps": steps}


def in_order(kernels: Sequence[Request]) -> list[Request]:
    """Kernels, each behind the one whose result it takes; else as they were.

    Raises:
        PayloadError: they wait for each other.
    """
    names = {kernel["name"] for kernel in kernels}
    waiting, done = list(kernels), list[Request]()
    while waiting:
        ready = [
            kernel
            for kernel in waiting
            if after_of(Path(kernel["folder"])) not in names - {one["name"] for one in done}
        ]
        if not ready:
            raise PayloadError(
                f"the kernels {', '.join(kernel['name'] for kernel in waiting)} wait for each other: install sitecap again"
            )
        done += ready
        waiting = [kernel for kernel in waiting if kernel not in ready]
    return done


def after_of(folder: Path) -> str | None:
    """The kernel whose result the one of this folder takes where CMS chains them; None = it begins with the detector."""
    return str(load_part(folder, "chain").AFTER) if has_part(folder, "chain") else None


def _input(
    kernel: Request, folder: Path, own: Arrays, done: Mapping[str, tuple[Arrays, Arrays]]
) -> tuple[str | None, Arrays, dict[str, float]]:
    """What a kernel takes: of the kernel before it if that ran, else of the simulation."""
    settings = dict(kernel["settings"])
    after = after_of(folder)
    if after is None or after not in done:
        return None, own, settings
    chain = load_part(folder, "chain")
    events: Mapping[str, Array] = chain.events(own, *done[after])
    return after, events, {**settings, **chain.SETTINGS}
