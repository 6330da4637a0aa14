"""Reference of CLUE: cells to layer clusters, by the matrix of all distances in each plane."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from payloads.arrays import Array, Arrays, as_float64

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

ROWS = 512  # of a matrix that are looked at together: bounds the memory


def nearest_denser(
    count: int, i: Ints, j: Ints, distance2: Floats, density: Floats | Ints, name: Ints
) -> tuple[Ints, Floats]:
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


def roots(follows: Ints) -> Ints:
    """Where each chain ends: the index of a point that follows itself, or -1."""
    ends = follows.copy()
    for _ in range(len(follows)):
        further = np.where(ends >= 0, follows[ends], -1)
        if np.array_equal(further, ends):
            break
        ends = further
    return ends


def _squared_distances(u: Array, v: Array, rows: slice, period: np.float32) -> Array:
    """Matrix of some points against all, single precision; v is periodic unless ``period`` is 0."""
    du = u[None, :] - u[rows, None]
    dv2 = (v[None, :] - v[rows, None]) ** 2
    if period > 0:
        for shift in (-period, period):
            dv2 = np.minimum(dv2, ((v + shift)[None, :] - v[rows, None]) ** 2)
    distance2: Array = du * du + dv2
    return distance2


def _cluster_plane(
    u: Array, v: Array, period: np.float32, weight: Ints, critical: Ints, cells: Ints, outlier_factor: float
) -> Ints:
    """Index of the seed of each point of one plane, -1 for an outlier."""
    count = len(cells)
    density = 2 * weight
    pairs: list[tuple[Ints, Ints, Floats]] = []
    for first in range(0, count, ROWS):
        rows = slice(first, first + ROWS)
        distance2 = _squared_distances(u, v, rows, period)
        i, j = np.nonzero(distance2 <= np.float32(outlier_factor) ** 2)
        near = distance2[i, j]
        i, j = i.astype(np.int64) + first, j.astype(np.int64)
        other = i != j
        pairs.append((i[other], j[other], as_float64(near[other])))
    i, j, near2 = (np.concatenate(parts) for parts in zip(*pairs, strict=True))
    np.add.at(density, i[near2 < 1], weight[j[near2 < 1]])
    nearest, best = nearest_denser(count, i, j, near2, density, cells)
    seeds = (density >= critical) & (best > 1)
    return roots(np.where(seeds, np.arange(count), nearest))


def layer_clusters(event: Arrays, s: Mapping[str, float]) -> Ints:
    """Seed cell of each cell, -1 for cells below threshold and for outliers."""
    single = np.float32
    energy, sigma = np.asarray(event["rechit_energy"]), np.asarray(event["rechit_sigma_noise"])
    seed_of_cell = np.full(len(energy), -1, dtype=np.int64)
    used = energy >= single(s["threshold_sigma"]) * sigma
    least = (
        np.full(len(energy), single(s["critical_gev"]))
        if s["critical_gev"] > 0
        else single(s["kappa"]) * sigma
    )
    unit = single(s["units_per_gev"])
    weight = (energy * unit + single(0.5)).astype(np.int64)
    critical = (single(2) * least * unit + single(0.5)).astype(np.int64)
    silicon = np.asarray(event["rechit_is_silicon"]) != 0
    for is_silicon in (True, False):
        scale = single(1) / single(s["deltac_cm"] if is_silicon else s["deltac_scintillator"])
        u = (np.asarray(event["rechit_x"]) if is_silicon else np.abs(event["rechit_eta"])) * scale
        v = np.asarray(event["rechit_y" if is_silicon else "rechit_phi"]) * scale
        period = single(0) if is_silicon else single(2) * single(np.pi) * scale
        for plane in np.unique(event["rechit_layer"]):
            cells = np.flatnonzero(used & (silicon == is_silicon) & (event["rechit_layer"] == plane))
            if len(cells):
                seed = _cluster_plane(
                    u[cells], v[cells], period, weight[cells], critical[cells], cells, s["outlier_factor"]
                )
                seed_of_cell[cells] = np.where(seed >= 0, cells[seed], -1)
    return seed_of_cell


def measure(event: Arrays, cluster: Ints, count: int, s: Mapping[str, float]) -> dict[str, Floats]:
    """Position, energy, number of cells and plane of layer clusters 0 .. count - 1.

    In silicon a cell's weight is log(share of the energy) + W0 if positive, within a distance from the hottest cell; in
    scintillator it is the energy.
    """
    members = np.flatnonzero(cluster >= 0)
    c = cluster[members]
    x, y, energy = (as_float64(event[f"rechit_{name}"])[members] for name in ("x", "y", "energy"))
    total = np.bincount(c, energy, count)
    by_energy = np.lexsort((members, -energy, c))
    hottest = by_energy[np.searchsorted(c[by_energy], np.arange(count))]
    close = (x - x[hottest][c]) ** 2 + (y - y[hottest][c]) ** 2 <= s["position_cm2"]
    logarithmic = np.where(close, np.maximum(s["log_weight_floor"] + np.log(energy / total[c]), 0), 0)
    silicon = np.asarray(event["rechit_is_silicon"])[members[hottest]] != 0
    weight = np.where(silicon[c], logarithmic, energy)
    sum_of_weights = np.bincount(c, weight, count)
    weight[hottest[sum_of_weights == 0]] = 1  # no cell holds a share above exp(-W0)
    sum_of_weights = np.bincount(c, weight, count)
    return {
        "x": np.bincount(c, weight * x, count) / sum_of_weights,
        "y": np.bincount(c, weight * y, count) / sum_of_weights,
        "z": as_float64(event["rechit_z"])[members[hottest]],
        "energy": as_float64(total),
        "cells": np.bincount(c, minlength=count).astype(np.float64),
        "layer": as_float64(event["rechit_layer"])[members[hottest]],
    }
