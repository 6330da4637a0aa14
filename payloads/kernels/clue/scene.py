"""What clue adds to the picture of a whole event: layer clusters and tracksters of both endcaps."""

from __future__ import annotations

import numpy as np

from payloads.arrays import Array, Arrays, as_float64
from payloads.scene import Layer, points

USUAL_CLUSTER_GEV, USUAL_TRACKSTER_GEV = 0.05, 5.0
"""Drawn with the usual size; the area of a point grows with energy."""


def scene(event: Arrays, result: Arrays) -> list[Layer]:
    """Layers of one event.

    Args:
        event: of section ``hgcal``.
        result: what the kernel or the reference made of it.
    """
    del event
    clusters = [as_float64(result[f"cluster_{axis}"]) for axis in "xyz"]
    tracksters = [as_float64(result[f"trackster_{axis}"]) for axis in "xyz"]
    return [
        points(
            "layer clusters",
            "#e69f00",
            1.2,
            clusters,
            sizes=_sizes(result["cluster_energy"], USUAL_CLUSTER_GEV),
        ),
        points(
            "tracksters",
            "#cc79a7",
            2.5,
            tracksters,
            sizes=_sizes(result["trackster_energy"], USUAL_TRACKSTER_GEV),
        ),
    ]


def _sizes(energy_gev: Array, usual_gev: float) -> Array:
    return np.clip(np.sqrt(as_float64(energy_gev) / usual_gev), 0.5, 4.0)
