"""What mkfit adds to the picture of a whole event: hits of the whole tracker, and the tracks built through them."""

from __future__ import annotations

import numpy as np

from payloads.arrays import Arrays, as_float64
from payloads.kernels.mkfit.display import LEAST_GEV, helix, path_length
from payloads.kernels.mkfit.physics import hits_of_tracks
from payloads.scene import Layer, curves, points


def scene(event: Arrays, result: Arrays) -> list[Layer]:
    """Layers of one event.

    Args:
        event: of section ``tracker``.
        result: what the kernel or the reference made of it.
    """
    x, y, z = (as_float64(event[f"hit_{axis}"]) for axis in "xyz")
    r = np.hypot(x, y)
    is_disc = np.asarray(event["layer_is_disc"])[event["hit_layer"]] != 0
    track, hit = hits_of_tracks(result)
    # Hits go outwards: the last one stays.
    last = np.zeros(len(result["track_x"]), dtype=np.int64)
    last[track] = hit
    pt = 1 / as_float64(result["track_inverse_pt"])
    hard_first = np.argsort(-pt, kind="stable")
    lines = []
    for k in hard_first[pt[hard_first] > LEAST_GEV].tolist():
        end = last[k]
        length = path_length(result, k, float(r[end]), float(z[end]) if is_disc[end] else None)
        lines.append(np.stack(helix(result, k, length), axis=1))
    return [
        points("hits of the tracker", "#b0b0b0", 0.8, (x, y, z)),
        curves(f"tracks above {LEAST_GEV:g} GeV", "#56b4e9", 0.8, lines),
    ]
