"""The vertex fit of the reference: vertex and all momenta free, five measured parameters a track (P. Billoir et al.)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from payloads.arrays import Arrays, as_float64

Floats = npt.NDArray[np.float64]

CURVATURE = -0.00299792458 * 3.8  # 1/cm of a unit charge with 1 GeV
NAMES = ("q_over_pt", "phi", "cot_theta", "d0", "z0")


@dataclass
class Measured:
    """Perigee parameters (n, 5), the inverse of their covariance (n, 5, 5), pT in GeV."""

    parameters: Floats
    inverse: Floats
    pt: Floats


@dataclass
class Fit:
    """Position and covariance of a vertex, chi2, ndof, the weight of each track."""

    position: Floats
    covariance: Floats
    chi2: float
    ndof: float
    weight: Floats


def measured(event: Arrays, tracks: npt.NDArray[np.int64]) -> Measured:
    """The parameters of these tracks of an event."""
    parameters = np.stack([as_float64(event[f"track_{name}"])[tracks] for name in NAMES], axis=1)
    covariance = np.zeros((len(tracks), 5, 5))
    for i in range(5):
        for j in range(i + 1):
            covariance[:, i, j] = covariance[:, j, i] = as_float64(event[f"track_covariance_{i}{j}"])[tracks]
    inverse = np.asarray(np.linalg.inv(covariance), dtype=np.float64)
    return Measured(parameters, inverse, as_float64(event["track_pt"])[tracks])


def perigee(vertex: Floats, momentum: Floats, beam: Floats) -> Floats:
    """Perigee parameters at the beam line of helices through ``vertex`` with ``momentum`` (q/pT, phi there, cot theta).

    The centre of the circle is found, the angle turned about it gives the way along z.
    """
    q_over_pt, phi, cot = momentum.T
    rho = CURVATURE * q_over_pt
    x, y = vertex[0] - beam[0], vertex[1] - beam[1]
    u, v = -rho * x + np.sin(phi), -rho * y - np.cos(phi)
    length = np.hypot(u, v)
    at_beam = np.arctan2(u, -v)
    d0 = (rho * (x * x + y * y) - 2 * (x * np.sin(phi) - y * np.cos(phi))) / (1 + length)
    turn = np.angle(np.exp(1j * (at_beam - phi)))
    straight = -(x * np.cos(phi) + y * np.sin(phi))
    way = np.where(np.abs(turn) > 1e-7, turn / np.where(rho == 0, 1.0, rho), straight)
    return np.stack([q_over_pt, at_beam, cot, d0, vertex[2] + cot * way], axis=1)


def linearised(m: Measured, vertex: Floats, beam: Floats) -> tuple[Floats, Floats, Floats]:
    """Residuals (n, 5), their derivatives by the vertex (n, 5, 3), and the weight matrix with momenta eliminated."""
    momentum = m.parameters[:, :3].copy()
    for _ in range(2):  # the direction at the vertex that has the measured one at the beam line
        momentum[:, 1] += m.parameters[:, 1] - perigee(vertex, momentum, beam)[:, 1]

    size = 1e-4
    steps = size * np.eye(3)
    by_vertex = [
        perigee(vertex + step, momentum, beam) - perigee(vertex - step, momentum, beam) for step in steps
    ]
    by_momentum = [
        perigee(vertex, momentum + step, beam) - perigee(vertex, momentum - step, beam) for step in steps
    ]
    d, e = (np.stack(changes, axis=2) / (2 * size) for changes in (by_vertex, by_momentum))
    et_w = np.swapaxes(e, 1, 2) @ m.inverse
    reduced = m.inverse - np.swapaxes(et_w, 1, 2) @ np.linalg.solve(et_w @ e, et_w)
    residual = m.parameters - perigee(vertex, momentum, beam)
    residual[:, 1] = np.angle(np.exp(1j * residual[:, 1]))
    return residual, d, reduced


def track_chi2(m: Measured, vertex: Floats, beam: Floats) -> Floats:
    """Smallest chi2 of each track for a vertex there, its momentum free."""
    residual, _, reduced = linearised(m, vertex, beam)
    chi2: Floats = np.einsum("ni,nij,nj->n", residual, reduced, residual)
    return chi2


def fit(m: Measured, beam: Floats, width: Floats, start_z: float, s: Mapping[str, float]) -> Fit:
    """Adaptive fit: least squares with weights that sharpen from step to step, the beam spot as a prior."""
    prior = np.diag(1.0 / width**2)
    vertex = np.array([beam[0], beam[1], start_z])
    t = s["fit_t_start"]
    result = Fit(vertex, np.eye(3), 0.0, 0.0, np.zeros(len(m.pt)))
    for _ in range(int(s["fit_steps"])):
        residual, d, reduced = linearised(m, vertex, beam)
        chi2 = np.einsum("ni,nij,nj->n", residual, reduced, residual)
        weight = 1.0 / (1.0 + np.exp(np.clip((chi2 - s["fit_cut"] ** 2) / (2 * t), -87, 88)))
        dt_w = np.swapaxes(d, 1, 2) @ reduced
        matrix = np.einsum("n,nij->ij", weight, dt_w @ d) + prior
        right = np.einsum("n,nij,nj->i", weight, dt_w, residual) + prior @ (beam - vertex)
        move = np.linalg.solve(matrix, right)
        total = float((weight * chi2).sum() + (beam - vertex) @ prior @ (beam - vertex))
        vertex = vertex + move
        result = Fit(vertex, np.linalg.inv(matrix), total, float(2 * weight.sum()), weight)
        if t <= 1.0 and np.linalg.norm(move) < s["fit_shift_cm"]:
            break
        t = max(1.0, t * s["fit_cooling"])
    return result
