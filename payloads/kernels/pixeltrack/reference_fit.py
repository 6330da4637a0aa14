"""Reference, the fit: generalised least squares with the full covariance of the scattered offsets."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from payloads.kernels.pixeltrack.reference_detector import Detector

Floats = npt.NDArray[np.float64]


def _scattering(radiation_lengths: float, momentum: float) -> float:
    return float((0.0136 / momentum) ** 2 * radiation_lengths * (1 + 0.038 * np.log(radiation_lengths)) ** 2)


class Circle:
    """The circle through three points of the plane, travelled from the first to the last."""

    def __init__(self, first: Floats, middle: Floats, last: Floats) -> None:
        a, b = complex(*(middle - first)), complex(*(last - first))
        cross = (a.conjugate() * b).imag
        centre = 1j * (abs(b) ** 2 * a - abs(a) ** 2 * b) / (2 * cross)
        self.centre = complex(*first) + centre
        self.sign = float(np.sign(cross))  # +1: turns left
        self.radius = abs(centre)
        self.start = complex(*first)

    def see(self, point: Floats) -> tuple[float, float, complex]:
        """How far left of the circle, the length along it from its first point, the unit tangent there."""
        away = complex(*point) - self.centre
        from_start = self.start - self.centre
        turned = np.angle(away / from_start)
        tangent = 1j * self.sign * away / abs(away)
        return self.sign * (self.radius - abs(away)), float(self.sign * turned * self.radius), tangent


def _covariance(measured: Floats, path: Floats, kinks: list[tuple[float, float]]) -> Floats:
    """Of offsets at `path`: measurement, and kinks (where, variance) further in."""
    covariance = np.diag(measured)
    for where, variance in kinks:
        lever = np.clip(path - where, 0, None)
        covariance += variance * np.outer(lever, lever)
    return covariance


def _least_squares(design: Floats, value: Floats, covariance: Floats) -> tuple[Floats, Floats, float]:
    weight = np.linalg.inv(covariance)
    information = design.T @ weight @ design
    errors = np.linalg.inv(information)
    parameters = errors @ design.T @ weight @ value
    rest = value - design @ parameters
    return parameters, np.sqrt(np.diag(errors)), float(rest @ weight @ rest)


def fit(
    place: Floats, variance: Floats, axes: Floats, matter: Floats, detector: Detector
) -> dict[str, float]:
    """Parameters of the track through these hits.

    Args:
        place: [n, 3], from the beam outwards, cm.
        variance: [n, 2] along local x and y, cm^2.
        axes: [n, 3, 3] of the modules: local x, local y, normal.
        matter: [n] radiation lengths of the layers at normal incidence.
        detector: cuts and passive matter.

    Returns:
        pt (GeV), phi, tip (cm), zip (cm), cot, each with ``_error``; chi2, charge.
    """
    cuts = detector.cuts
    circle = Circle(place[0, :2], place[len(place) // 2, :2], place[-1, :2])
    seen = [circle.see(point[:2]) for point in place]
    left, path = np.array([s[0] for s in seen]), np.array([s[1] for s in seen])
    tangent = np.array([[s[2].real, s[2].imag] for s in seen])
    cot = (place[-1, 2] - place[0, 2]) / path[-1]
    inclined = np.sqrt(1 + cot**2)
    momentum = max(circle.radius / detector.cm_per_gev, 0.2) * inclined

    across = axes[:, :2, 1] * tangent[:, :1] - axes[:, :2, 0] * tangent[:, 1:]
    forward = axes[:, :2, 0] * tangent[:, :1] + axes[:, :2, 1] * tangent[:, 1:]
    var_left = (across**2 * variance).sum(axis=1)
    var_up = ((axes[:, :2, 2] - cot * forward) ** 2 * variance).sum(axis=1)

    direction = np.column_stack([tangent, np.full(len(path), cot)]) / inclined
    slant = np.maximum(np.abs((axes[:, 2] * direction).sum(axis=1)), 0.1)
    kinks = [(s, _scattering(x, momentum)) for s, x in zip(path, matter / slant, strict=True)]
    beam_left, beam, beam_tangent = circle.see(np.zeros(2))
    radius = np.hypot(*place[0, :2])
    pipe = path[0] + (beam - path[0]) * max(0.0, (radius - cuts["beam_pipe_radius_cm"]) / radius)
    kinks.append((pipe, _scattering(cuts["beam_pipe_radiation_lengths"] * inclined, momentum)))
    steep = max(abs(cot), 1e-3)
    barrel_end = (cuts["barrel_end_cm"] - np.copysign(1, cot) * place[0, 2]) / steep
    if pipe < barrel_end < path[-1]:
        kinks.append(
            (barrel_end, _scattering(cuts["barrel_end_radiation_lengths"] * inclined / steep, momentum))
        )

    lever = path - beam
    bend_kinks = [(s, v * inclined**2) for s, v in kinks]
    design = np.column_stack([np.ones_like(lever), lever, lever**2 / 2])
    bend, bend_error, bend_chi2 = _least_squares(design, left, _covariance(var_left, path, bend_kinks))
    line_kinks = [(s, v * inclined**4) for s, v in kinks]
    above = place[:, 2] - place[0, 2] - cot * path
    line, line_error, line_chi2 = _least_squares(design[:, :2], above, _covariance(var_up, path, line_kinks))

    curvature = circle.sign / circle.radius + bend[2]
    pt = 1 / (detector.cm_per_gev * abs(curvature))
    phi = np.angle(beam_tangent) + bend[1]
    return {
        "pt": pt,
        "phi": float((phi + np.pi) % (2 * np.pi) - np.pi),
        "tip": bend[0] - beam_left,
        "zip": place[0, 2] + cot * beam + line[0],
        "cot": cot + line[1],
        "pt_error": pt * bend_error[2] / abs(curvature),
        "phi_error": bend_error[1],
        "tip_error": bend_error[0],
        "zip_error": line_error[0],
        "cot_error": line_error[1],
        "chi2": bend_chi2 + line_chi2,
        "charge": -np.sign(curvature),
    }
