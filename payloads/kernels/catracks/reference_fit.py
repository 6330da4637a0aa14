"""Quintuplets: two triplets that share a mini-doublet, whose five points lie on a helix."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from payloads.kernels.catracks.reference_geometry import Doublets, Floats, Ints, Settings, arcs

PITCH_SIGMA_CM = 0.0029
SCATTERED_PART = 0.25


@dataclass
class Quintuplets:
    """One entry each; parameters at the first point, curvature in 1/cm, positive if it turns left."""

    inner: Ints
    outer: Ints
    points: Ints  # [n, 5]
    curvature: Floats
    direction: Floats  # azimuth
    cotangent: Floats
    chi2_bend: Floats  # of 2 degrees of freedom
    chi2_rz: Floats  # of 3


def quintuplets(
    md: Doublets, segment: tuple[Ints, Ints], triplet: tuple[Ints, Ints], s: Settings
) -> Quintuplets:
    """All that fit."""
    inner_segment, outer_segment = segment
    a, b = triplet
    first_point, last_point = inner_segment[a], outer_segment[b]
    order = np.argsort(first_point, kind="stable")
    low = np.searchsorted(first_point[order], last_point, side="left")
    count = np.searchsorted(first_point[order], last_point, side="right") - low
    one = np.repeat(np.arange(len(a)), count)
    place = np.repeat(low, count) + np.arange(len(one)) - np.repeat(np.cumsum(count) - count, count)
    other = order[place] if len(one) else one
    points = np.stack(
        [
            inner_segment[a[one]],
            outer_segment[a[one]],
            last_point[one],
            outer_segment[a[other]],
            last_point[other],
        ],
        axis=1,
    )
    fitted = fit([md[points[:, k]] for k in range(5)], s)
    found = Quintuplets(one, other, points, *fitted)
    good = (found.chi2_bend < s.max_chi2_bend) & (found.chi2_rz < s.max_chi2_rz)
    good &= np.abs(found.curvature) < s.bend / s.min_pt_gev
    return Quintuplets(*(getattr(found, name)[good] for name in found.__dataclass_fields__))


def _least_squares(
    columns: list[list[Floats]], values: list[Floats], weights: list[Floats]
) -> tuple[Floats, Floats]:
    """Parameters [n, k] and chi2 [n] of linear fits, one a row."""
    matrix = np.stack([np.stack(column, axis=1) for column in columns], axis=2)  # n, points, parameters
    value, weight = np.stack(values, axis=1), np.stack(weights, axis=1)
    normal = np.einsum("npk,np,npl->nkl", matrix, weight, matrix)
    right = np.einsum("npk,np,np->nk", matrix, weight, value)
    parameters = np.linalg.solve(normal, right[:, :, None])[:, :, 0]
    left = value - np.einsum("npk,nk->np", matrix, parameters)
    return parameters, (weight * left**2).sum(axis=1)


def fit(p: list[Doublets], s: Settings) -> tuple[Floats, Floats, Floats, Floats, Floats]:
    """Curvature, direction, cotangent, chi2 across, chi2 along of the helices through five points.

    The circle through the first, third and last point is bettered by a parabola in the path, fitted to how far the
    points lie from it; then a line of z against the path.
    """
    if len(p[0].x) == 0:
        none = np.empty(0)
        return none, none, none, none, none
    x, y = [q.x for q in p], [q.y for q in p]
    dx, dy = x[4] - x[0], y[4] - y[0]
    chord = np.hypot(dx, dy)
    curvature, path = arcs(x, y)
    along = [((x[k] - x[0]) * dx + (y[k] - y[0]) * dy) / chord for k in range(5)]
    across = [(-(x[k] - x[0]) * dy + (y[k] - y[0]) * dx) / chord for k in range(5)]
    with np.errstate(divide="ignore", invalid="ignore"):
        w = across[2] / (along[2] ** 2 + across[2] ** 2 - chord * along[2])
    norm = np.sqrt(1 + (w * chord) ** 2)
    away = [(across[k] - w * (along[k] ** 2 + across[k] ** 2 - chord * along[k])) / norm for k in range(5)]
    cotangent = (p[4].z - p[0].z) / path[4]
    angle = s.module_scattering_gev * np.abs(curvature) / s.bend  # of one module, by momentum
    beta = np.arctan2(dy, dx) - np.arcsin(np.clip(0.5 * curvature * chord, -1, 1))
    weights_bend, weights_rz = [], []
    for k in range(5):
        reach = path[min(k + 1, 4)] - path[max(k - 1, 0)]
        scattered = SCATTERED_PART * angle * reach
        # along its cell a point may be off the circle as far as the cell is not parallel to the track
        at = beta + curvature * path[k]
        across_cell = (p[k].along_x * np.sin(at) - p[k].along_y * np.cos(at)) ** 2 / 3
        weights_bend.append(1 / (PITCH_SIGMA_CM**2 + scattered**2 + across_cell))
        side = np.sign(cotangent) * (p[k].along_z + np.abs(cotangent) * p[k].along_r)
        weights_rz.append(1 / (side**2 / 3 + (1 + cotangent**2) * scattered**2 + PITCH_SIGMA_CM**2))
    one = np.ones_like(chord)
    bent, chi2_bend = _least_squares([[one] * 5, path, [t**2 for t in path]], away, weights_bend)
    line, chi2_rz = _least_squares([[one] * 5, path], [q.z for q in p], weights_rz)
    return curvature + 2 * bent[:, 2], beta + bent[:, 1], line[:, 1], chi2_bend, chi2_rz
