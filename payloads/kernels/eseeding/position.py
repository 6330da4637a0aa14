"""Where an electron's super-cluster ought to be, from the way that it would fly if it did not radiate."""

from __future__ import annotations

import numpy as np

from payloads.arrays import Arrays

FIELD_TESLA = 3.8
GEV_PER_TESLA_CM = 2.99792458e-3


def missed(event: Arrays, result: Arrays, particle: int, supercluster: int) -> tuple[float, float]:
    """How far a super-cluster is from its electron's helix.

    The helix is taken to the super-cluster's distance from the vertex across the beam, d: it is s = 2 R asin(d / 2R) long
    there, R = pT / (0.3 B), and has gone s sinh(eta) along the beam.

    Returns:
        Along z, cm; in pseudorapidity seen from the vertex, outwards positive. nan where the helix does not reach that far.
    """
    pt, eta = (float(event[f"particle_{name}"][particle]) for name in ("pt", "eta"))
    dx, dy, dz = (
        float(result[f"sc_{axis}"][supercluster]) - float(event[f"particle_{axis}"][particle])
        for axis in "xyz"
    )
    diameter_cm = 2 * pt / (GEV_PER_TESLA_CM * FIELD_TESLA)
    sine = float(np.hypot(dx, dy)) / diameter_cm
    if not sine <= 1:
        return float("nan"), float("nan")
    length_cm = diameter_cm * float(np.arcsin(sine))
    found = float(np.arcsinh(dz / length_cm))
    return dz - length_cm * float(np.sinh(eta)), (found - eta) * float(np.sign(eta))
