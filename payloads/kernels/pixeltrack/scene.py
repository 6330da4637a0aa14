"""What pixeltrack adds to the picture of a whole event: pixel hits, and the tracks through them."""

from __future__ import annotations

import numpy as np

from payloads.arrays import Arrays, as_float64
from payloads.kernels.pixeltrack.display import LEAST_GEV, curve, last_hits
from payloads.scene import Layer, curves, points


def scene(event: Arrays, result: Arrays) -> list[Layer]:
    """Layers of one event.

    Args:
        event: of section ``pixel``.
        result: what the kernel or the reference made of it.
    """
    del event
    x, y, z = (as_float64(result[f"cluster_{axis}"]) for axis in "xyz")
    last = np.hypot(x, y)[last_hits(result)]
    pt = as_float64(result["track_pt"])
    hard_first = np.argsort(-pt, kind="stable")
    chosen = hard_first[pt[hard_first] > LEAST_GEV].tolist()
    lines = [curve(result, k, float(last[k]))[:3].T for k in chosen]
    return [
        points("pixel hits", "#8c8c8c", 1.0, (x, y, z)),
        curves(f"pixel tracks above {LEAST_GEV:g} GeV", "#0072b2", 1.0, lines),
    ]
