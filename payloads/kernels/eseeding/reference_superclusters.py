"""Clusters of crystals and super-clusters of clusters, in plain Python and double precision."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from payloads.arrays import Array, Arrays, as_float64

Floats = npt.NDArray[np.float64]

DEFAULTS: dict[str, float] = {
    "seed_barrel_gev": 0.23,
    "seed_endcap_gev": 0.60,
    "seed_endcap_et_gev": 0.15,
    "gather_barrel_gev": 0.08,
    "gather_endcap_gev": 0.30,
    "log_weight": 4.2,
    "least_cluster_gev": 0.5,
    "least_seed_et_gev": 1.0,
    "least_et_gev": 4.0,
    "tower_cone": 0.15,
    "widening": 1.0,
}

RINGS, SECTORS, SIDE = 170, 360, 120
# PFCluster parabolas and widths of the mustache, dynamic window in phi by |eta|: README.md.
UPPER_CURVE, LOWER_CURVE = (-0.107537, 0.590969, -0.076494), (-0.0268843, 0.147742, -0.0191235)
LOWER_WIDTH, UPPER_WIDTH = (-0.00681785, -0.00239516), (0.000699995, -0.00554331)
HALF_CRYSTAL = 0.0087
ETA_EDGES = (1.479, 1.75, 2.0)
WINDOWS = (  # offset, scale, middle, width, smallest, largest; logarithms to base 10
    (0.0280506, 0.946048, -0.101172, 0.432767, 0.14, 0.60),
    (0.0497038, 0.975707, -0.18149, 0.431729, 0.14, 0.55),
    (0.05643, 1.60429, -0.642352, 0.458106, 0.12, 0.45),
    (0.0928887, 1.22321, -0.260256, 0.345852, 0.12, 0.30),
)


def neighbours(index: int) -> list[int]:
    """The up to eight crystals around one, by their number."""
    barrel = RINGS * SECTORS
    if index < barrel:
        ring, sector = divmod(index, SECTORS)
        return [
            r * SECTORS + (sector + step) % SECTORS
            for r in (ring - 1, ring, ring + 1)
            if 0 <= r < RINGS
            for step in (-1, 0, 1)
            if (r, step) != (ring, 0)
        ]
    side, cell = divmod(index - barrel, SIDE * SIDE)
    row, column = divmod(cell, SIDE)
    return [
        barrel + side * SIDE * SIDE + r * SIDE + c
        for r in (row - 1, row, row + 1)
        for c in (column - 1, column, column + 1)
        if 0 <= r < SIDE and 0 <= c < SIDE and (r, c) != (row, column)
    ]


def assign_crystals(event: Arrays, s: Mapping[str, float]) -> npt.NDArray[np.int64]:
    """Cluster of each crystal, -1 for none: each follows its largest neighbour up to a local maximum."""
    energy, index = as_float64(event["ecal_energy"]), event["ecal_index"]
    in_barrel = event["ecal_region"] == 0
    r = np.hypot(event["ecal_x"], event["ecal_y"])
    et = energy * r / np.hypot(r, event["ecal_z"])
    gathered = energy > np.where(in_barrel, s["gather_barrel_gev"], s["gather_endcap_gev"])
    place = {int(index[i]): i for i in np.flatnonzero(gathered)}
    parent = np.arange(len(energy))
    for number, i in place.items():
        around = [place[n] for n in neighbours(number) if n in place]
        best = max(around, key=lambda j: (energy[j], -j), default=i)
        if (energy[best], -best) > (energy[i], -i):
            parent[i] = best
    while not np.array_equal(parent, parent[parent]):
        parent = parent[parent]
    seed = gathered & (parent == np.arange(len(energy)))
    seed &= np.where(
        in_barrel,
        energy > s["seed_barrel_gev"],
        (energy > s["seed_endcap_gev"]) & (et > s["seed_endcap_et_gev"]),
    )
    number_of = np.where(seed, np.cumsum(seed) - 1, -1)
    return np.asarray(np.where(gathered, number_of[parent], -1))


def place_clusters(
    event: Arrays, cluster: npt.NDArray[np.int64], s: Mapping[str, float]
) -> tuple[Floats, Floats]:
    """Energy (n) and position (n, 3) of each cluster, weighted by the logarithm of the crystals' energies."""
    energy = as_float64(event["ecal_energy"])
    where = np.stack([as_float64(event[f"ecal_{axis}"]) for axis in "xyz"], axis=1)
    count = int(cluster.max(initial=-1)) + 1
    sums, at = np.zeros(count), np.zeros((count, 3))
    for c in range(count):
        members = np.flatnonzero(cluster == c)
        sums[c] = energy[members].sum()
        weight = np.maximum(0.0, s["log_weight"] + np.log(energy[members] / sums[c]))
        if not weight.any():  # very many equals: by energy
            weight = energy[members]
        at[c] = (weight[:, None] * where[members]).sum(axis=0) / weight.sum()
    return sums, at


