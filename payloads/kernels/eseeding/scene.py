"""What eseeding adds to the picture of a whole event: super-clusters, and seeds as lines through their hits to them."""

from __future__ import annotations

import numpy as np

from payloads.arrays import Arrays, as_float64
from payloads.scene import Layer, curves, points

USUAL_GEV = 10.0
"""Of a super-cluster that is drawn with the usual size; the area of a point grows with energy."""


def scene(event: Arrays, result: Arrays) -> list[Layer]:
    """Layers of one event.

    Args:
        event: of section ``electron``, or with the hits of pixeltrack.
        result: what the kernel or the reference made of it.
    """
    hits = np.stack([as_float64(event[f"hit_{axis}"]) for axis in "xyz"], axis=1)
    places = np.stack([as_float64(result[f"sc_{axis}"]) for axis in "xyz"], axis=1)
    selected = np.asarray(result["sc_selected"]) == 1
    size = np.clip(np.sqrt(as_float64(result["sc_energy"]) / USUAL_GEV), 0.5, 4.0)
    of_seed = np.asarray(result["seed_sc"], dtype=np.int64)
    indices = np.stack([np.asarray(result[f"seed_hit{k}"], dtype=np.int64) for k in range(3)], axis=1)
    lines = [
        np.concatenate([hits[own[own >= 0]], places[[sc]]]) for own, sc in zip(indices, of_seed, strict=True)
    ]
    return [
        points("super-clusters", "#000000", 6.0, places[selected].T, sizes=size[selected]),
        curves("electron seeds", "#000000", 1.0, lines),
    ]
