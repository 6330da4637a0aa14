"""Which shower holds how much of which particle.

A cell counts as of the particle that left most of its energy (``rechit_particle``), so purities are a little off where
cells are shared. A particle's *best* shower in a calorimeter is that which holds most of the energy of its cells.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from payloads.arrays import Arrays, as_float64
from payloads.kernels.pflow.reference_clusters import CELL_GEV, ECAL_LAYERS
from payloads.matching import Floats, Ints

LEAST_HADRON_PT_GEV, LARGEST_ETA = 3.0, 2.6
LATE_SHARE = 0.1  # of a hadron's energy in crystals, at most: it showers in the brass
CLEAR_SHARE = 0.8  # of a shower's energy that a hadron must have left for the shower to tell of it
SIGMA_CM = (1.5, 10.0)  # of the sharing, crystals and cells (README.md)


class Seen:
    """One event with its result."""

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


@dataclass(frozen=True)
class Hadrons:
    """Hadrons that shower in the brass; the last three are of those whose shower is clearly theirs."""

    contained: Floats
    """Share of the energy of their cells that their best shower holds, [hadrons]."""
    clear: Ints
    """Which particles have a shower that is theirs, [clear]."""
    shower: Ints
    """That shower."""
    energy_gev: Floats
    """Of these particles."""
    raw_response: Floats
    """The shower's energy over the particle's."""


def hadrons_in_brass(s: Seen) -> Hadrons:
    """Hadrons that left less than `LATE_SHARE` in crystals, and what they left behind them."""
    event = s.event
    pt, eta = as_float64(event["particle_pt"]), as_float64(event["particle_eta"])
    energy = pt * np.cosh(eta)
    kind = np.abs(np.asarray(event["particle_pdg_id"]))
    best, most, visible = s.best(in_hcal=True)
    raw = as_float64(s.result["shower_energy"])
    late = as_float64(event["particle_in_crystals"]) < LATE_SHARE * energy
    seen = (kind > 100) & (pt > LEAST_HADRON_PT_GEV) & (np.abs(eta) < LARGEST_ETA) & late & (visible > 0)
    clear = np.flatnonzero(seen & (most > CLEAR_SHARE * np.append(raw, np.inf)[best]))
    shower = best[clear]
    return Hadrons(most[seen] / visible[seen], clear, shower, energy[clear], raw[shower] / energy[clear])
