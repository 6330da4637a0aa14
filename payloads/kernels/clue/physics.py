"""How good layer clusters and tracksters are, against the simulated particles; against the reference: agreement.py.

What a particle left in a cell is the cell's energy times ``rechit_fraction`` where it is the main one of that cell, else
unknown and counted as of others. *Visible* is the sum over the cells above threshold. A particle belongs to the trackster
that holds most of its visible energy: its *best* one.

Layer clusters, after CMSSW's validation of HGCAL (LayerClusterAssociatorByEnergyScore): the score of a layer cluster
against a particle is the sum over its cells of ((1 - share) E)^2 over that of E^2; a cluster is *pure* if its main
particle's score is below 0.2. A *deposit* is what one particle left in one layer, of at least ``LEAST_DEPOSIT_GEV``;
it is *complete* if one layer cluster holds more than half of it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from payloads.arrays import Arrays, as_float64, each_event
from payloads.kernels.clue.agreement import differences
from payloads.matching import Floats, Ints, half_width

__all__ = ["differences", "measure"]

LEAST_PT_GEV = 5.0
ETA = (1.6, 2.9)  # of particles whose showers lie within the endcap
LEAST_CELLS = 2  # of the layer clusters that are looked at: those that CLUE3D takes
PURE_SCORE = 0.2
LEAST_DEPOSIT_GEV = 0.5
ISOLATION, ISOLATION_SHARE = (
    0.06,
    0.2,
)  # no other particle of this share of the pT within this distance in (eta, phi)
LINE_SHARE = 0.03  # least share of a photon's energy of the layer clusters that are held against its line
LAYERS = 47


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if len(values) else float("nan")


def _median(values: Sequence[float]) -> float:
    return float(np.median(values)) if len(values) else float("nan")


class _Shared:
    """One event: who left what in which cell, layer cluster and trackster."""

    def __init__(self, event: Arrays, result: Arrays) -> None:
        self.event, self.result = event, result
        self.particle = np.asarray(event["rechit_particle"]).astype(np.int64)
        self.energy = as_float64(event["rechit_energy"])
        self.share = np.where(self.particle >= 0, as_float64(event["rechit_fraction"]), 0)
        self.left = self.energy * self.share
        self.cluster = np.asarray(result["rechit_cluster"]).astype(np.int64)
        self.clusters = len(result["cluster_energy"])
        of_cluster = np.append(np.asarray(result["cluster_trackster"]), -1).astype(np.int64)
        self.trackster = of_cluster[self.cluster]
        self.tracksters = len(result["trackster_energy"])

    def by_cluster(self) -> tuple[Ints, Floats, Floats]:
        """Of each layer cluster: main particle (-1 = noise), its energy there, all energy there."""
        inside = np.flatnonzero((self.cluster >= 0) & (self.particle >= 0))
        particles = len(self.event["particle_pt"])
        pair, back = np.unique(self.cluster[inside] * particles + self.particle[inside], return_inverse=True)
        energy = np.bincount(back, self.left[inside], len(pair))
        order = np.lexsort((-energy, pair // particles))
        cluster = (pair // particles)[order]
        first = np.ones(len(order), dtype=bool)
        first[1:] = cluster[1:] != cluster[:-1]
        owner = np.full(self.clusters, -1, dtype=np.int64)
        most = np.zeros(self.clusters)
        owner[cluster[first]], most[cluster[first]] = (pair % particles)[order][first], energy[order][first]
        any_cluster = self.cluster >= 0
        total = np.bincount(self.cluster[any_cluster], self.energy[any_cluster], self.clusters)
        return owner, most, as_float64(total)

    def pure(self, owner: Ints) -> tuple[int, int]:
        """Layer clusters of enough cells, and how many of them have a main particle of good score."""
        inside = np.flatnonzero(self.cluster >= 0)
        c = self.cluster[inside]
        share = np.where(self.particle[inside] == owner[c], self.share[inside], 0)
        squared = self.energy[inside] ** 2
        impure = np.bincount(c, (1 - share) ** 2 * squared, self.clusters)
        score = impure / np.maximum(np.bincount(c, squared, self.clusters), 1e-30)
        looked = (np.asarray(self.result["cluster_cells"]) >= LEAST_CELLS) & (owner >= 0)
        return int(looked.sum()), int((looked & (score < PURE_SCORE)).sum())

    def complete(self) -> tuple[int, int]:
        """Deposits of enough energy, and how many of them lie, more than half, in one layer cluster."""
        of_particle = np.flatnonzero(self.particle >= 0)
        plane = np.asarray(self.event["rechit_layer"]).astype(np.int64)[of_particle]
        deposit = self.particle[of_particle] * 256 + plane
        names, back = np.unique(deposit, return_inverse=True)
        left = self.left[of_particle]
        total = np.bincount(back, left, len(names))
        inside = self.cluster[of_particle] >= 0
        pair, at = np.unique(
            back[inside] * (self.clusters + 1) + self.cluster[of_particle][inside], return_inverse=True
        )
        most = np.zeros(len(names))
        np.maximum.at(most, pair // (self.clusters + 1), np.bincount(at, left[inside], len(pair)))
        looked = total >= LEAST_DEPOSIT_GEV
        return int(looked.sum()), int((looked & (most > 0.5 * total)).sum())


class _Tally:
    """Counts and lists over many events."""

    def __init__(self) -> None:
        self.lists: dict[str, list[float]] = {}

    def add(self, name: str, *values: float) -> None:
        self.lists.setdefault(name, []).extend(values)

    def of(self, name: str) -> list[float]:
        return self.lists.get(name, [])

    def ratio(self, numerator: str, denominator: str) -> float:
        below = sum(self.of(denominator))
        return sum(self.of(numerator)) / below if below else float("nan")


def _isolated(event: Arrays, particle: int) -> bool:
    pt, eta, phi = (as_float64(event[f"particle_{name}"]) for name in ("pt", "eta", "phi"))
    turn = np.abs(phi - phi[particle])
    away2 = (eta - eta[particle]) ** 2 + np.minimum(turn, 2 * np.pi - turn) ** 2
    return int(((away2 < ISOLATION**2) & (pt > ISOLATION_SHARE * pt[particle])).sum()) == 1


def _off_line(event: Arrays, result: Arrays, particle: int, clusters: Ints) -> Floats:
    """Places of layer clusters in x and y minus those of a neutral particle's line in their planes, in mm."""
    eta, phi = float(event["particle_eta"][particle]), float(event["particle_phi"][particle])
    dz = as_float64(result["cluster_z"])[clusters] - float(event["particle_z"][particle])
    off = []
    for axis, along in (("x", np.cos(phi)), ("y", np.sin(phi))):
        line = float(event[f"particle_{axis}"][particle]) + dz * along / np.sinh(eta)
        off.append(as_float64(result[f"cluster_{axis}"])[clusters] - line)
    return 10 * np.concatenate(off)


