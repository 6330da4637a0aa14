"""Jets of the hard collision, and what candidates make of them."""

from __future__ import annotations

import numpy as np

from payloads.arrays import Arrays, as_float64
from payloads.matching import Floats, angle_apart

RADIUS = 0.4
LEAST_PARTICLE_PT_GEV = 0.3  # of the particles that jets are made of
LEAST_JET_PT_GEV, LARGEST_ETA = 30.0, 2.0
STRIP_ETA = 0.5  # half width in eta of the strip that tells the density around a jet


def anti_kt(pt: Floats, eta: Floats, phi: Floats, radius: float = RADIUS) -> Floats:
    """Jets [n, 3] of pt, eta, phi (M. Cacciari, G. Salam, G. Soyez, JHEP 04 (2008) 063), pT-weighted recombination.

    Args:
        pt: in GeV, [particles], greater than 0.
        eta: pseudorapidities.
        phi: azimuths.
        radius: of a jet.
    """
    pt, eta, phi = pt.copy(), eta.copy(), phi.copy()
    jets = []
    while len(pt):
        inverse2 = pt**-2.0
        apart2 = (eta[:, None] - eta) ** 2 + angle_apart(phi[:, None], phi) ** 2
        distance = np.minimum(inverse2[:, None], inverse2) * apart2 / radius**2
        np.fill_diagonal(distance, inverse2)
        i, j = divmod(int(distance.argmin()), len(pt))
        if i == j:
            jets.append((pt[i], eta[i], phi[i]))
        else:
            share = pt[j] / (pt[i] + pt[j])
            eta[i] += share * (eta[j] - eta[i])
            phi[i] = angle_apart(phi[i] + share * angle_apart(phi[j], phi[i]), np.zeros(1))[0]
            pt[i] += pt[j]
        pt, eta, phi = (np.delete(column, j) for column in (pt, eta, phi))
    return np.array(jets).reshape(-1, 3)


def jet_responses(event: Arrays, result: Arrays) -> Floats:
    """Of each true jet: transverse momentum of the candidates around its axis, less that of as large an area around the
    beam at the same pseudorapidity (median of its twelfths), over the jet's own.
    """  # noqa: D205
    pt, eta, phi = (as_float64(event[f"particle_{name}"]) for name in ("pt", "eta", "phi"))
    kind = np.abs(np.asarray(event["particle_pdg_id"]))
    hard = np.asarray(event["particle_collision"]) == 0
    used = hard & (pt > LEAST_PARTICLE_PT_GEV) & (np.abs(eta) < LARGEST_ETA + RADIUS)
    leptons = hard & (pt > 10) & np.isin(kind, (11, 13, 22))
    c_pt, c_eta, c_phi = (as_float64(result[f"candidate_{name}"]) for name in ("pt", "eta", "phi"))
    responses = []
    for jet_pt, jet_eta, jet_phi in anti_kt(pt[used], eta[used], phi[used]):
        away2 = (eta[leptons] - jet_eta) ** 2 + angle_apart(phi[leptons], jet_phi) ** 2
        if jet_pt < LEAST_JET_PT_GEV or abs(jet_eta) > LARGEST_ETA or (away2 < (2 * RADIUS) ** 2).any():
            continue
        strip = np.abs(c_eta - jet_eta) < STRIP_ETA
        turn = np.asarray(angle_apart(c_phi, jet_phi))
        part = np.minimum(((turn[strip] + np.pi) / (2 * np.pi) * 12).astype(np.int64), 11)
        sums = np.bincount(part, c_pt[strip], 12)
        density = float(np.median(sums)) / (2 * STRIP_ETA * 2 * np.pi / 12)
        around = c_pt[(c_eta - jet_eta) ** 2 + turn**2 < RADIUS**2].sum()
        responses.append((around - density * np.pi * RADIUS**2) / jet_pt)
    return np.array(responses)
