"""Particle flow with the tracks that mkfit built."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from payloads.arrays import Array, Arrays, as_float64

AFTER = "mkfit"

SETTINGS: Mapping[str, float] = {}

_PACKED = 21
"""Numbers of a symmetric matrix of six parameters."""
_INVERSE_PT = 9
"""Place of the variance of 1/pT among them: x, y, z, 1/pT, phi, theta; row by row up to the diagonal."""


def events(own: Arrays, detector: Arrays, before: Arrays) -> dict[str, Array]:
    """A set of one event as pflow takes it.

    Args:
        own: the set of one event of section ``calorimeters``: channels and rechits are taken.
        detector: the set that mkfit was given; nothing of it is needed.
        before: what mkfit made of it: the same collisions.

    Returns:
        Columns of section ``calorimeters`` with mkfit's tracks.
    """
    del detector
    phi, theta = as_float64(before["track_phi"]), as_float64(before["track_theta"])
    x, y = as_float64(before["track_x"]), as_float64(before["track_y"])
    covariance = as_float64(before["track_covariance"]).reshape(-1, _PACKED)
    turned = np.mod(phi + np.pi, 2 * np.pi) - np.pi
    tracks = {
        "q_over_pt": np.asarray(before["track_charge"]) * as_float64(before["track_inverse_pt"]),
        "phi": turned,
        "cot_theta": 1 / np.tan(theta),
        "d0": y * np.cos(phi) - x * np.sin(phi),
        "z0": as_float64(before["track_z"]),
        "covariance_00": covariance[:, _INVERSE_PT],
    }
    kept = {name: column for name, column in own.items() if not name.startswith("track_")}
    return {
        **kept,
        "track_offset": np.array([0, len(phi)], dtype=np.int32),
        **{f"track_{name}": column.astype(np.float32) for name, column in tracks.items()},
    }
