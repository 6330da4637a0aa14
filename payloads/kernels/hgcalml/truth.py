"""What a trackster truly is: the class and the energy that the network is asked for."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from payloads.arrays import Arrays, as_float64

CLASSES = ("photon", "electron", "charged hadron", "neutral hadron", "ambiguous")
"""Of CMS's eight (cms-data/RecoHGCal-TICL) those that our tracksters have: muons leave clusters of one cell, which CLUE3D
does not take; both photons of a neutral pion count as photons; "unknown" is not asked."""
PHOTON, ELECTRON, CHARGED, NEUTRAL, AMBIGUOUS = range(5)

LEAST_SHARE = 0.5  # of a trackster's energy that its particle left; else it is ambiguous
LEAST_HELD = (
    0.5  # of a particle's visible energy, for the trackster's energy to be held against the particle's
)

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


def classes(event: Arrays) -> Ints:
    """Of each trackster, an index into ``CLASSES``."""
    particle = np.asarray(event["trackster_particle"]).astype(np.int64)
    kind = np.append(np.abs(np.asarray(event["particle_pdg_id"])), 0)[particle]
    charge = np.append(np.asarray(event["particle_charge"]), 0)[particle]
    found = np.where(charge == 0, NEUTRAL, CHARGED)
    found[kind == 22] = PHOTON
    found[kind == 11] = ELECTRON
    unclear = (particle < 0) | (kind == 13) | (np.asarray(event["trackster_share"]) < LEAST_SHARE)
    return np.where(unclear, AMBIGUOUS, found)


def energies(event: Arrays) -> tuple[Floats, Bools]:
    """True energy in GeV of each trackster's particle, and where the trackster should have it.

    That is where it holds most of the particle's visible energy, and most of its energy is the particle's.
    """
    particle = np.asarray(event["trackster_particle"]).astype(np.int64)
    true_gev = as_float64(event["particle_pt"]) * np.cosh(as_float64(event["particle_eta"]))
    held = np.asarray(event["trackster_held"]) > LEAST_HELD
    return np.append(true_gev, 0.0)[particle], (classes(event) != AMBIGUOUS) & held
