"""How good clusters, links and candidates are, against the simulated particles; against the reference: agreement.py."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from payloads.arrays import Arrays, as_float64, each_event
from payloads.kernels.pflow.agreement import differences
from payloads.kernels.pflow.jets import jet_responses
from payloads.kernels.pflow.reference_clusters import ECAL_LAYERS
from payloads.kernels.pflow.seen import Seen, hadrons_in_brass
from payloads.kernels.pflow.singles import measure_singles
from payloads.matching import Samples

__all__ = ["differences", "measure", "measure_singles"]

LEAST_TRACK_PT_GEV = 3.0
LEAST_VISIBLE_GEV = 1.0


def _add_links(tally: Samples, s: Seen, *, in_hcal: bool) -> None:
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


def _add_hadrons(tally: Samples, s: Seen) -> None:
    """Hadrons that shower in the brass: what of them is in one shower, and what that and its candidates are told to be."""
    hadrons = hadrons_in_brass(s)
    tally.add("hadron_contained", hadrons.contained)
    tally.add("raw_response", hadrons.raw_response)
    of_shower = np.zeros(len(s.is_hcal))
    uncharged = np.asarray(s.result["candidate_kind"]) != 0
    candidate_shower = np.asarray(s.result["candidate_shower"])[uncharged]
    np.add.at(of_shower, candidate_shower, as_float64(s.result["candidate_energy"])[uncharged])
    neutral = np.asarray(s.event["particle_charge"])[hadrons.clear] == 0
    alone = neutral & (of_shower[hadrons.shower] > 0)
    tally.add("neutral_response", (of_shower[hadrons.shower] / hadrons.energy_gev)[alone])


def measure(events: Arrays, results: Sequence[Arrays]) -> dict[str, float]:
    """All metrics; ``results[i]`` belongs to event ``i``. manifest.toml says what each one means."""
    tally = Samples()
    for event, result in zip(each_event(events), results, strict=True):
        s = Seen(event, result)
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
