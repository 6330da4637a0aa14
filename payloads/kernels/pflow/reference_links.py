"""Definition of truth: tracks to the calorimeters' fronts, links to showers, candidates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from payloads.arrays import Array, Arrays, as_float64
from payloads.kernels.pflow.reference_clusters import Showers
from payloads.matching import Floats, Ints, angle_apart

# Fronts of the crystals and of the brass: radius of the barrel, its half length, where the endcaps stand; cm (the
# section `calorimeters`, after CMS, JINST 3 (2008) S08004).
ECAL_FRONT, HCAL_FRONT = (129.0, 269.0, 320.0), (179.0, 340.0, 389.0)
PER_CM = 2.99792458e-3  # GeV of a unit charge in 1 T on a circle of 1 cm
PION_GEV = 0.13957
CHARGED, PHOTON, NEUTRAL = 0, 1, 2
# Hadrons' energies from those of crystals and cells: factor at a raw energy E is a + b / (1 + E / c); README.md.
CALIBRATION = (0.88, 0.62, 8.0)
# Relative resolution of a hadron's energy, sqrt(a^2 / E + b^2), in barrel and endcaps (CMSSW, PFAlgo).
RESOLUTION = ((1.02, 0.065), (1.20, 0.028))
BARREL_ETA = 1.48
FALL_GEV = 100.0  # of the sigmas that an excess needs: 1 + exp(-E / this)


@dataclass(frozen=True)
class Links:
    """Shower of each track in either calorimeter (-1 = none), and the distance to that of crystals."""

    ecal: Ints
    hcal: Ints
    ecal_distance: Floats


def at_front(event: Arrays, front: tuple[float, float, float], field_tesla: float) -> tuple[Floats, Floats]:
    """Pseudorapidity and azimuth of each track where it meets a front; nan where it does not."""
    radius, half_length, endcap = front
    q_pt, phi, cot, d0, z0 = (
        as_float64(event[f"track_{name}"]) for name in ("q_over_pt", "phi", "cot_theta", "d0", "z0")
    )
    bend = -PER_CM * field_tesla * q_pt
    with np.errstate(invalid="ignore", divide="ignore"):
        chord = np.sqrt((radius**2 - d0**2) / (1 + bend * d0))
        half = np.arcsin(bend * chord / 2)
        z = z0 + cot * 2 * half / bend
        in_barrel = np.abs(z) < half_length
        length = (np.where(cot < 0, -endcap, endcap) - z0) / cot
        forward = bend * length / 2
        half = np.where(in_barrel, half, forward)
        chord = np.where(in_barrel, chord, 2 * np.sin(forward) / bend)
        z = np.where(in_barrel, z, z0 + cot * length)
        x = -d0 * np.sin(phi) + chord * np.cos(phi + half)
        y = d0 * np.cos(phi) + chord * np.sin(phi + half)
        eta = np.arcsinh(z / np.hypot(x, y))
    good = (in_barrel | ((length > 0) & (np.abs(forward) < 30))) & (np.abs(eta) < 3.2)
    return np.where(good, eta, np.nan), np.where(good, np.arctan2(y, x), np.nan)


def _nearest(eta: Floats, phi: Floats, showers: Showers, wanted: Ints, window: float) -> tuple[Ints, Floats]:
    best, distance = np.full(len(eta), -1), np.full(len(eta), np.inf)
    if len(wanted):
        for t in np.flatnonzero(np.isfinite(eta)):
            d2 = (showers.eta[wanted] - eta[t]) ** 2 + angle_apart(showers.phi[wanted], phi[t]) ** 2
            k = int(np.argmin(d2))
            if d2[k] < window**2:
                best[t], distance[t] = wanted[k], d2[k]
    return best, distance


def link(event: Arrays, showers: Showers, s: Mapping[str, float]) -> Links:
    """The nearest shower in either calorimeter within its window."""
    field = s["field_tesla"]
    ecal, distance = _nearest(
        *at_front(event, ECAL_FRONT, field), showers, np.flatnonzero(showers.is_hcal == 0), s["ecal_window"]
    )
    hcal, _ = _nearest(
        *at_front(event, HCAL_FRONT, field), showers, np.flatnonzero(showers.is_hcal == 1), s["hcal_window"]
    )
    return Links(ecal, hcal, distance)


def calibrated(ecal_gev: float, hcal_gev: float) -> float:
    """Energy of a hadron that left these."""
    raw = ecal_gev + hcal_gev
    return raw * (CALIBRATION[0] + CALIBRATION[1] / (1 + raw / CALIBRATION[2]))


def _resolution(energy: float, eta: float) -> float:
    a, b = RESOLUTION[0] if abs(eta) < BARREL_ETA else RESOLUTION[1]
    return float(np.sqrt(a * a / max(energy, 1.0) + b * b))


@dataclass(frozen=True)
class _Momenta:
    """Of tracks: momenta and their errors, GeV."""

    pt: Floats
    p: Floats
    pt_error: Floats
    p_error: Floats


def _momenta(event: Arrays) -> _Momenta:
    pt = 1 / np.abs(as_float64(event["track_q_over_pt"]))
    stretch = np.sqrt(1 + as_float64(event["track_cot_theta"]) ** 2)
    error = np.sqrt(as_float64(event["track_covariance_00"])) * pt * pt
    return _Momenta(pt, pt * stretch, error, error * stretch)


def _blocks(showers: Showers, links: Links) -> Ints:
    """Of each shower its block: one of crystals goes with the shower of cells of its nearest track."""
    block = np.arange(len(showers.energy))
    for shower in np.flatnonzero(showers.is_hcal == 0):
        near = np.flatnonzero(links.ecal == shower)
        if len(near):
            owner = near[np.argmin(links.ecal_distance[near])]
            if links.hcal[owner] >= 0:
                block[shower] = links.hcal[owner]
    return block


def _believed(tracks: Ints, energy: float, eta: float, m: _Momenta, s: Mapping[str, float]) -> Ints:
    """The tracks of a block without those, badly measured, that have far too little energy behind them."""
    left = float(m.p[tracks].sum())
    allowed = s["lack_sigmas"] * _resolution(left, eta) * left
    dropped = []
    for t in tracks[np.argsort(-m.pt_error[tracks], kind="stable")]:
        if left - energy <= allowed or m.pt_error[t] <= s["track_error_gev"]:
            break
        dropped.append(t)
        left -= float(m.p[t])
    return np.setdiff1d(tracks, dropped)


def _excess(tracks: Ints, energy: float, eta: float, m: _Momenta, s: Mapping[str, float]) -> float:
    """Energy that these tracks do not explain, 0 if it may be chance."""
    total = float(m.p[tracks].sum())
    enough = 0.0
    if total > 0:
        error2 = (_resolution(total, eta) * total) ** 2 + float((m.p_error[tracks] ** 2).sum())
        enough = s["excess_sigmas"] * (1 + np.exp(-total / FALL_GEV)) * np.sqrt(error2)
    return energy - total if energy - total > enough else 0.0


def candidates(event: Arrays, showers: Showers, links: Links, s: Mapping[str, float]) -> dict[str, Array]:
    """Charged hadrons of tracks, then photons, then neutral hadrons, by block."""
    m = _momenta(event)
    block = _blocks(showers, links)
    of_track = np.where(links.hcal >= 0, links.hcal, np.append(block, -1)[links.ecal])
    kept = np.ones(len(m.pt), dtype=bool)
    photons: list[tuple[int, float]] = []
    neutrals: list[tuple[int, float]] = []
    for b in np.unique(block).tolist():
        ecal = float(showers.energy[(block == b) & (showers.is_hcal == 0)].sum())
        is_hcal = showers.is_hcal[b] == 1
        energy = calibrated(ecal, float(showers.energy[b])) if is_hcal else ecal
        tracks = np.flatnonzero(of_track == b)
        if len(tracks) == 0:
            (neutrals if is_hcal else photons).append((b, energy))
            continue
        believed = _believed(tracks, energy, showers.eta[b], m, s)
        kept[np.setdiff1d(tracks, believed)] = False
        excess = _excess(believed, energy, showers.eta[b], m, s)
        if min(ecal, excess) > 0:
            photons.append((b, min(ecal, excess)))
        if excess > ecal:
            neutrals.append((b, excess - ecal))
    charged = np.flatnonzero(kept)
    blocks = np.array([b for b, _ in photons + neutrals], dtype=np.int64)
    energies = np.array([e for _, e in photons + neutrals])
    eta = showers.eta[blocks]
    cot = as_float64(event["track_cot_theta"])[charged]
    return {
        "kind": np.repeat([CHARGED, PHOTON, NEUTRAL], [len(charged), len(photons), len(neutrals)]),
        "track": np.concatenate([charged, np.full(len(blocks), -1)]),
        "shower": np.concatenate([of_track[charged], blocks]),
        "pt": np.concatenate([m.pt[charged], energies / np.cosh(eta)]),
        "eta": np.concatenate([np.arcsinh(cot), eta]),
        "phi": np.concatenate([as_float64(event["track_phi"])[charged], showers.phi[blocks]]),
        "energy": np.concatenate([np.sqrt(m.p[charged] ** 2 + PION_GEV**2), energies]),
    }
