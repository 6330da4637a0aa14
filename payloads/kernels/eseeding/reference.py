"""Electron seeding in plain NumPy and double precision: which seeds there should be.

Written from the algorithm's definition, not from the C++: crystals in a dictionary, super-clusters one after another,
every hit of the detector tried against every super-cluster; no grids, no bins, no slots.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations

import numpy as np
import numpy.typing as npt

from payloads.arrays import Array, Arrays, as_float64
from payloads.kernels.eseeding.reference_superclusters import (
    DEFAULTS as CLUSTERING,
)
from payloads.kernels.eseeding.reference_superclusters import (
    superclusters,
)

Floats = npt.NDArray[np.float64]

# The settings of events.h and where they come from: README.md.
DEFAULTS: dict[str, float] = {
    **CLUSTERING,
    "largest_eta": 2.5,
    "largest_h_over_e": 0.2,
    "first_dphi": 0.05,
    "first_dphi_slope": -0.002,
    "first_dphi_et_gev": 20.0,
    "next_dphi": 0.003,
    "next_drz_cm": 0.05,
    "next_drz_slope_cm": -0.002,
    "next_drz_et_gev": 30.0,
    "largest_z_cm": 12.5,
    "layers_for_triplets": 4,
    "charges": 3,
}

TURNING = 0.5 * 2.99792458e-3 * 3.8  # 1 / (2 R) in 1/cm of a unit charge of 1 GeV of transverse momentum
BARREL_RADII_CM = (2.93, 6.78, 10.88, 15.99)
BARREL_HALF_LENGTH_CM = 26.9
DISC_Z_CM = (32.0, 39.5, 49.0)
DISC_RADII_CM = (4.5, 16.2)
CHARGES = (-1, 1)  # bits 1 and 2 of the column seed_charges


def wrapped(angle: Floats) -> Floats:
    """Into [-pi, pi)."""
    return np.asarray((angle + np.pi) % (2 * np.pi) - np.pi)


class Hits:
    """Pixel hits in cylinder coordinates about the beam line."""

    def __init__(self, event: Arrays) -> None:
        x, y = as_float64(event["hit_x"]), as_float64(event["hit_y"])
        x, y = x - float(event["beam_x"][0]), y - float(event["beam_y"][0])
        self.r, self.phi = np.hypot(x, y), np.arctan2(y, x)
        self.z = as_float64(event["hit_z"])
        self.layer = event["hit_layer"].astype(np.int64)
        self.barrel = self.layer < 4


def order_of(layer: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """How far out a layer is on its side: barrel 0-3, discs 4-6 at either end."""
    return np.where(layer > 6, layer - 3, layer)


def first_matches(
    hits: Hits, phi: float, radius: float, z: float, energy: float, beam_z: float, s: Mapping[str, float]
) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Azimuth of every hit from where either charge would pass (2, n), and whether that is within the window."""
    pt = energy * radius / np.hypot(radius, z - beam_z)
    turning = TURNING / pt
    end = np.arcsin(turning * radius)
    path = np.where(hits.barrel, 0.0, (hits.z - beam_z) * radius / (z - beam_z))
    reached = hits.barrel | ((path > 0) & (path < radius))
    bent = np.where(hits.barrel, np.arcsin(np.minimum(turning * hits.r, 1.0)), turning * path)
    dphi = np.array([wrapped(hits.phi - phi - q * (end - bent)) for q in CHARGES])
    et = energy * radius / np.hypot(radius, z)
    window = s["first_dphi"] + min(et - s["first_dphi_et_gev"], 0.0) * s["first_dphi_slope"]
    vertex = hits.z - hits.r * (z - hits.z) / (radius - hits.r)
    good = reached & (np.abs(vertex - beam_z) < s["largest_z_cm"])
    return dphi, good & (np.abs(dphi) < window)


