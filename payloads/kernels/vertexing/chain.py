"""Vertexing on the tracks of pixeltrack: what CMS's trigger does."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from payloads.arrays import Array, Arrays, as_float64

AFTER = "pixeltrack"

SETTINGS: Mapping[str, float] = {"least_layers": 3}
"""Pixel tracks have 3 to 6 hits; tracks of the whole tracker are asked for 5 layers."""

# Rows of the covariance in their order: q/pT, phi, cot theta, d0, z0.
_ERRORS = ("pt", "phi", "cot", "tip", "zip")


def events(own: Arrays, detector: Arrays, before: Arrays) -> dict[str, Array]:
    """A set of one event as vertexing takes it.

    Args:
        own: the set of one event of section ``tracks``, of which the beam spot is taken.
        detector: the set that pixeltrack was given; nothing of it is needed.
        before: what pixeltrack made of it: the same collisions.

    Returns:
        Columns of section ``tracks`` without truth. Correlations between parameters are 0, since pixeltrack gives none.
    """
    del detector
    pt = as_float64(before["track_pt"])
    cot = as_float64(before["track_cot"])
    offset = np.asarray(before["tuple_offset"], dtype=np.int64)
    tuples = np.asarray(before["track_tuple"], dtype=np.int64)
    hits = offset[tuples + 1] - offset[tuples]
    found: dict[str, Array] = {
        "q_over_pt": np.asarray(before["track_charge"]) / pt,
        "phi": before["track_phi"],
        "cot_theta": cot,
        "d0": before["track_tip"],
        "z0": before["track_zip"],
        "pt": pt,
        "eta": np.arcsinh(cot),
        "chi2": before["track_chi2"],
    }
    for row, name in enumerate(_ERRORS):
        error = as_float64(before[f"track_{name}_error"])
        for column in range(row):
            found[f"covariance_{row}{column}"] = np.zeros(len(pt))
        # d(1/pT) = dpT / pT^2
        found[f"covariance_{row}{row}"] = (error / pt**2 if name == "pt" else error) ** 2
    counts = {
        "ndof": np.maximum(2 * hits - 5, 1),  # two coordinates a hit, five parameters
        "layers": hits,
        "pixel_layers": hits,
    }
    return {
        "track_offset": np.array([0, len(pt)], dtype=np.int32),
        **{f"track_{name}": np.asarray(column, dtype=np.float32) for name, column in found.items()},
        **{f"track_{name}": column.astype(np.uint8) for name, column in counts.items()},
        **{name: column for name, column in own.items() if name.startswith("beam_")},
    }
