"""Definition of truth: CLUE and CLUE3D by neighbour lists of a k-d tree, in NumPy, without tiles, sorting or lanes.

Coordinates in units of the clustering distance and squared distances are single-precision numbers, since on a lattice
the nearest of equally near cells depends on their last bit; densities are integers. All else is double precision.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from payloads.arrays import Array, Arrays, as_float64

_Ints = npt.NDArray[np.int64]
_Floats = npt.NDArray[np.float64]
_Singles = npt.NDArray[np.float32]

# CMSSW: hgcalLayerClusters_cfi and the CLUE3D pass of RecoHGCal/TICL; names as in layout.cpp
DEFAULTS: Mapping[str, float] = {
    "deltac_cm": 1.3, "deltac_scintillator": 0.0315, "threshold_sigma": 3.0, "kappa": 9.0, "critical_gev": 0.0,
    "outlier_factor": 2.0, "units_per_gev": 1e5, "log_weight_floor": 2.9, "position_cm2": 1.69, "link": 1.0,
    "layers": 47, "sibling_layers": 3, "least_cells": 2, "least_clusters": 2, "density_cm2": 3.24,
    "density_factor": 0.2, "critical_3d_gev": 0.6, "critical_share": 0.15, "critical_cm": 1.8,
    "outlier_factor_3d": 2.0,
}  # fmt: skip


def _single(value: float) -> np.float32:
    return np.float32(value)


def _pairs(u: _Singles, v: _Singles, reach: float, period: float) -> tuple[_Ints, _Ints, _Singles]:
    """All ordered pairs (i, j), i != j, within ``reach``, and their squared distances in single precision."""
    points = np.column_stack([as_float64(u), as_float64(v)])
    copies, index = points, np.arange(len(u))
    if period > 0:
        low, high = points[:, 1] < -period / 2 + reach + 1, points[:, 1] > period / 2 - reach - 1
        copies = np.concatenate([points, points[low] + [0, period], points[high] - [0, period]])
        index = np.concatenate([index, np.flatnonzero(low), np.flatnonzero(high)])
        shift = np.concatenate([np.zeros(len(u)), np.full(low.sum(), period), np.full(high.sum(), -period)])
    else:
        shift = np.zeros(len(u))
    near = cKDTree(points).sparse_distance_matrix(cKDTree(copies), reach + 1e-3, output_type="ndarray")
    i, j = near["i"].astype(np.int64), index[near["j"]]
    du = u[j] - u[i]
    dv = (v[j] + shift[near["j"]].astype(np.float32)) - v[i]
    return_distance2 = du * du + dv * dv
    other = i != j
    return i[other], j[other], return_distance2[other]


def _nearest_denser(
    count: int, i: _Ints, j: _Ints, distance2: _Floats, density: _Floats | _Ints, name: _Ints
) -> tuple[_Ints, _Floats]:
    """For each point the nearest denser one of the given pairs: index or -1, squared distance or infinity.

    Of equal densities the point of larger ``name`` is the denser one; of equally near ones the denser is taken.
    """
    denser = (density[j] > density[i]) | ((density[j] == density[i]) & (name[j] > name[i]))
    i, j, distance2 = i[denser], j[denser], distance2[denser]
    order = np.lexsort((-name[j], -density[j], distance2, i))
    i, j, distance2 = i[order], j[order], distance2[order]
    first = np.ones(len(i), dtype=bool)
    first[1:] = i[1:] != i[:-1]
    nearest = np.full(count, -1, dtype=np.int64)
    best = np.full(count, np.inf)
    nearest[i[first]], best[i[first]] = j[first], distance2[first]
    return nearest, best


def _roots(follows: _Ints) -> _Ints:
    """Where each chain ends: the index of a point that follows itself, or -1."""
    roots = follows.copy()
    for _ in range(len(follows)):
        further = np.where(roots >= 0, follows[roots], -1)
        if np.array_equal(further, roots):
            break
        roots = further
    return roots


def _layer_clusters(event: Arrays, s: Mapping[str, float]) -> tuple[_Ints, _Ints]:
    """Seed cell of each cell, -1 without, and the seeds in the order of cells."""
    energy, sigma = np.asarray(event["rechit_energy"]), np.asarray(event["rechit_sigma_noise"])
    seed_of_cell = np.full(len(energy), -1, dtype=np.int64)
    used = energy >= _single(s["threshold_sigma"]) * sigma
    least = np.full(len(energy), _single(s["critical_gev"])) if s["critical_gev"] > 0 else _single(s["kappa"]) * sigma
    unit = _single(s["units_per_gev"])
    weight = (energy * unit + _single(0.5)).astype(np.int64)
    critical = (_single(2) * least * unit + _single(0.5)).astype(np.int64)
    silicon = np.asarray(event["rechit_is_silicon"]) != 0
    for is_silicon in (True, False):
        scale = _single(1) / _single(s["deltac_cm"] if is_silicon else s["deltac_scintillator"])
        u = (np.asarray(event["rechit_x"]) if is_silicon else np.abs(event["rechit_eta"])) * scale
        v = np.asarray(event["rechit_y" if is_silicon else "rechit_phi"]) * scale
        period = 0.0 if is_silicon else float(_single(2) * _single(np.pi) * scale)
        for plane in np.unique(event["rechit_layer"]):
            cells = np.flatnonzero(used & (silicon == is_silicon) & (event["rechit_layer"] == plane))
            if not len(cells):
                continue
            i, j, distance2 = _pairs(u[cells], v[cells], s["outlier_factor"], period)
            density = 2 * weight[cells]
            close = distance2 < 1
            np.add.at(density, i[close], weight[cells][j[close]])
            reached = distance2 <= _single(s["outlier_factor"] ** 2)
            nearest, best = _nearest_denser(
                len(cells), i[reached], j[reached], as_float64(distance2[reached]), density, cells
            )
            seeds = (density >= critical[cells]) & (best > 1)
            roots = _roots(np.where(seeds, np.arange(len(cells)), nearest))
            seed_of_cell[cells] = np.where(roots >= 0, cells[roots], -1)
    return seed_of_cell, np.flatnonzero(seed_of_cell == np.arange(len(energy)))


def _measure(event: Arrays, cluster: _Ints, count: int, s: Mapping[str, float]) -> dict[str, _Floats]:
    x, y, z = (as_float64(event[f"rechit_{axis}"]) for axis in "xyz")
    energy = as_float64(event["rechit_energy"])
    measured = {name: np.zeros(count) for name in ("x", "y", "z", "energy", "cells", "layer")}
    cells_of = np.split(np.argsort(cluster, kind="stable"), np.cumsum(np.bincount(cluster + 1, minlength=count + 1)))
    for c in range(count):
        cells = cells_of[c + 1]
        hottest = cells[np.argmax(energy[cells])]
        weight = energy[cells]
        if event["rechit_is_silicon"][hottest]:
            close = (x[cells] - x[hottest]) ** 2 + (y[cells] - y[hottest]) ** 2 <= s["position_cm2"]
            weight = np.where(close, np.maximum(s["log_weight_floor"] + np.log(weight / weight.sum()), 0), 0)
        if weight.sum() <= 0:
            weight = (cells == hottest).astype(float)
        measured["x"][c] = np.average(x[cells], weights=weight)
        measured["y"][c] = np.average(y[cells], weights=weight)
        measured["z"][c] = z[hottest]
        measured["energy"][c] = energy[cells].sum()
        measured["cells"][c] = len(cells)
        measured["layer"][c] = event["rechit_layer"][hottest]
    return measured


def _tracksters(c: Mapping[str, _Floats], s: Mapping[str, float]) -> _Ints:
    """Seed cluster of each layer cluster's trackster, -1 without."""
    of_cluster = np.full(len(c["x"]), -1, dtype=np.int64)
    node = np.flatnonzero(c["cells"] >= s["least_cells"])
    r, z = np.hypot(c["x"], c["y"])[node], np.abs(c["z"])[node]
    phi, energy = np.arctan2(c["y"], c["x"])[node], c["energy"][node]
    eta = np.arcsinh(z / r)
    layer, side = (c["layer"] % s["layers"])[node].astype(np.int64), c["z"][node] > 0
    eta_bin = np.clip(((eta - 1.5) * 20).astype(np.int64), 0, 33)
    phi_bin = np.clip(((phi + np.pi) * 126 / (2 * np.pi)).astype(np.int64), 0, 125)
    # candidates: all pairs within three bins of eta and phi, by the nodes of each bin
    towers: dict[tuple[bool, int, int], list[int]] = {}
    for k, key in enumerate(zip(side.tolist(), eta_bin.tolist(), phi_bin.tolist(), strict=True)):
        towers.setdefault(key, []).append(k)
    first, second = [], []
    for (end, e, f), members in towers.items():
        around = [
            n for de in range(-2, 3) for df in range(-2, 3) for n in towers.get((end, e + de, (f + df) % 126), [])
        ]
        first.append(np.repeat(members, len(around)))
        second.append(np.tile(around, len(members)))
    if not first:
        return of_cluster
    i, j = np.concatenate(first).astype(np.int64), np.concatenate(second).astype(np.int64)
    away = np.abs(layer[i] - layer[j])
    sibling = (away > 0) & (away <= s["sibling_layers"])
    i, j = i[sibling], j[sibling]
    r_j = r[j] / z[j] * z[i]
    turn = np.abs(phi[i] - phi[j])
    distance2 = (r[i] - r_j) ** 2 + (r_j * np.minimum(turn, 2 * np.pi - turn)) ** 2
    density = energy.copy()
    close = distance2 < s["density_cm2"]
    np.add.at(density, i[close], s["density_factor"] * energy[j[close]])
    bins_away = np.abs(phi_bin[i] - phi_bin[j])
    searched = (np.abs(eta_bin[i] - eta_bin[j]) <= 1) & ((bins_away <= 1) | (bins_away == 125))
    nearest, best = _nearest_denser(len(node), i[searched], j[searched], distance2[searched], density, node)
    dense = density >= s["critical_3d_gev"]
    seed = dense & (best > s["critical_cm"] ** 2) & (energy > s["critical_share"] * density)
    outlier = ~dense & (best > (s["outlier_factor_3d"] * s["critical_cm"]) ** 2)
    roots = _roots(np.where(seed, np.arange(len(node)), np.where(outlier, -1, nearest)))
    size = np.bincount(roots[roots >= 0], minlength=len(node))
    kept = (roots >= 0) & (size[roots] >= s["least_clusters"])
    of_cluster[node] = np.where(kept, node[roots], -1)
    return of_cluster


