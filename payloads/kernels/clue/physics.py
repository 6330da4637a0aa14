"""What the clusters are worth against the simulated particles: energy, containment, purity, efficiency."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from payloads.arrays import Array, Arrays, as_float64, each_event

_Floats = npt.NDArray[np.float64]

LEAST_PT_GEV = 5.0
ETA = (1.7, 2.7)  # away from the borders, where showers leak out sideways
ISOLATION_RADIUS, ISOLATION = 0.1, 1.3  # sum of pT around, itself included, over its own
MATCHED_SHARE = 0.5  # of a particle's seen energy that a trackster must hold for it to count as found


def _share_of_main(
    group: Array, particle: Array, weight: _Floats, groups: int, particles: int
) -> tuple[Array, Array]:
    """For each group its main particle (-1: none) and that particle's share of the group's weight."""
    used = group >= 0
    key = group[used].astype(np.int64) * (particles + 1) + particle[used] + 1
    keys, inverse = np.unique(key, return_inverse=True)
    sums = np.bincount(inverse, weight[used])
    of_group = keys // (particles + 1)
    order = np.lexsort((sums, of_group))
    last = (
        np.append(of_group[order][1:] != of_group[order][:-1], True)
        if len(order)
        else np.zeros(0, dtype=bool)
    )
    best = order[last]
    main, share = np.full(groups, -1), np.zeros(groups)
    total = np.bincount(of_group, sums, groups)
    main[of_group[best]] = keys[best] % (particles + 1) - 1
    share[of_group[best]] = sums[best] / total[of_group[best]]
    return main, share


def _energies(cells: Array, particle: Array, weight: _Floats, particles: int) -> tuple[Array, Array]:
    """Energy of each (group, particle) pair that occurs, as keys group * particles + particle and sums."""
    used = (cells >= 0) & (particle >= 0)
    keys, inverse = np.unique(cells[used].astype(np.int64) * particles + particle[used], return_inverse=True)
    return keys, np.bincount(inverse, weight[used])


def _one(event: Arrays, result: Arrays) -> dict[str, list[float]]:
    particle, cluster = event["rechit_particle"], result["rechit_cluster"]
    count = len(event["particle_pt"])
    energy = as_float64(event["rechit_energy"])
    own = energy * as_float64(event["rechit_fraction"])
    silent = particle < 0
    trackster_of_cell = np.where(cluster >= 0, result["cluster_trackster"][cluster], -1)
    seen = np.bincount(particle[~silent], own[~silent], count)

    _, purity = _share_of_main(cluster, particle, energy, len(result["cluster_x"]), count)
    cluster_energy = as_float64(result["cluster_energy"])
    found: dict[str, list[float]] = {
        "cells_a_cluster": [float(np.mean(result["cluster_cells"]))],
        "clusters_a_rechit": [len(cluster_energy) / max(len(cluster), 1)],
        "clustered_energy": [float(energy[(cluster >= 0) & ~silent].sum() / energy[~silent].sum())],
        "noise_clustered": [float(np.mean(cluster[silent] >= 0))] if silent.any() else [],
        "cluster_purity": [float(np.average(purity, weights=cluster_energy))],
        "tracksters": [float(len(result["trackster_x"]))],
    }
    kind, pt, eta = np.abs(event["particle_pdg_id"]), event["particle_pt"], event["particle_eta"]
    fiducial = (pt > LEAST_PT_GEV) & (np.abs(eta) > ETA[0]) & (np.abs(eta) < ETA[1])
    wanted = np.flatnonzero(fiducial & ((kind == 11) | (kind == 22)))
    true_energy = as_float64(pt) * np.cosh(as_float64(eta))
    keys, sums = _energies(trackster_of_cell, particle, own, count)
    for name in ("efficiency", "response", "containment", "completeness", "trackster_purity", "position_cm"):
        found[name] = []
    layer_energy = np.bincount(particle[(cluster >= 0) & ~silent], own[(cluster >= 0) & ~silent], count)
    for p in wanted:
        turn = np.abs(event["particle_phi"] - event["particle_phi"][p])
        away2 = (eta - eta[p]) ** 2 + np.minimum(turn, 2 * np.pi - turn) ** 2
        if pt[away2 < ISOLATION_RADIUS**2].sum() > ISOLATION * pt[p]:
            continue  # within a jet: not one shower that can be told apart
        mine = keys % count == p
        best = int(np.argmax(np.where(mine, sums, -1.0))) if mine.any() else -1
        share = float(sums[best] / seen[p]) if best >= 0 else 0.0
        found["efficiency"].append(float(share > MATCHED_SHARE))
        found["containment"].append(float(layer_energy[p] / seen[p]))
        if share <= MATCHED_SHARE:
            continue
        trackster = int(keys[best] // count)
        whole = float(result["trackster_energy"][trackster])
        found["completeness"].append(share)
        found["trackster_purity"].append(float(sums[best]) / whole)
        if event["particle_collision"][p] == 0 and pt[p] > 20:
            found["response"].append(whole / float(true_energy[p]))
        mine_cells = (particle == p) & (cluster >= 0)
        hottest = np.flatnonzero(mine_cells)[np.argmax(own[mine_cells])]
        c = cluster[hottest]
        inside = particle == p
        inside &= event["rechit_layer"] == event["rechit_layer"][hottest]
        x, y = (np.average(as_float64(event[f"rechit_{axis}"])[inside], weights=own[inside]) for axis in "xy")
        found["position_cm"].append(float(np.hypot(x - result["cluster_x"][c], y - result["cluster_y"][c])))
    return found


def measure(events: Arrays, results: Sequence[Arrays]) -> dict[str, float]:
    """Physics of a set of events of section ``hgcal``; ``results[i]`` is the kernel's for event ``i``.

    Returns:
        Metrics by name, as the manifest describes them; one is absent where no particle allows it.
    """
    collected: dict[str, list[float]] = {}
    for event, result in zip(each_event(events), results, strict=True):
        for name, values in _one(event, result).items():
            collected.setdefault(name, []).extend(values)
    metrics = {
        name: float(np.mean(values)) for name, values in collected.items() if values and name != "response"
    }
    if len(collected["response"]) > 1:
        response = np.array(collected["response"])
        metrics["response"] = float(np.median(response))
        low, high = np.quantile(response, [0.1587, 0.8413])
        metrics["resolution"] = float((high - low) / 2 / np.median(response))
    return metrics


def _other_tracksters(reference: Arrays, result: Arrays) -> str | None:
    """The same for tracksters alone."""
    seeds = []
    for one in (reference, result):
        trackster = one["cluster_trackster"]
        seeds.append(np.where(trackster >= 0, np.append(one["trackster_seed"], -1)[trackster], -1))
    moved = int(np.sum(seeds[0] != seeds[1]))
    if moved > len(seeds[0]) / 1000:
        return f"{moved} of {len(seeds[0])} layer clusters are in another trackster than in the reference"
    common, at, of = np.intersect1d(
        reference["trackster_seed"], result["trackster_seed"], return_indices=True
    )
    if len(common) < 0.995 * len(reference["trackster_seed"]):
        return f"{len(reference['trackster_seed']) - len(common)} tracksters of the reference are absent"
    same = np.isclose(reference["trackster_energy"][at], result["trackster_energy"][of], rtol=1e-3)
    close = np.ones(len(common), dtype=bool)
    for axis in "xyz":
        close &= np.abs(reference[f"trackster_{axis}"][at] - result[f"trackster_{axis}"][of]) < 0.05
    if np.sum(~(same & close)) > max(2 * moved, 0):
        return "tracksters differ from the reference in energy or place"
    return None


def differences(reference: Arrays, result: Arrays) -> str | None:
    """None where cells, clusters and tracksters agree; positions to 1e-3 cm, energies to 1e-5, angles to 1e-4.

    A layer cluster at the very edge of a tower may be linked otherwise: one in a thousand may lie in another
    trackster.
    """
    for name in ("rechit_cluster", "cluster_seed", "cluster_cells", "cluster_layer"):
        if not np.array_equal(reference[name], result[name]):
            return f"{name} differs from the reference"
    for names, allowed in ((("x", "y", "z"), 1e-3), (("eta", "phi"), 1e-4)):
        for name in names:
            worst = np.abs(as_float64(reference[f"cluster_{name}"]) - result[f"cluster_{name}"]).max(
                initial=0
            )
            if not worst <= allowed:
                return f"cluster_{name} differs from the reference by {worst:.2g}, allowed {allowed:g}"
    if not np.allclose(reference["cluster_energy"], result["cluster_energy"], rtol=1e-5, atol=0):
        return "cluster_energy differs from the reference by more than 1e-5 of it"
    return _other_tracksters(reference, result) if "cluster_trackster" in reference else None
