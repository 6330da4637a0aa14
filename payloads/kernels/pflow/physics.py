"""How good clusters, links and candidates are, against the simulated particles; against the reference: agreement.py.

A cell counts as of the particle that left most of its energy (``rechit_particle``), so purities are a little off where
cells are shared. A particle's *best* shower in a calorimeter is that which holds most of the energy of its cells.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from payloads.arrays import Arrays, as_float64, each_event
from payloads.kernels.pflow.agreement import differences
from payloads.kernels.pflow.jets import jet_responses
from payloads.kernels.pflow.reference_clusters import CELL_GEV, ECAL_LAYERS
from payloads.matching import Floats, Ints, Samples

__all__ = ["differences", "measure"]

LEAST_TRACK_PT_GEV = 3.0
LEAST_VISIBLE_GEV = 1.0
LEAST_HADRON_PT_GEV, LARGEST_ETA = 3.0, 2.6
LATE_SHARE = 0.1  # of a hadron's energy in crystals, at most: it showers in the brass
CLEAR_SHARE = 0.8  # of a shower's energy that a hadron must have left for the shower to tell of it
SIGMA_CM = (1.5, 10.0)  # of the sharing, crystals and cells (README.md)


class _Seen:
    """One event: which shower holds how much of which particle."""

    def __init__(self, event: Arrays, result: Arrays) -> None:
        self.event, self.result = event, result
        cell, cluster = (np.asarray(result[f"share_{name}"]).astype(np.int64) for name in ("cell", "cluster"))
        self.held = as_float64(result["share_fraction"]) * as_float64(event["rechit_energy"])[cell]
        self.shower = np.asarray(result["cluster_shower"]).astype(np.int64)[cluster]
        self.particle = np.asarray(event["rechit_particle"]).astype(np.int64)[cell]
        self.cell, self.cluster = cell, cluster
        self.is_hcal = np.asarray(result["shower_is_hcal"]) == 1
        self.particles = len(event["particle_pt"])

    def best(self, *, in_hcal: bool) -> tuple[Ints, Floats, Floats]:
        """Of each particle: its best shower (-1 = none), what of its cells that holds, and what all showers hold."""
        good = (self.particle >= 0) & (self.is_hcal[self.shower] == in_hcal)
        count = len(self.is_hcal)
        pair, back = np.unique(self.particle[good] * count + self.shower[good], return_inverse=True)
        energy = np.bincount(back, self.held[good], len(pair))
        order = np.argsort(energy, kind="stable")
        best, most = np.full(self.particles, -1), np.zeros(self.particles)
        best[pair[order] // count], most[pair[order] // count] = pair[order] % count, energy[order]
        return best, most, as_float64(np.bincount(pair // count, energy, self.particles))

    def unsettled(self) -> Floats:
        """Of each share of a cell that several clusters have: how far it is from what the clusters, as they are, ask."""
        event, result = self.event, self.result
        channel = np.asarray(event["rechit_channel"]).astype(np.int64)[self.cell]
        layer = np.asarray(result["cluster_layer"])[self.cluster]
        away2 = np.zeros(len(self.cell))
        for axis in "xyz":
            place = as_float64(event[f"channel_{axis}"])[channel]
            away2 += (place - as_float64(result[f"cluster_{axis}"])[self.cluster]) ** 2
        sigma = np.where(layer < ECAL_LAYERS, *SIGMA_CM)
        seed = np.asarray(result["cluster_seed"])
        shared = (np.bincount(self.cell, minlength=len(event["rechit_energy"])) > 1)[self.cell]
        shared &= ~np.isin(self.cell, seed)
        weight = (
            as_float64(result["cluster_energy"])[self.cluster]
            / as_float64(CELL_GEV)[layer]
            * np.exp(-0.5 * away2 / sigma**2)
        )
        total = np.bincount(self.cell, weight, len(event["rechit_energy"]))[self.cell]
        asked = weight[shared] / np.maximum(total[shared], 1e-300)  # all too far: nothing is asked for
        off: Floats = np.abs(asked - as_float64(result["share_fraction"])[shared])
        return off


def _add_links(tally: Samples, s: _Seen, *, in_hcal: bool) -> None:
    """Links of tracks of true particles, and whether they lead to the best shower."""
    name = "hcal" if in_hcal else "ecal"
    particle = np.asarray(s.event["track_particle"]).astype(np.int64)
    linked = np.asarray(s.result[f"track_{name}"]).astype(np.int64)
    best, _, visible = s.best(in_hcal=in_hcal)
    hard = (as_float64(s.event["track_pt"]) > LEAST_TRACK_PT_GEV) & (particle >= 0)
    right = linked == best[particle]
    tally.add(f"{name}_pure", right[hard & (linked >= 0)].astype(float))
    wanted = hard & (visible[particle] > LEAST_VISIBLE_GEV)
    tally.add(f"{name}_efficient", (right & (linked >= 0))[wanted].astype(float))


def _add_hadrons(tally: Samples, s: _Seen) -> None:
    """Hadrons that shower in the brass: what of them is in one shower, and what that and its candidates are told to be."""
    event, result = s.event, s.result
    pt, eta = as_float64(event["particle_pt"]), as_float64(event["particle_eta"])
    energy = pt * np.cosh(eta)
    charge, kind = np.asarray(event["particle_charge"]), np.abs(np.asarray(event["particle_pdg_id"]))
    best, most, visible = s.best(in_hcal=True)
    raw = as_float64(result["shower_energy"])
    of_shower = np.zeros(len(raw))
    uncharged = np.asarray(result["candidate_kind"]) != 0
    candidate_shower = np.asarray(result["candidate_shower"])[uncharged]
    np.add.at(of_shower, candidate_shower, as_float64(result["candidate_energy"])[uncharged])
    late = as_float64(event["particle_in_crystals"]) < LATE_SHARE * energy
    seen = (kind > 100) & (pt > LEAST_HADRON_PT_GEV) & (np.abs(eta) < LARGEST_ETA) & late & (visible > 0)
    tally.add("hadron_contained", most[seen] / visible[seen])
    clear = np.flatnonzero(seen & (most > CLEAR_SHARE * np.append(raw, np.inf)[best]))
    tally.add("raw_response", raw[best[clear]] / energy[clear])
    alone = clear[(charge[clear] == 0) & (of_shower[best[clear]] > 0)]
    tally.add("neutral_response", of_shower[best[alone]] / energy[alone])


def measure(events: Arrays, results: Sequence[Arrays]) -> dict[str, float]:
    """All metrics; ``results[i]`` belongs to event ``i``. manifest.toml says what each one means."""
    tally = Samples()
    for event, result in zip(each_event(events), results, strict=True):
        s = _Seen(event, result)
        layer = np.asarray(result["cluster_layer"])
        by_layer = as_float64(np.bincount(layer, as_float64(result["cluster_energy"]), 13))
        tally.add("ecal_clusters", np.array([float((layer < ECAL_LAYERS).sum())]))
        tally.add("hcal_clusters", np.array([float((layer >= ECAL_LAYERS).sum())]))
        tally.add("hcal_showers", np.array([float(s.is_hcal.sum())]))
        tally.add("told", np.array([float(by_layer.sum())]))
        tally.add("held", np.array([float(s.held.sum())]))
        tally.add("layers", by_layer[None])
        tally.add("iterations", as_float64(result["cluster_iterations"]))
        tally.add("unsettled", s.unsettled())
        _add_links(tally, s, in_hcal=False)
        _add_links(tally, s, in_hcal=True)
        _add_hadrons(tally, s)
        kind = np.asarray(result["candidate_kind"])
        tally.add("photons", np.array([float((kind == 1).sum())]))
        tally.add("neutrals", np.array([float((kind == 2).sum())]))
        tally.add("kept", np.array([float((kind == 0).sum()) / max(len(event["track_pt"]), 1)]))
        tally.add("jets", jet_responses(event, result))
    by_layer = tally.all("layers").sum(0)
    neutral, jets = tally.median("neutral_response"), tally.median("jets")
    return {
        "ecal_clusters": tally.mean("ecal_clusters"),
        "hcal_clusters": tally.mean("hcal_clusters"),
        "hcal_showers": tally.mean("hcal_showers"),
        "energy_balance": float(tally.all("told").sum() / tally.all("held").sum()),
        "layers": float((by_layer > 0).sum()),
        "iterations": tally.mean("iterations"),
        "unsettled": tally.mean("unsettled"),
        "ecal_link_purity": tally.mean("ecal_pure"),
        "ecal_link_efficiency": tally.mean("ecal_efficient"),
        "hcal_link_purity": tally.mean("hcal_pure"),
        "hcal_link_efficiency": tally.mean("hcal_efficient"),
        "hadron_contained": tally.mean("hadron_contained"),
        "hadron_raw_response": tally.median("raw_response"),
        "hadron_raw_resolution": tally.width("raw_response") / tally.median("raw_response"),
        "neutral_response": neutral,
        "neutral_resolution": tally.width("neutral_response") / neutral,
        "photons": tally.mean("photons"),
        "neutral_hadrons": tally.mean("neutrals"),
        "tracks_kept": tally.mean("kept"),
        "jet_response": jets,
        "jet_resolution": tally.width("jets") / jets,
    }