def reconstruct(event: Arrays, settings: Mapping[str, float]) -> dict[str, Array]:
    """Layer clusters and tracksters of one event (``one_event`` of section ``hgcal``).

    Returns:
        The columns that the compiled kernel gives; positions in cm, energies in GeV.
    """
    s = {**DEFAULTS, **settings}
    seed_of_cell, seeds = _layer_clusters(event, s)
    number = np.full(len(seed_of_cell) + 1, -1, dtype=np.int64)
    number[seeds] = np.arange(len(seeds))
    cluster = number[seed_of_cell]
    c = _measure(event, cluster, len(seeds), s)
    result: dict[str, Array] = {
        "rechit_cluster": cluster.astype(np.int32),
        **{f"cluster_{name}": c[name].astype(np.float32) for name in ("x", "y", "z", "energy")},
        "cluster_eta": np.arcsinh(c["z"] / np.maximum(np.hypot(c["x"], c["y"]), 1e-3)).astype(np.float32),
        "cluster_phi": np.arctan2(c["y"], c["x"]).astype(np.float32),
        "cluster_cells": c["cells"].astype(np.int32),
        "cluster_layer": c["layer"].astype(np.int32),
        "cluster_seed": seeds.astype(np.int32),
    }
    if not s["link"]:
        return result
    root = _tracksters(c, s)
    roots = np.unique(root[root >= 0])
    trackster = np.where(root >= 0, np.searchsorted(roots, root), -1)
    linked = trackster >= 0
    energy = np.bincount(trackster[linked], c["energy"][linked], len(roots))
    result["cluster_trackster"] = trackster.astype(np.int32)
    for axis in "xyz":
        moment = np.bincount(trackster[linked], (c["energy"] * c[axis])[linked], len(roots))
        result[f"trackster_{axis}"] = (moment / energy).astype(np.float32)
    result["trackster_energy"] = energy.astype(np.float32)
    result["trackster_clusters"] = np.bincount(trackster[linked], minlength=len(roots)).astype(np.int32)
    result["trackster_seed"] = roots.astype(np.int32)
    return result
