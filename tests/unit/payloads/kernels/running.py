"""How tests run a kernel, and which metrics its manifest does not allow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from payloads import compiled
from payloads.arrays import Array, Arrays

BEST = next(variant.name for variant in compiled.variants() if variant.usable)


def results_of(
    kernel: str, events: Arrays, settings: dict[str, float] | None = None, variant: str = BEST
) -> list[dict[str, Array]]:
    """The results of all events."""
    opened = compiled.open_kernel(variant, kernel, events, settings)
    found = []
    for event in range(opened.events):
        opened.process(event)
        found.append(opened.results())
    return found


def outside(manifest: Mapping[str, Any], metrics: dict[str, float]) -> list[str]:
    """Metrics that the manifest does not allow."""
    allowed = manifest["physics"]
    assert metrics.keys() == allowed.keys()
    return [
        name for name, value in metrics.items() if not allowed[name]["low"] <= value <= allowed[name]["high"]
    ]
