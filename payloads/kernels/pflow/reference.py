"""Definition of truth: particle flow in NumPy and double precision, each pair compared with each.

README.md tells the algorithm; here it stands without lanes, sorting or tiles: clusters in reference_clusters.py, tracks,
links and candidates in reference_links.py.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from payloads.arrays import Array, Arrays
from payloads.kernels.pflow.reference_clusters import clusters, join_depths
from payloads.kernels.pflow.reference_links import candidates, link

# CMSSW's particleFlowClusterHBHE, particleFlowClusterHCAL and PFAlgo, our windows and calibration: README.md.
DEFAULTS: Mapping[str, float] = {
    "max_iterations": 50, "tolerance": 1e-8, "ecal_sigma_cm": 1.5, "hcal_sigma_cm": 10.0,
    "depth_sigmas": 2.0, "field_tesla": 3.8, "ecal_window": 0.05, "hcal_window": 0.2,
    "excess_sigmas": 1.0, "lack_sigmas": 1.0, "track_error_gev": 1.0,
}  # fmt: skip


def reconstruct(event: Arrays, settings: Mapping[str, float]) -> dict[str, Array]:
    """Clusters, showers, links and candidates of one event (``one_event`` of section ``calorimeters``).

    Returns:
        The columns that the compiled kernel gives: ``share_*`` (cells of clusters, sorted by cluster and cell),
        ``cluster_*``, ``shower_*`` (clusters of all depths together; a cluster of crystals is one of its own),
        ``track_ecal`` and ``track_hcal`` (showers, -1 = none), ``candidate_*``; cm, GeV, radians.
    """
    s = {**DEFAULTS, **settings}
    found = clusters(event, s)
    showers = join_depths(event, found, s)
    links = link(event, showers, s)
    made = candidates(event, showers, links, s)
    floats = np.float32
    result: dict[str, Array] = {
        "share_cell": found.share_cell.astype(np.int32),
        "share_cluster": found.share_cluster.astype(np.int32),
        "share_fraction": found.share_fraction.astype(floats),
        "cluster_seed": found.seed.astype(np.int32),
        "cluster_layer": found.layer.astype(np.int32),
        "cluster_iterations": found.iterations.astype(np.int32),
        "cluster_shower": showers.of_cluster.astype(np.int32),
        "cluster_energy": found.energy.astype(floats),
        **{f"cluster_{axis}": found.position[:, k].astype(floats) for k, axis in enumerate("xyz")},
        "shower_is_hcal": showers.is_hcal.astype(np.int32),
        "shower_energy": showers.energy.astype(floats),
        "shower_eta": showers.eta.astype(floats),
        "shower_phi": showers.phi.astype(floats),
        "track_ecal": links.ecal.astype(np.int32),
        "track_hcal": links.hcal.astype(np.int32),
    }
    for name in ("kind", "track", "shower"):
        result[f"candidate_{name}"] = made[name].astype(np.int32)
    for name in ("pt", "eta", "phi", "energy"):
        result[f"candidate_{name}"] = made[name].astype(floats)
    return result
