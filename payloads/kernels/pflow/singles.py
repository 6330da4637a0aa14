"""How good the candidates of single particles are: pions, K0L and electrons of section `singles`, alone in their part of the detector."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from payloads.arrays import Arrays, as_float64, each_event
from payloads.kernels.pflow.seen import Seen, hadrons_in_brass
from payloads.matching import Floats, Ints, Samples, angle_apart

PION, KAON, ELECTRON = 211, 130, 11
CONE = 0.3  # around a particle in (eta, phi): half a cell, 0.4, lies between two
LEAST_VISIBLE_GEV = 1.0


def _kind(event: Arrays) -> Ints:
    """Of each particle its kind without the sign; 0 of those of pile-up."""
    single = np.asarray(event["particle_collision"]) == 0
    return np.where(single, np.abs(np.asarray(event["particle_pdg_id"])), 0)


def _uncharged_near(s: Seen, eta: float, phi: float) -> float:
    """Energy of photons and neutral hadrons around a direction, GeV."""
    result = s.result
    turn = angle_apart(as_float64(result["candidate_phi"]), np.full(1, phi))
    away2 = (as_float64(result["candidate_eta"]) - eta) ** 2 + turn**2
    near = (np.asarray(result["candidate_kind"]) != 0) & (away2 < CONE**2)
    return float(as_float64(result["candidate_energy"])[near].sum())


def _add_neutrals(tally: Samples, s: Seen) -> None:
    """K0L: all that is told of them. They fly straight on."""
    eta, phi = (as_float64(s.event[f"particle_{name}"]) for name in ("eta", "phi"))
    energy = as_float64(s.event["particle_pt"]) * np.cosh(eta)
    kaons = np.flatnonzero(_kind(s.event) == KAON)
    told = [_uncharged_near(s, eta[k], phi[k]) for k in kaons]
    tally.add("neutral", np.array(told) / energy[kaons])


def _add_tracks(tally: Samples, s: Seen) -> None:
    """Tracks of pions and electrons: where they are linked to, and what is told of the pions besides."""
    event, result = s.event, s.result
    particle = np.asarray(event["track_particle"]).astype(np.int64)
    kind = np.append(_kind(event), 0)[particle]
    hcal = np.asarray(result["track_hcal"]).astype(np.int64)
    best, _, visible = s.best(in_hcal=True)
    in_crystals, _, _ = s.best(in_hcal=False)
    tally.add("electron_linked", (hcal >= 0)[kind == ELECTRON].astype(float))
    wanted = (kind == PION) & (np.append(visible, 0)[particle] > LEAST_VISIBLE_GEV)
    tally.add("linked", (hcal == np.append(best, -1)[particle])[wanted].astype(float))
    told = _told_of_tracks(s, len(particle))
    energy = as_float64(event["particle_pt"]) * np.cosh(as_float64(event["particle_eta"]))
    for t in np.flatnonzero(kind == PION):
        p = particle[t]
        shower = best[p] if best[p] >= 0 else in_crystals[p]
        if shower < 0:
            continue
        place = (float(result[f"shower_{name}"][shower]) for name in ("eta", "phi"))
        besides = _uncharged_near(s, *place)
        tally.add("charged", np.array([(told[t] + besides) / energy[p]]))
        tally.add("alone", np.array([float(told[t] > 0 and besides == 0)]))


def _told_of_tracks(s: Seen, tracks: int) -> Floats:
    """Of each track the energy of its candidate, GeV; 0 of one that was dropped."""
    charged = np.asarray(s.result["candidate_kind"]) == 0
    told = np.zeros(tracks)
    told[np.asarray(s.result["candidate_track"])[charged]] = as_float64(s.result["candidate_energy"])[charged]
    return told


def measure_singles(events: Arrays, results: Sequence[Arrays]) -> dict[str, float]:
    """Metrics of single particles; ``results[i]`` belongs to event ``i``. manifest.toml says what each one means."""
    tally = Samples()
    for event, result in zip(each_event(events), results, strict=True):
        s = Seen(event, result)
        hadrons = hadrons_in_brass(s)
        tally.add("raw", hadrons.raw_response[_kind(event)[hadrons.clear] > 0])
        _add_neutrals(tally, s)
        _add_tracks(tally, s)
    raw, neutral = tally.median("raw"), tally.median("neutral")
    return {
        "single_raw_response": raw,
        "single_raw_resolution": tally.width("raw") / raw,
        "single_neutral_response": neutral,
        "single_neutral_resolution": tally.width("neutral") / neutral,
        "single_charged_response": tally.mean("charged"),
        "single_charged_alone": tally.mean("alone"),
        "single_link_efficiency": tally.mean("linked"),
        "electron_links": tally.mean("electron_linked"),
    }