def in_mustache(
    eta0: float, phi0: float, energy: Floats, eta: Floats, phi: Floats, widening: float
) -> npt.NDArray[np.bool_]:
    """Which clusters may belong to the one at (eta0, phi0)."""
    bend = eta0 * np.sin(eta0)
    depth = np.sqrt(np.log10(energy) + 1.1)
    upper = UPPER_WIDTH[0] * bend + UPPER_WIDTH[1] / depth
    lower = LOWER_WIDTH[0] * bend + LOWER_WIDTH[1] / depth
    upper, lower = (upper - lower) / 2, (lower - upper) / 2
    dphi = (phi - phi0 + np.pi) % (2 * np.pi) - np.pi
    deta = np.where(eta0 < 0, eta0 - eta, eta - eta0)

    def steepness(curve: tuple[float, float, float], width: Floats) -> Floats:
        a = 1 / (4 * (bend * (curve[0] * bend + curve[1]) + curve[2])) - np.abs(width)
        return np.asarray(np.maximum(1 / (4 * a), 0.0))

    above = steepness(UPPER_CURVE, upper) * dphi**2 + np.maximum(upper, HALF_CRYSTAL) + HALF_CRYSTAL
    below = steepness(LOWER_CURVE, lower) * dphi**2 + np.minimum(lower, -HALF_CRYSTAL)
    offset, scale, middle, width, smallest, largest = WINDOWS[
        int(np.searchsorted(ETA_EDGES, abs(eta0), "right"))
    ]
    log_et = np.log10(energy / np.cosh(eta))
    reach = np.clip(offset + scale / (1 + np.exp((log_et - middle) / width)), smallest, largest)
    return np.asarray(
        (deta < widening * above) & (deta > widening * below) & (np.abs(dphi) < reach * widening)
    )


def superclusters(event: Arrays, s: Mapping[str, float]) -> dict[str, Array]:
    """Clusters and super-clusters as columns, the latter with the energy in the towers behind them (GeV)."""
    cluster = assign_crystals(event, s)
    energy, at = place_clusters(event, cluster, s)
    r = np.hypot(at[:, 0], at[:, 1])
    eta, phi = np.arcsinh(at[:, 2] / np.maximum(r, 1e-9)), np.arctan2(at[:, 1], at[:, 0])
    et = energy / np.cosh(eta)
    order = sorted(np.flatnonzero(energy > s["least_cluster_gev"]), key=lambda c: (-et[c], c))
    owner = np.full(len(energy), -1)
    rows: list[tuple[float, ...]] = []
    towers = [as_float64(event[f"tower_{name}"]) for name in ("energy", "eta", "phi")]
    for seed in order:
        if owner[seed] != -1 or et[seed] < s["least_seed_et_gev"]:
            continue
        free = np.array([c for c in order if owner[c] == -1])
        joined = free[
            in_mustache(eta[seed], phi[seed], energy[free], eta[free], phi[free], s["widening"])
            | (free == seed)
        ]
        total = energy[joined].sum()
        x, y, z = (energy[joined][:, None] * at[joined]).sum(axis=0) / total
        sc_eta, sc_phi = float(np.arcsinh(z / np.hypot(x, y))), float(np.arctan2(y, x))
        kept = total / np.cosh(sc_eta) > s["least_et_gev"]
        owner[joined] = len(rows) if kept else -2  # their clusters are used up all the same
        if kept:
            dphi = (towers[2] - sc_phi + np.pi) % (2 * np.pi) - np.pi
            behind = towers[0][(towers[1] - sc_eta) ** 2 + dphi**2 < s["tower_cone"] ** 2].sum()
            rows.append((*map(float, (total, sc_eta, sc_phi, x, y, z, behind, seed)),))
    table = np.array(rows, dtype=np.float64).reshape(-1, 8)
    columns: dict[str, Array] = {
        "ecal_cluster": cluster.astype(np.int32),
        "cluster_energy": energy.astype(np.float32),
        "cluster_eta": eta.astype(np.float32),
        "cluster_phi": phi.astype(np.float32),
        "cluster_sc": np.maximum(owner, -1).astype(np.int32),
        "sc_seed": table[:, 7].astype(np.int32),
    }
    for i, name in enumerate(("energy", "eta", "phi", "x", "y", "z", "behind")):
        columns[f"sc_{name}"] = table[:, i].astype(np.float32)
    return columns
