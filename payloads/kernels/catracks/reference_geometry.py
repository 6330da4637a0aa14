"""What the reference computes with: settings, hits with their modules, mini-doublets, circles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from payloads.arrays import Arrays, as_float64

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

BARREL_LAYERS = 6
DEFAULTS = {
    "field_t": 3.8,
    "min_pt_gev": 0.8,
    "luminous_cm": 15.0,
    "beam_offset_cm": 0.1,
    "pair_resolution_cm": 0.012,
    "segment_resolution_cm": 0.02,
    "scattering_gev": 0.012,
    "module_scattering_gev": 0.003,
    "extra_length_cm": 0.3,
    "rz_sigmas": 4.0,
    "max_chi2_bend": 10.0,
    "max_chi2_rz": 12.0,
    "least_shared_hits": 6.0,
    "least_common_hits": 8.0,
}


class Settings:
    """The kernel's parameters, by attribute."""

    def __init__(self, given: Mapping[str, float]) -> None:
        for name, value in {**DEFAULTS, **given}.items():
            setattr(self, name, float(value))
        self.bend = 0.00299792458 * self.field_t  # GeV per cm of radius

    def __getattr__(self, name: str) -> float:
        raise AttributeError(name)

    def slope(self, length_cm: Floats) -> Floats:
        """Angle between chord and tangent of a track of the least momentum after a chord of this length."""
        return np.arcsin(np.minimum(0.5 * length_cm * self.bend / self.min_pt_gev, 0.95))

    def scattering(self) -> float:
        """Angle of multiple scattering in a module at the least momentum."""
        return self.scattering_gev / self.min_pt_gev


@dataclass
class Doublets:
    """Mini-doublets, one entry each; the point is that of the lower hit."""

    lower: Ints
    upper: Ints
    layer: Ints
    x: Floats
    y: Floats
    z: Floats
    r: Floats
    angle: Floats  # between its direction and the radius, as seen along the beam
    step_cm: Floats  # its length across the beam
    along_x: Floats  # half a cell's length, as a vector
    along_y: Floats
    along_z: Floats
    has_pixels: Bools

    @property
    def along_r(self) -> Floats:
        """Half a cell's length across the beam."""
        return np.hypot(self.along_x, self.along_y)

    def __getitem__(self, which: Ints) -> Doublets:
        return Doublets(*(getattr(self, name)[which] for name in self.__dataclass_fields__))


def mini_doublets(event: Arrays, s: Settings) -> Doublets:
    """All pairs of a lower and an upper hit of a module whose bend belongs to pT above the least."""
    module = np.asarray(event["hit_module"], dtype=np.int64)
    sensor = np.asarray(event["hit_sensor"])
    point = np.stack([as_float64(event[f"hit_{axis}"]) for axis in "xyz"], axis=1)
    rotation = as_float64(event["module_rotation"]).reshape(-1, 3, 3)
    lowers, uppers = np.nonzero(sensor == 0)[0], np.nonzero(sensor == 1)[0]
    first = np.searchsorted(module[uppers], module[lowers], side="left")
    last = np.searchsorted(module[uppers], module[lowers], side="right")
    lower = np.repeat(lowers, last - first)
    within = np.arange(len(lower)) - np.repeat(np.cumsum(last - first) - (last - first), last - first)
    upper = uppers[np.repeat(first, last - first) + within] if len(lower) else lower
    m = module[lower]
    ex, ey, normal = (rotation[m, k] for k in range(3))
    p, q = point[lower], point[upper]
    gap = as_float64(event["module_gap"])[m]
    pixels = np.asarray(event["module_has_pixels"])[m] != 0
    # the line from the origin through the lower hit, at the upper sensor
    part = gap / (p * normal).sum(axis=1)
    r = np.hypot(p[:, 0], p[:, 1])
    across = (p * ex).sum(axis=1)
    apart = q - p * (1 + part[:, None])
    bend, along = (apart * ex).sum(axis=1), (apart * ey).sum(axis=1)
    radial = p[:, 0] * ex[:, 1] - p[:, 1] * ex[:, 0]  # ex is the tangent at the module's middle
    angle = np.arctan2(bend * radial, part * r**2 + bend * across)
    step = part * r
    luminous = angle * s.luminous_cm * np.abs(normal[:, 2]) / (p * normal).sum(axis=1)
    slack = np.sqrt(
        s.scattering() ** 2 + (s.beam_offset_cm / r) ** 2 + luminous**2 + (s.pair_resolution_cm / step) ** 2
    )
    good = (np.abs(along) < np.where(pixels, 1.6, 5.3)) & (np.abs(angle) < s.slope(r) + slack)
    half = np.where(pixels, 0.07335, 2.5125)
    layer = np.asarray(event["module_layer"], dtype=np.int64)[m]
    return Doublets(
        lower, upper, layer, p[:, 0], p[:, 1], p[:, 2], r, angle, step,
        half * ey[:, 0], half * ey[:, 1], half * np.abs(ey[:, 2]), pixels,
    )[np.nonzero(good)[0]]  # fmt: skip


def reduced(angle: Floats) -> Floats:
    """The same angle within half a turn."""
    return (angle + np.pi) % (2 * np.pi) - np.pi


def direction(inner: Doublets, outer: Doublets) -> Floats:
    """Angle between the line from one mini-doublet to another and the radius at the inner one.

    Towards a disc, where either has strips, the outer radius is not known: a line from the origin says it.
    """
    cross = inner.x * outer.y - inner.y * outer.x
    dot = inner.x * outer.x + inner.y * outer.y
    by_z = (outer.layer >= BARREL_LAYERS) & ~(inner.has_pixels & outer.has_pixels)
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = np.where(by_z, inner.r * outer.z / (inner.z * outer.r), 1.0)
    return np.arctan2(cross * scale, dot * scale - inner.r**2)


def arcs(x: list[Floats], y: list[Floats]) -> tuple[Floats, list[Floats]]:
    """The circle through the first, middle and last of some points.

    Returns:
        Its curvature (1/cm, positive if it turns left), and how far along it each point is from the first (cm).
    """
    n = len(x)
    dx, dy = x[-1] - x[0], y[-1] - y[0]
    chord = np.hypot(dx, dy)
    across = ((x[n // 2] - x[0]) * -dy + (y[n // 2] - y[0]) * dx) / chord
    along = ((x[n // 2] - x[0]) * dx + (y[n // 2] - y[0]) * dy) / chord
    with np.errstate(divide="ignore", invalid="ignore"):
        w = across / (along**2 + across**2 - chord * along)
    curvature = 2 * w / np.sqrt(1 + (w * chord) ** 2)
    lengths = []
    for k in range(n):
        d = np.hypot(x[k] - x[0], y[k] - y[0])
        half = np.minimum(np.abs(0.5 * curvature * d), 1.0)
        lengths.append(d * np.where(half > 1e-3, np.arcsin(half) / np.maximum(half, 1e-3), 1 + half**2 / 6))
    return curvature, lengths
