"""One simulated event through all kernels: asked of a child, and what came of it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, NamedTuple

from payloads.catalogue import Kernel
from payloads.chains import one_task, request_of
from payloads.children import WORKER
from payloads.compiled import best_variant
from payloads.plan import Options

LIMIT_S = 300.0
"""For all kernels at the largest pile-up, on a slow node."""

MAX_PILE_UP = 300.0
"""Beyond the HL-LHC's 200; the time of pixeltrack grows with the cube."""


class EventChoice(NamedTuple):
    """Which event.

    Attributes:
        pile_up: mean minimum-bias collisions beside the hard one.
        seed: of the simulation.
        event: its number within the seed.
    """

    pile_up: float
    seed: int
    event: int


class Step(NamedTuple):
    """One kernel's part.

    Attributes:
        kernel: its name.
        title: of its manifest.
        after: the kernel whose result it took; None = it began with the detector.
        seconds: for this event on one core, median.
        published_share: of CMS's reconstruction, 0 to 1; None = CMS publishes none for it.
        layers: what it adds to the picture, as `payloads.scene.to_json` gives them.
    """

    kernel: str
    title: str
    after: str | None
    seconds: float
    published_share: float | None
    layers: tuple[dict[str, Any], ...]


def reconstruct(
    choice: EventChoice,
    kernels: Sequence[Kernel],
    variant: str | None = None,
    command: tuple[str, ...] = WORKER,
) -> list[Step]:
    """The event in all kernels, in the order in which they ran.

    Args:
        choice: which event.
        kernels: those to run; one that takes the result of another that is not among them takes the simulation's.
        variant: that computes; None = the widest that runs here.
        command: the worker.

    Raises:
        PayloadError: it cannot be done; the text says why.
    """
    options = Options(mode="quick", budget_s=LIMIT_S, cpus=(), copies=1, command=command)
    own = [request_of(kernel, options) for kernel in kernels]
    request = {
        "task": "event",
        "variant": variant or best_variant().name,
        **choice._asdict(),
        "kernels": [
            {
                "name": one["kernel"],
                "folder": one["folder"],
                "section": one["events"]["section"],
                "settings": one["settings"],
            }
            for one in own
        ],
    }
    answer = one_task(request, "reconstructing one event", options, time.monotonic() + LIMIT_S, lambda: False)
    known = {kernel.name: kernel.manifest for kernel in kernels}
    return [
        Step(
            kernel=step["kernel"],
            title=known[step["kernel"]].title,
            after=step["after"],
            seconds=step["seconds"],
            published_share=known[step["kernel"]].published_share,
            layers=tuple(step["layers"]),
        )
        for step in answer["steps"]
    ]
