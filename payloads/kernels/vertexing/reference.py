"""Vertexing in plain NumPy and double precision: what the annealing, the clusters by density and the fit should give.

Written from the algorithm's definition, not from the C++: dense matrices of tracks times prototypes without ranges, no
classes, no slots, no shifted exponents; the fit is Billoir's, with free momenta and the whole 5 x 5 covariance.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from payloads.arrays import Array, Arrays, as_float64
from payloads.kernels.vertexing.reference_annealing import DEFAULTS, Floats, Tracks, anneal_in_blocks, select
from payloads.kernels.vertexing.reference_fit import Fit, fit, measured

FIELDS = ("x", "y", "z", "xx", "yx", "yy", "zx", "zy", "zz", "chi2", "ndof", "sum_pt2")


def clusters_by_density(event: Arrays, t: Tracks, s: Mapping[str, float]) -> npt.NDArray[np.int64]:
    """Cluster of each selected track, -1 for none; all pairs of tracks are looked at."""
    cluster = np.full(len(t.z), -1)
    used = np.flatnonzero(event["track_pt"][t.source] > s["least_pt_gev"])
    z, error2 = t.z[used], as_float64(event["track_covariance_44"])[t.source[used]]
    distance = np.abs(z[:, None] - z[None, :])
    near = (distance <= s["eps_cm"]) & (
        distance**2 <= s["largest_pair_chi2"] * (error2[:, None] + error2[None, :])
    )
    neighbours = np.where(error2 > s["seed_error_cm"] ** 2, 0, near.sum(axis=1) - 1)
    parent = np.arange(len(z))
    for i in range(len(z)):
        higher = near[i] & (
            (neighbours > neighbours[i]) | ((neighbours == neighbours[i]) & (np.arange(len(z)) < i))
        )
        if higher.any():
            parent[i] = int(np.argmin(np.where(higher, distance[i], np.inf)))
    while not np.array_equal(parent, parent[parent]):
        parent = parent[parent]
    count = 0
    for seed in np.flatnonzero((parent == np.arange(len(z))) & (neighbours >= s["least_neighbours"])):
        members = np.flatnonzero(parent == seed)
        w = 1.0 / error2[members]
        mean = (w * z[members]).sum() / w.sum()
        chi2 = w * (z[members] - mean) ** 2
        kept = chi2 <= s["first_outlier_chi2"]
        right = np.zeros(len(members), dtype=bool)
        if kept.sum() > 4 and chi2[kept].sum() / (kept.sum() - 1) > s["split_chi2"]:
            right = _two_means(z[members], w)
        cluster[used[members[kept]]] = count + right[kept]
        count += 1 + int(right.any())
    return cluster


def _two_means(z: Floats, w: Floats) -> npt.NDArray[np.bool_]:
    """Which of the points belong to the right one of two; none if two do not describe them better."""
    right: npt.NDArray[np.bool_] = z >= (w * z).sum() / w.sum()
    none = np.zeros(len(z), dtype=bool)
    gap = 0.0
    for _ in range(20):
        if right.all() or not right.any():
            return none
        left_mean, right_mean = ((w[side] * z[side]).sum() / w[side].sum() for side in (~right, right))
        gap = float(right_mean - left_mean)
        nearer: npt.NDArray[np.bool_] = np.abs(z - left_mean) >= np.abs(z - right_mean)
        if np.array_equal(nearer, right):
            break
        right = nearer
    return none if gap**2 < 4 * (1 / w[~right].sum() + 1 / w[right].sum()) else right


def vertices_of(
    event: Arrays, t: Tracks, cluster: npt.NDArray[np.int64], s: Mapping[str, float]
) -> dict[str, Array]:
    """Fits every cluster of at least two tracks; the columns of one clustering, the largest sum of pT^2 first."""
    beam = np.array([float(event[f"beam_{axis}"][0]) for axis in "xyz"])
    width = np.array([float(event[f"beam_{name}"][0]) for name in ("width_x", "width_y", "length_z")])
    found: list[tuple[float, Fit, npt.NDArray[np.int64]]] = []
    for c in range(int(cluster.max(initial=-1)) + 1):
        members = np.flatnonzero(cluster == c)
        if len(members) < 2:
            continue
        m = measured(event, t.source[members])
        w = t.weight[members]
        one = fit(m, beam, width, float((w * t.z[members]).sum() / w.sum()), s)
        if one.ndof > s["least_ndof"]:
            found.append((float((m.pt**2)[one.weight > 0.5].sum()), one, t.source[members]))
    found.sort(key=lambda entry: -entry[0])
    rows = [
        (*one.position, *one.covariance[np.tril_indices(3)], one.chi2, one.ndof, sum_pt2)
        for sum_pt2, one, _ in found
    ]
    table = np.array(rows, dtype=np.float32).reshape(-1, len(FIELDS))
    columns: dict[str, Array] = {f"vertex_{name}": table[:, i].copy() for i, name in enumerate(FIELDS)}
    columns["track_vertex"] = np.full(len(event["track_pt"]), -1, dtype=np.int32)
    columns["track_weight"] = np.zeros(len(event["track_pt"]), dtype=np.float32)
    for i, (_, one, tracks) in enumerate(found):
        columns["track_vertex"][tracks] = i
        columns["track_weight"][tracks] = one.weight
    return columns


def reconstruct(event: Arrays, settings: Mapping[str, float]) -> dict[str, Array]:
    """All columns that the compiled kernel gives, for one event."""
    s = {**DEFAULTS, **settings}
    t = select(event, s)
    whole, beta = anneal_in_blocks(t, s)
    share, log_z, _ = whole.shares(beta, whole.outlier_density())
    owner = np.where(share.max(axis=1) > 0.5, share.argmax(axis=1), -1)
    chain = np.concatenate([[0], np.cumsum(np.diff(whole.p.z) > 2 * s["vertex_size_cm"])])
    annealed = np.where(owner >= 0, chain[owner], -1)
    results: dict[str, Array] = {}
    for prefix, cluster in (("annealing", annealed), ("density", clusters_by_density(event, t, s))):
        results |= {f"{prefix}_{name}": column for name, column in vertices_of(event, t, cluster, s).items()}
    results["annealing_prototype_z"] = whole.p.z.astype(np.float32)
    results["annealing_prototype_rho"] = whole.p.rho.astype(np.float32)
    results["annealing_free_energy"] = np.array([-log_z.sum() / beta], dtype=np.float32)
    results["annealing_updates"] = np.array([whole.updates], dtype=np.int32)
    results["overflow"] = np.zeros(1, dtype=np.int32)
    return results
