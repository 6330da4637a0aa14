"""Definition of truth: CLUE and CLUE3D by comparing every cell with every other, in NumPy.

No tiles, no sorting, no lanes. Coordinates in units of the clustering distance and squared distances are single-precision
numbers, since on a lattice the nearest of equally near cells depends on their last bit; densities of cells are integers.
All else is double precision.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from payloads.arrays import Array, Arrays
from payloads.kernels.clue.reference_layers import layer_clusters, measure
from payloads.kernels.clue.reference_tracksters import tracksters

# Of CMSSW's hgcalLayerClusters and of the CLUE3D pattern recognition in TICL:
# README.md says which parameter is which of theirs.
DEFAULTS: Mapping[str, float] = {
    "deltac_cm": 1.3, "deltac_scintillator": 0.0315, "threshold_sigma": 3.0, "kappa": 9.0, "critical_gev": 0.0,
    "outlier_factor": 2.0, "units_per_gev": 1e5, "log_weight_floor": 2.9, "position_cm2": 1.69, "link": 1.0,
    "layers": 47, "sibling_layers": 3, "least_cells": 2, "least_clusters": 2, "density_cm2": 3.24,
    "density_factor": 0.2, "critical_3d_gev": 0.6, "critical_share": 0.15, "critical_cm": 1.8,
    "outlier_factor_3d": 2.0,
}  # fmt: skip


def reconstruct(event: Arrays, settings: Mapping[str, float]) -> dict[str, Array]:
    """Layer clusters and tracksters of one event (``one_event`` of section ``hgcal``).

    Returns:
        The columns that the compiled kernel gives: ``rechit_cluster`` (index of the layer cluster of each cell, -1 = none),
        ``cluster_*`` and, unless ``link`` is 0, ``cluster_trackster`` and ``trackster_*``; positions in cm, energies in GeV.
    """
    s = {**DEFAULTS, **settings}
    seed_of_cell = layer_clusters(event, s)
    seeds = np.flatnonzero(seed_of_cell == np.arange(len(seed_of_cell)))
    cluster = np.where(seed_of_cell >= 0, np.searchsorted(seeds, seed_of_cell), -1)
    c = measure(event, cluster, len(seeds), s)
    radius = np.hypot(c["x"], c["y"])
    result: dict[str, Array] = {
        "rechit_cluster": cluster.astype(np.int32),
        **{f"cluster_{name}": c[name].astype(np.float32) for name in ("x", "y", "z", "energy")},
        "cluster_eta": np.arcsinh(c["z"] / np.maximum(radius, 1e-3)).astype(np.float32),
        "cluster_phi": np.arctan2(c["y"], c["x"]).astype(np.float32),
        "cluster_cells": c["cells"].astype(np.int32),
        "cluster_layer": c["layer"].astype(np.int32),
        "cluster_seed": seeds.astype(np.int32),
    }
    if s["link"] <= 0.5:
        return result
    root = tracksters(c, s)
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
