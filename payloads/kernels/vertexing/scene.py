"""What vertexing adds to the picture of a whole event: primary vertices, and the collisions that were simulated."""

from __future__ import annotations

from payloads.arrays import Arrays
from payloads.scene import Layer, points


def scene(event: Arrays, result: Arrays) -> list[Layer]:
    """Layers of one event.

    Args:
        event: of section ``tracks``.
        result: what the kernel or the reference made of it.
    """
    simulated = [event[f"collision_{axis}"] for axis in "xyz"]
    found = [result[f"annealing_vertex_{axis}"] for axis in "xyz"]
    return [
        points("simulated collisions", "#009e73", 5.0, simulated),
        points("primary vertices", "#d55e00", 3.0, found),
    ]
