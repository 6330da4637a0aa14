"""What a compiled kernel makes of events, and what of its physics the manifest does not allow."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from typing import Any

from payloads.arrays import Array, Arrays
from payloads.compiled import best_variant, open_kernel, variants
from payloads.parts import FOLDER


def manifest_of(kernel: str) -> dict[str, Any]:
    """The manifest as it is written."""
    return tomllib.loads((FOLDER / kernel / "manifest.toml").read_text("utf-8"))


def results_of(
    kernel: str, events: Arrays, settings: Mapping[str, float] | None = None
) -> list[dict[str, Array]]:
    """Of each event, in the widest variant that runs here."""
    opened = open_kernel(best_variant().name, kernel, events, settings)
    found = []
    for event in range(opened.events):
        opened.process(event)
        found.append(opened.results())
    return found


def digests_of(kernel: str, events: Arrays, count: int) -> dict[tuple[str, int], int]:
    """Digest of the first `count` events by variant and lanes (1, and 0 for all), on every variant that runs here."""
    return {
        (variant.name, lanes): open_kernel(variant.name, kernel, events, {}, lanes).measure(0, count)[1]
        for variant in variants()
        if variant.usable
        for lanes in (1, 0)
    }


def depends_on_the_one_before(kernel: str, events: Arrays) -> bool:
    """Whether the first event's result is another after the second than before, in the same workspace."""
    opened = open_kernel(best_variant().name, kernel, events)
    digests = []
    for event in (0, 1, 0):
        opened.process(event)
        digests.append(opened.digest())
    assert digests[0] != digests[1], "two events with one digest tell nothing"
    return digests[0] != digests[2]


def outside(kernel: str, metrics: Mapping[str, float]) -> set[str]:
    """Metrics out of their ranges; all that the manifest judges must be there."""
    allowed = manifest_of(kernel)["physics"]
    assert metrics.keys() == allowed.keys()
    return {
        name for name, value in metrics.items() if not allowed[name]["low"] <= value <= allowed[name]["high"]
    }
