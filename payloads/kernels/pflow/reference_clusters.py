"""Definition of truth: cells to clusters, clusters of all depths to showers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from payloads.arrays import Arrays, as_float64
from payloads.matching import Floats, Ints, angle_apart

# By layer: crystals of barrel and endcaps, HB's depths 1-4, HE's depths 1-7. Least energies in GeV of a cell and of
# a seed (CMSSW: particleFlowClusterECAL, particleFlowClusterHBHE for Run 3), least transverse energy of a seed.
CELL_GEV = np.array([0.08, 0.3, 0.1, 0.2, 0.3, 0.3, 0.1, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2], dtype=np.float32)
SEED_GEV = np.array(
    [0.23, 0.6, 0.125, 0.25, 0.35, 0.35, 0.1375, 0.275, 0.275, 0.275, 0.275, 0.275, 0.275], dtype=np.float32
)
SEED_PT_GEV = np.array([0.0, 0.15] + [0.0] * 11, dtype=np.float32)
DEPTH = np.array([0, 0, 1, 2, 3, 4, 1, 2, 3, 4, 5, 6, 7])
ECAL_LAYERS = 2
LEAST_TOTAL, LEAST_FRACTION, LEAST_IN_POSITION = 1e-20, 1e-7, 1e-9
FARTHEST2, OWN_FRACTION = 100.0, 0.9999
NO_WEIGHT2 = 130.0  # beyond this a weight is less than LEAST_TOTAL
LEAST_WIDTH = 0.1


@dataclass(frozen=True)
class Clusters:
    """Clusters in the order of their seeds; what each has of which cell."""

    seed: Ints
    layer: Ints
    iterations: Ints
    energy: Floats  # GeV
    position: Floats  # cm, [n, 3]
    share_cell: Ints
    share_cluster: Ints
    share_fraction: Floats


@dataclass(frozen=True)
class Showers:
    """Clusters of all depths together; those of crystals are showers of their own."""

    of_cluster: Ints
    is_hcal: Ints
    energy: Floats  # GeV
    eta: Floats
    phi: Floats


def _neighbours(event: Arrays, alive: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Ints:
    """Cells beside each cell among those alive, [n, 8]; -1 for none."""
    channel = np.asarray(event["rechit_channel"]).astype(np.int64)
    cell_at = np.full(len(event["channel_x"]) + 1, -1)
    cell_at[channel[alive]] = np.flatnonzero(alive)
    beside: Ints = cell_at[np.asarray(event["channel_neighbours"]).reshape(-1, 8)[channel]]
    return beside


def _topology(beside: Ints, alive: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> list[Ints]:
    """Sets of touching cells, by flooding; two touch if either has the other beside it."""
    touching: dict[int, set[int]] = {int(i): set() for i in np.flatnonzero(alive)}
    for i, k in zip(*np.nonzero((beside >= 0) & alive[:, None]), strict=True):
        touching[int(i)].add(int(beside[i, k]))
        touching[int(beside[i, k])].add(int(i))
    found = []
    while touching:
        start, front = touching.popitem()
        members = [start]
        while front:
            new = {j for j in front if j in touching}
            members += new
            front = set().union(*(touching.pop(j) for j in new))
        found.append(np.array(sorted(members)))
    return found


def clusters(event: Arrays, s: Mapping[str, float]) -> Clusters:
    """Seeds, topological clusters and the sharing of their cells."""
    energy = np.asarray(event["rechit_energy"])
    channel = np.asarray(event["rechit_channel"]).astype(np.int64)
    layer = np.asarray(event["channel_layer"])[channel].astype(np.int64)
    places = [np.asarray(event[f"channel_{axis}"])[channel] for axis in "xyz"]
    transverse2 = places[0] * places[0] + places[1] * places[1]
    sine = np.sqrt(transverse2 / (transverse2 + places[2] * places[2]))
    alive = energy > CELL_GEV[layer]
    beside = _neighbours(event, alive)
    considered = np.where((layer < ECAL_LAYERS)[:, None] | (np.arange(8) < 4), beside, -1)
    other = np.where(considered >= 0, energy[considered], -1)
    index = np.arange(len(energy))[:, None]
    beaten = (other > energy[:, None]) | ((other == energy[:, None]) & (considered < index))
    is_seed = alive & (energy > SEED_GEV[layer]) & (energy * sine >= SEED_PT_GEV[layer]) & ~beaten.any(1)
    parts = []
    for members in _topology(beside, alive):
        seeds = members[is_seed[members]]
        if len(seeds):
            parts.append((seeds, members, *_share(event, members, seeds, considered, layer[members[0]], s)))
    seed = np.concatenate([part[0] for part in parts] or [np.empty(0, np.int64)])
    order = np.argsort(seed)
    rank = np.empty(len(seed), dtype=np.int64)
    rank[order] = np.arange(len(seed))
    rows, first = [], 0
    for seeds, members, fraction, *_ in parts:
        c, h = np.nonzero(fraction > LEAST_FRACTION)
        rows.append(np.stack([rank[first + c], members[h], fraction[c, h]]))
        first += len(seeds)
    share = np.concatenate(rows, axis=1) if rows else np.empty((3, 0))
    share = share[:, np.lexsort((share[1], share[0]))]
    each = np.concatenate([np.full(len(part[0]), part[5]) for part in parts] or [np.empty(0)])
    return Clusters(
        seed=seed[order],
        layer=layer[seed[order]],
        iterations=each[order].astype(np.int64),
        energy=np.concatenate([part[3] for part in parts] or [np.empty(0)])[order],
        position=np.concatenate([part[4] for part in parts] or [np.empty((0, 3))])[order],
        share_cell=share[1].astype(np.int64),
        share_cluster=share[0].astype(np.int64),
        share_fraction=share[2],
    )


def _positions(
    fraction: Floats, energy: Floats, place: Floats, norm: Floats, near: Floats, before: Floats
) -> Floats:
    """Mean place of the cells that count for each cluster, weighted by the logarithm of their energies."""
    held = fraction * energy
    weight = np.where((fraction >= LEAST_IN_POSITION) & (near > 0), np.log(np.maximum(held / norm, 1e-30)), 0)
    weight = np.maximum(weight, 0)
    total = weight.sum(1)[:, None]
    return np.where(total >= 1e-9, weight @ place / np.maximum(total, 1e-9), before)


def _share(
    event: Arrays, members: Ints, seeds: Ints, beside: Ints, layer: int, s: Mapping[str, float]
) -> tuple[Floats, Floats, Floats, int]:
    """Fractions [cluster, cell], energies and positions of the clusters of one topological cluster, iterations."""
    channel = np.asarray(event["rechit_channel"]).astype(np.int64)
    energy = as_float64(event["rechit_energy"])[members]
    place = np.stack([as_float64(event[f"channel_{axis}"])[channel[members]] for axis in "xyz"], 1)
    norm = float(CELL_GEV[layer])
    sigma2 = (s["ecal_sigma_cm"] if layer < ECAL_LAYERS else s["hcal_sigma_cm"]) ** 2
    at = np.searchsorted(members, seeds)
    own = at[:, None] == np.arange(len(members))
    of_seed = np.isin(np.arange(len(members)), at)
    near = np.ones((len(seeds), len(members)))
    if len(seeds) > 1:
        near = np.stack([np.isin(members, np.append(beside[seed], seed)) for seed in seeds]).astype(float)
    held, position = energy[at], place[at]
    fraction = np.zeros((len(seeds), len(members)))
    allowed = s["tolerance"] * max(1, len(seeds) - 1) ** 2
    done = 0
    for _ in range(int(s["max_iterations"])):
        distance2 = ((position[:, None] - place) ** 2).sum(2) / sigma2
        weight = (
            held[:, None]
            / norm
            * np.where(distance2 < NO_WEIGHT2, np.exp(-0.5 * np.minimum(distance2, NO_WEIGHT2)), 0)
        )
        weight = np.where(own, 1.0, np.where(of_seed, 0.0, weight))
        total = weight.sum(0)
        fraction = np.where(total > LEAST_TOTAL, weight / np.maximum(total, LEAST_TOTAL), 0)
        fraction = np.where((distance2 < FARTHEST2) | (fraction > OWN_FRACTION), fraction, 0)
        before = position
        position = _positions(fraction, energy, place, np.full(len(members), norm), near, before)
        held = fraction @ energy
        done += 1
        moved = np.sqrt(((position - before) ** 2).sum(1) / (position[:, :2] ** 2).sum(1)).max()
        if moved <= allowed:
            break
    kept = np.where(fraction > LEAST_FRACTION, fraction, 0)
    return kept, kept @ energy, position, done


def _eta_phi(position: Floats) -> tuple[Floats, Floats]:
    return np.arcsinh(position[:, 2] / np.hypot(position[:, 0], position[:, 1])), np.arctan2(
        position[:, 1], position[:, 0]
    )


def join_depths(event: Arrays, c: Clusters, s: Mapping[str, float]) -> Showers:
    """Each cluster of the hadron calorimeter goes with at most one of a lesser depth; who hangs together is one shower."""
    channel = np.asarray(event["rechit_channel"]).astype(np.int64)[c.share_cell]
    count = len(c.seed)
    eta, phi = _eta_phi(c.position)
    held = c.share_fraction * as_float64(event["rechit_energy"])[c.share_cell]
    away = (
        np.abs(as_float64(event["channel_eta"])[channel] - eta[c.share_cluster]),
        np.abs(angle_apart(as_float64(event["channel_phi"])[channel], phi[c.share_cluster])),
    )
    width2 = [
        np.maximum(np.bincount(c.share_cluster, held * a, count) / c.energy, LEAST_WIDTH) ** 2 for a in away
    ]
    root = np.arange(count)
    hcal = np.flatnonzero(c.layer >= ECAL_LAYERS)
    for j in hcal[np.argsort(DEPTH[c.layer[hcal]], kind="stable")]:
        i = hcal[DEPTH[c.layer[hcal]] < DEPTH[c.layer[j]]]
        d_eta = (eta[i] - eta[j]) ** 2 / (width2[0][i] + width2[0][j])
        d_phi = angle_apart(phi[i], phi[j]) ** 2 / (width2[1][i] + width2[1][j])
        good = (d_eta < s["depth_sigmas"] ** 2) & (d_phi < s["depth_sigmas"] ** 2)
        i, apart = i[good], (d_eta + d_phi)[good]
        if len(i):
            deepest_first = -DEPTH[c.layer[i]]
            best = np.lexsort((i, -c.energy[i], apart, deepest_first))[0]
            root[j] = root[i[best]]
    roots = np.unique(root)
    of_cluster = np.searchsorted(roots, root)
    norm = as_float64(CELL_GEV)[c.layer[c.share_cluster]]
    weight = np.maximum(np.log(np.maximum(held / norm, 1e-30)), 0)
    shower = of_cluster[c.share_cluster]
    total = np.bincount(shower, weight, len(roots))
    position = np.stack(
        [
            np.bincount(shower, weight * as_float64(event[f"channel_{axis}"])[channel], len(roots))
            / np.maximum(total, 1e-9)
            for axis in "xyz"
        ],
        1,
    )
    alone = np.bincount(of_cluster, minlength=len(roots)) == 1
    position = np.where((alone | (total < 1e-9))[:, None], c.position[roots], position)
    eta, phi = _eta_phi(position)
    return Showers(
        of_cluster=of_cluster,
        is_hcal=(c.layer[roots] >= ECAL_LAYERS).astype(np.int64),
        energy=as_float64(np.bincount(of_cluster, c.energy, len(roots))),
        eta=eta,
        phi=phi,
    )