def _add_particles(tally: _Tally, s: _Shared, owner: Ints, most: Floats, total: Floats) -> None:
    event, result = s.event, s.result
    pt, eta = as_float64(event["particle_pt"]), as_float64(event["particle_eta"])
    kind = np.abs(np.asarray(event["particle_pdg_id"]))
    energy_of = as_float64(result["trackster_energy"])
    seed = np.asarray(result["trackster_seed"])
    within = (pt > LEAST_PT_GEV) & (np.abs(eta) > ETA[0]) & (np.abs(eta) < ETA[1]) & (kind != 13)
    for p in np.flatnonzero(within).tolist():
        name = "em" if kind[p] in (11, 22) else "hadron"
        cells = np.flatnonzero(s.particle == p)
        visible, energy = float(s.left[cells].sum()), float(pt[p] * np.cosh(eta[p]))
        linked = cells[s.trackster[cells] >= 0]
        shared = np.bincount(s.trackster[linked], s.left[linked], s.tracksters + 1)
        best = int(shared.argmax())
        held = float(shared[best])
        found = held > 0.5 * visible
        tally.add(f"{name}_all", 1)
        tally.add(f"{name}_found", found)
        tally.add(f"{name}_visible", visible)
        tally.add(f"{name}_clustered", float(s.left[cells[s.cluster[cells] >= 0]].sum()))
        tally.add(f"{name}_held", held)
        if name == "hadron" or not _isolated(event, p):
            continue
        own = owner == p
        tally.add("isolated", 1)
        tally.add("isolated_main", float(most[own].sum()))
        tally.add("isolated_total", float(total[own].sum()))
        if found:
            tally.add("seeded", owner[seed[best]] == p)
            tally.add("trackster", float(energy_of[best]))
            tally.add("of_particle", held)
            tally.add("response", float(energy_of[best]) / energy)
        if kind[p] == 22:
            bright = np.flatnonzero(own & (most > LINE_SHARE * energy))
            tally.add("off_line", *_off_line(event, result, p, bright).tolist())