def next_matches(
    hits: Hits, first: int, radius: float, z: float, energy: float, s: Mapping[str, float]
) -> tuple[Floats, Floats, npt.NDArray[np.bool_], int]:
    """Every hit against the helix through the vertex and hit ``first``.

    Returns dphi of either charge (2, n), dr or dz in cm (n), whether the hit matches (2, n), and the number of layers
    that the helix passes.
    """
    r1, z1, phi1 = hits.r[first], hits.z[first], hits.phi[first]
    vertex = z1 - r1 * (z - z1) / (radius - r1)
    slope = (z1 - vertex) / r1
    turning = TURNING / (energy / np.sqrt(1 + slope**2))
    begin = np.arcsin(turning * r1)
    bent = np.arcsin(np.minimum(turning * hits.r, 1.0))
    path = np.where(hits.barrel, bent / turning, (hits.z - vertex) / slope)
    reached = path > 0
    angle = np.where(hits.barrel, bent, turning * path)
    dphi = np.array([wrapped(hits.phi - phi1 - q * (begin - angle)) for q in CHARGES])
    drz = np.where(hits.barrel, hits.z - vertex - slope * path, hits.r - np.sin(angle) / turning)
    et = energy * radius / np.hypot(radius, z)
    window = s["next_drz_cm"] + min(et - s["next_drz_et_gev"], 0.0) * s["next_drz_slope_cm"]
    outward = order_of(hits.layer) > order_of(hits.layer[[first]])
    same_side = hits.barrel | hits.barrel[first] | (np.sign(hits.z) == np.sign(z1))
    good = reached & outward & same_side & (np.abs(dphi) < s["next_dphi"]) & (np.abs(drz) < window)
    passed = sum(abs(vertex + slope * r) < BARREL_HALF_LENGTH_CM for r in BARREL_RADII_CM)
    if slope != 0.0:
        for disc in DISC_Z_CM:
            reach = (np.copysign(disc, slope) - vertex) / slope
            passed += int(DISC_RADII_CM[0] < reach < DISC_RADII_CM[1])
    return dphi, drz, good, int(passed)


def seeds_of(event: Arrays, sc: dict[str, Array], s: Mapping[str, float]) -> dict[str, Array]:
    """All pairs and triplets that match a selected super-cluster, as columns; hits in the order outward."""
    hits = Hits(event)
    beam_x, beam_y, beam_z = (float(event[f"beam_{axis}"][0]) for axis in "xyz")
    rows: list[tuple[int, int, int, int, int]] = []
    numbers: list[list[float]] = []
    allowed = np.array([int(s["charges"]) & 1, int(s["charges"]) & 2], dtype=bool)[:, None]
    for k in np.flatnonzero(sc["sc_selected"]):
        x, y, z, energy = (float(sc[f"sc_{name}"][k]) for name in ("x", "y", "z", "energy"))
        radius, phi = float(np.hypot(x - beam_x, y - beam_y)), float(np.arctan2(y - beam_y, x - beam_x))
        dphi1, good1 = first_matches(hits, phi, radius, z, energy, beam_z, s)
        good1 = good1 & allowed
        for first in np.flatnonzero(good1.any(axis=0) & ~np.isin(hits.layer, (3, 6, 9))):
            dphi, drz, good, passed = next_matches(hits, int(first), radius, z, energy, s)
            good = good & good1[:, [first]]
            found = np.flatnonzero(good.any(axis=0))
            others = (
                [(int(i), -1) for i in found]
                if passed < s["layers_for_triplets"]
                else [
                    pair if order_of(hits.layer[[pair[0]]]) < order_of(hits.layer[[pair[1]]]) else pair[::-1]
                    for pair in combinations(map(int, found), 2)
                ]
            )
            for second, third in others:
                both = good[:, second] if third < 0 else good[:, second] & good[:, third]
                if third >= 0 and order_of(hits.layer[[second]]) == order_of(hits.layer[[third]]):
                    continue
                if not both.any():
                    continue
                rows.append((int(k), int(first), second, third, int(both[0]) + 2 * int(both[1])))
                last = (dphi[0, third], dphi[1, third], drz[third]) if third >= 0 else (0.0, 0.0, 0.0)
                numbers.append([*dphi1[:, first], *dphi[:, second], last[0], last[1], drz[second], last[2]])
    table = np.array(rows, dtype=np.int32).reshape(-1, 5)
    values = np.array(numbers, dtype=np.float32).reshape(-1, 8)
    columns: dict[str, Array] = {
        f"seed_{name}": table[:, i].copy() for i, name in enumerate(("sc", "hit0", "hit1", "hit2", "charges"))
    }
    names = ("dphi1_negative", "dphi1_positive", "dphi2_negative", "dphi2_positive")
    for i, name in enumerate((*names, "dphi3_negative", "dphi3_positive", "drz2", "drz3")):
        columns[f"seed_{name}"] = values[:, i].copy()
    return columns


def reconstruct(event: Arrays, settings: Mapping[str, float]) -> dict[str, Array]:
    """All columns that the compiled kernel gives, for one event."""
    s = {**DEFAULTS, **settings}
    found = superclusters(event, s)
    behind = found["sc_behind"] / found["sc_energy"]
    found["sc_selected"] = (
        (behind < s["largest_h_over_e"]) & (np.abs(found["sc_eta"]) < s["largest_eta"])
    ).astype(np.uint8)
    return {**found, **seeds_of(event, found, s), "overflow": np.zeros(1, dtype=np.int32)}
