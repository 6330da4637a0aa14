"""What catracks adds to the picture of a whole event: mini-doublets of the outer tracker, and the tracks built of them."""

from __future__ import annotations

import numpy as np

from payloads.arrays import Arrays, as_float64
from payloads.scene import Layer, curves, points


def scene(event: Arrays, result: Arrays) -> list[Layer]:
    """Layers of one event.

    Args:
        event: of section ``outertracker``.
        result: what the kernel or the reference made of it.
    """
    hit = np.asarray(result["doublet_lower"], dtype=np.int64)
    places = np.stack([as_float64(event[f"hit_{axis}"])[hit] for axis in "xyz"], axis=1)
    offset = np.asarray(result["path_offset"]).tolist()
    path = np.asarray(result["path_doublet"], dtype=np.int64)
    hard_first = np.argsort(-as_float64(result["track_pt"]), kind="stable").tolist()
    lines = [places[path[offset[k] : offset[k + 1]]] for k in hard_first]
    return [
        points("mini-doublets of the outer tracker", "#b0b0b0", 0.8, places.T),
        curves("tracks of mini-doublets", "#cc79a7", 0.8, lines),
    ]