def measure(events: Arrays, results: Sequence[Arrays]) -> dict[str, float]:
    """All metrics; ``results[i]`` belongs to event ``i``. manifest.toml says what each one means."""
    tally = _Tally()
    for event, result in zip(each_event(events), results, strict=True):
        s = _Shared(event, result)
        owner, most, total = s.by_cluster()
        looked = np.asarray(result["cluster_cells"]) >= LEAST_CELLS
        tally.add("cells", len(s.cluster))
        tally.add("clusters", int(looked.sum()))
        tally.add("tracksters", s.tracksters)
        tally.add("main", float(most[looked].sum()))
        tally.add("total", float(total[looked].sum()))
        tally.add("told", float(as_float64(result["cluster_energy"]).sum()))
        tally.add("held_by_cells", float(total.sum()))
        tally.add("linked", float(as_float64(result["trackster_energy"]).sum()))
        tally.add("noise", int((s.particle < 0).sum()))
        tally.add("noise_clustered", int(((s.particle < 0) & (s.cluster >= 0)).sum()))
        for name, (number, good) in (("pure", s.pure(owner)), ("complete", s.complete())):
            tally.add(f"{name}_all", number)
            tally.add(name, good)
        _add_particles(tally, s, owner, most, total)
    metrics = {
        "layer_clusters": _mean(tally.of("clusters")),
        "cells_per_layer_cluster": tally.ratio("cells", "clusters"),
        "tracksters": _mean(tally.of("tracksters")),
        "energy_balance": tally.ratio("told", "held_by_cells"),
        "layer_cluster_pure": tally.ratio("pure", "pure_all"),
        "layer_cluster_purity": tally.ratio("main", "total"),
        "deposit_complete": tally.ratio("complete", "complete_all"),
        "linked_energy": tally.ratio("linked", "told"),
        "noise_clustered": tally.ratio("noise_clustered", "noise"),
        "em_response": _median(tally.of("response")),
        "em_resolution": half_width(tally.of("response")),
        "em_seed_efficiency": tally.ratio("seeded", "isolated"),
        "em_cluster_purity": tally.ratio("isolated_main", "isolated_total"),
        "em_purity": tally.ratio("of_particle", "trackster"),
        "photon_position_mm": half_width(tally.of("off_line")),
        "photon_offset_mm": _median(tally.of("off_line")),
    }
    for name in ("em", "hadron"):
        metrics |= {
            f"{name}_efficiency": tally.ratio(f"{name}_found", f"{name}_all"),
            f"{name}_in_layer_clusters": tally.ratio(f"{name}_clustered", f"{name}_visible"),
            f"{name}_containment": tally.ratio(f"{name}_held", f"{name}_visible"),
        }
    return metrics
