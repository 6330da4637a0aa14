"""Segments of two mini-doublets in neighbouring layers, and triplets of two segments."""

from __future__ import annotations

import numpy as np

from payloads.kernels.catracks.reference_geometry import (
    BARREL_LAYERS,
    Bools,
    Doublets,
    Floats,
    Ints,
    Settings,
    arcs,
    direction,
    reduced,
)

LAYERS = 11


def layer_pairs() -> list[tuple[int, int]]:
    """Layers that a track may meet one after the other: the next of the barrel, the next disc, barrel to first disc."""
    pairs = [(layer, layer + 1) for layer in range(LAYERS - 1) if layer != BARREL_LAYERS - 1]
    return pairs + [(layer, BARREL_LAYERS) for layer in range(BARREL_LAYERS - 1)]


def _in_reach(inner: Doublets, outer: Doublets, s: Settings) -> Bools:
    """Whether a track from the luminous region through the inner one can meet the outer one: along z, or along r."""
    sine = np.sin(s.slope(outer.r))
    curl = np.tan(np.arcsin(sine)) / np.arcsin(sine)  # path by radius, at the most
    side = np.sign(inner.z)
    with np.errstate(divide="ignore", invalid="ignore"):
        z, far = np.abs(inner.z), outer.z * side  # on the inner one's side
        ratio = outer.r / inner.r
        low = z + (z - s.luminous_cm) * (ratio - 1) * np.where(z > s.luminous_cm, 1.0, curl)
        high = z + (z + s.luminous_cm) * (ratio - 1) * curl
        room = inner.along_z * ratio + outer.along_z + s.extra_length_cm
        barrel = (ratio > 1) & (far > low - room) & (far < high + room)
        # discs
        near = z - s.luminous_cm
        low = inner.r * (1 + (far - z) / (z + s.luminous_cm) / curl)
        high = np.where(near > 1.0, inner.r * (far - s.luminous_cm) / np.maximum(near, 1.0), 1e9)
        room = inner.along_r * far / np.maximum(z, 1e-6) + outer.along_r + s.extra_length_cm
        disc = (far > z) & (outer.r > np.maximum(low - room, inner.r - 0.5 * room)) & (outer.r < high + room)
    return np.where(outer.layer < BARREL_LAYERS, barrel, disc)


def segments(md: Doublets, s: Settings) -> tuple[Ints, Ints]:
    """Inner and outer mini-doublet of each segment, in order of them."""
    inner_all, outer_all = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    phi = np.arctan2(md.y, md.x)
    for low, high in layer_pairs():
        one, other = np.nonzero(md.layer == low)[0], np.nonzero(md.layer == high)[0]
        for block in np.array_split(one, 1 + len(one) * len(other) // 4_000_000):
            close = (
                np.abs(reduced(phi[other][None, :] - phi[block][:, None]))
                < s.slope(md.r[other])[None, :] + 0.1
            )
            a, b = np.nonzero(close)
            inner, outer = block[a], other[b]
            good = _compatible(md[inner], md[outer], s)
            inner_all.append(inner[good])
            outer_all.append(outer[good])
    inner, outer = np.concatenate(inner_all), np.concatenate(outer_all)
    order = np.lexsort((outer, inner))
    return inner[order], outer[order]


def _compatible(a: Doublets, b: Doublets, s: Settings) -> Bools:
    good = _in_reach(a, b, s)
    slack = np.hypot(s.scattering(), s.beam_offset_cm / b.r)
    apart = reduced(np.arctan2(b.y, b.x) - np.arctan2(a.y, a.x))
    angle = direction(a, b)
    good &= (np.abs(apart) < s.slope(b.r) + slack) & (np.abs(angle) < s.slope(b.r) + slack)
    bend = s.slope(np.hypot(b.x - a.x, b.y - a.y))
    own = (s.segment_resolution_cm / a.step_cm) ** 2, (s.segment_resolution_cm / b.step_cm) ** 2
    scattered = s.scattering() ** 2
    good &= np.abs(a.angle - angle) < bend + np.sqrt(own[0] + scattered + _luminous(a, s))
    good &= np.abs(b.angle - angle) < bend + np.sqrt(own[1] + scattered + _luminous(b, s))
    good &= np.abs(a.angle - b.angle) < bend + np.sqrt(own[0] + own[1] + scattered)
    return good


def _luminous(md: Doublets, s: Settings) -> Floats:
    """Square of how wrong a bend may be because the track does not come from z = 0; discs only."""
    return np.where(md.layer >= BARREL_LAYERS, (md.angle * s.luminous_cm / md.z) ** 2, 0.0)


def triplets(md: Doublets, inner: Ints, outer: Ints, s: Settings) -> tuple[Ints, Ints]:
    """Inner and outer segment of each triplet, in order of them."""
    first = np.searchsorted(inner, outer, side="left")
    count = np.searchsorted(inner, outer, side="right") - first
    one = np.repeat(np.arange(len(inner)), count)
    other = np.repeat(first, count) + np.arange(len(one)) - np.repeat(np.cumsum(count) - count, count)
    a, b, c = md[inner[one]], md[outer[one]], md[outer[other]]
    chord_ab, chord_ac = np.hypot(b.x - a.x, b.y - a.y), np.hypot(c.x - a.x, c.y - a.y)
    bend = direction(a, b) - direction(a, c)
    with np.errstate(divide="ignore", invalid="ignore"):
        good = (
            np.abs(bend) < s.slope(np.maximum(chord_ac - chord_ab, 0.0)) + s.segment_resolution_cm / chord_ab
        )
    good &= _straight(a, b, c, s)
    return one[good], other[good]


def _straight(a: Doublets, b: Doublets, c: Doublets, s: Settings) -> Bools:
    """Whether three points lie on a line of z against the path across the beam."""
    curvature, (_, ab, ac) = arcs([a.x, b.x, c.x], [a.y, b.y, c.y])
    bc = ac - ab
    miss = (b.z - a.z) * ac - (c.z - a.z) * ab
    # a point may lie elsewhere along its cell, in z and in r alike
    shift = [(bc, c.z - b.z, a), (ac, c.z - a.z, b), (ab, b.z - a.z, c)]
    variance = np.zeros(len(ab))
    for by_z, by_s, point in shift:
        variance += (np.abs(by_z) * point.along_z + np.abs(by_s) * point.along_r) ** 2 / 3
    slope = (c.z - a.z) / ac
    scattered = s.module_scattering_gev * np.abs(curvature) / s.bend * np.sqrt(1 + slope**2) * ab * bc
    return miss**2 < s.rz_sigmas**2 * (variance + scattered**2)
