"""Track building as mkfit should do it, in double precision: every candidate against every hit of a layer.

The rules are mkFit's (README.md): five candidates a seed, holes, scores, overlaps. How states travel shares nothing with
the C++: Newton's method on helices and Jacobians by differences, hits without bins or windows but for a generous one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from payloads.arrays import Array, Arrays, as_float64
from payloads.kernels.mkfit.reference_fit import (
    BENDING,
    after_loss,
    direction,
    scattering_angle2,
    turned,
)

Float = npt.NDArray[np.float64]
Bool = npt.NDArray[np.bool_]

_STEPS = np.array([1e-4, 1e-4, 1e-4, 1e-5, 1e-6, 1e-6])  # of the differences: cm, 1/GeV, rad
NEAR_CM, LARGEST_HALF_TANGENT = 3.0, 0.4
OUTSIDE, EDGE, INSIDE = 0, 1, 2


@dataclass(frozen=True)
class Candidate:
    """A seed's hypothesis: state (7), covariance (6, 6) of the first six, hits beyond the seed, holes."""

    state: Float
    covariance: Float
    hits: tuple[int, ...]
    count: int  # of hits with the seed's
    inner: int = 0
    tail: int = 0
    chi2: float = 0.0

    def with_hit(self, hit: int, chi2: float) -> Candidate:
        """The same with a hit more; its state is still to be updated."""
        return replace(
            self,
            hits=(*self.hits, hit),
            count=self.count + 1,
            inner=self.inner + self.tail,
            tail=0,
            chi2=self.chi2 + chi2,
        )

    def score(self, inverse_pt: float) -> float:
        """Score of mkFit while candidates are sought."""
        bonus, penalty = 4 + 0.2 * self.count, 8.0
        if inverse_pt > 1 / 0.9:
            bonus, penalty = min(0.9 * bonus, 8.0), 1.7 * penalty
        return bonus * self.count - penalty * self.inner - 3 * self.tail - self.chi2


def travel(states: Float, covariances: Float, place: Float, *, is_disc: bool) -> tuple[Float, Float, Bool]:
    """States (n, 7) and covariances (n, 6, 6) where they cross discs at z or cylinders of radius ``place`` (n)."""
    offsets = np.zeros((13, 7))
    offsets[1:7, :6], offsets[7:, :6] = np.diag(_STEPS), -np.diag(_STEPS)
    points = states[:, None] + offsets
    goal = place[:, None]

    def miss(at: Float) -> tuple[Float, Float]:
        if is_disc:
            return at[..., 2] - goal, 1 / np.tan(at[..., 5])
        slope = at[..., 0] * np.cos(at[..., 4]) + at[..., 1] * np.sin(at[..., 4])
        return at[..., 0] ** 2 + at[..., 1] ** 2 - goal**2, 2 * slope

    value, slope = miss(points)
    # along a straight line first
    path = (
        -value / slope if is_disc else -value / (slope / 2 + np.sqrt(np.maximum(slope**2 / 4 - value, 1e-12)))
    )
    for _ in range(6):
        value, slope = miss(turned(points, np.clip(path, -1e3, 1e3)))
        path = path - value / slope
    moved = turned(points, np.clip(path, -1e3, 1e3))
    half = np.abs(np.tan(0.5 * BENDING * states[:, 3] * path[:, 0]))
    reached = (np.abs(miss(moved)[0][:, 0]) < 1e-5) & (half < LARGEST_HALF_TANGENT)
    jacobian = np.swapaxes((moved[:, 1:7, :6] - moved[:, 7:, :6]) / (2 * _STEPS[:, None]), 1, 2)
    return moved[:, 0], jacobian @ covariances @ np.swapaxes(jacobian, 1, 2), reached


def axes(points: Float, *, is_disc: bool) -> tuple[Float, Float]:
    """Unit vectors t and l (n, 3) of measurements at these points."""
    u = points[:, :2] / np.hypot(points[:, 0], points[:, 1])[:, None]
    zero = np.zeros(len(points))
    across = np.stack([-u[:, 1], u[:, 0], zero], axis=1)
    outwards = np.stack([u[:, 0], u[:, 1], zero], axis=1)
    return across, outwards if is_disc else np.tile([0.0, 0.0, 1.0], (len(points), 1))


class Layer:
    """One layer and its hits."""

    def __init__(self, event: Arrays, index: int) -> None:
        self.index = index
        self.is_disc = bool(event["layer_is_disc"][index])
        names = ("position", "low", "high", "hole_low", "hole_high", "stagger", "radiation_lengths")
        value = {name: float(event[f"layer_{name}"][index]) for name in names}
        self.position, self.low, self.high = value["position"], value["low"], value["high"]
        self.hole = value["hole_low"], value["hole_high"]
        self.stagger, self.lengths = value["stagger"], value["radiation_lengths"]
        self.hits = np.flatnonzero(np.asarray(event["hit_layer"]) == index)
        self.points = np.stack([as_float64(event[f"hit_{axis}"])[self.hits] for axis in "xyz"], axis=1)
        tt, tl, ll = (as_float64(event[f"hit_covariance_{name}"])[self.hits] for name in ("tt", "tl", "ll"))
        self.noise = np.stack([tt, tl, tl, ll], axis=1).reshape(-1, 2, 2)
        radius = np.hypot(self.points[:, 0], self.points[:, 1])
        self.depth = self.points[:, 2] if self.is_disc else radius
        self.along = radius if self.is_disc else self.points[:, 2]
        self.phi = np.arctan2(self.points[:, 1], self.points[:, 0])

    def along_of(self, states: Float) -> Float:
        """Place of states along the layer: radius on a disc, z on a cylinder."""
        place: Float = np.hypot(states[:, 0], states[:, 1]) if self.is_disc else states[:, 2]
        return place

    def cross(self, states: Float, covariances: Float) -> tuple[Float, Float, Array, Array]:
        """States behind the layer's material, whether sensors are crossed, and (candidate, hit) pairs that may fit."""
        place = np.full(len(states), self.position)
        states, covariances, reached = travel(states, covariances, place, is_disc=self.is_disc)
        normal = np.zeros((len(states), 3))
        u = states[:, :2] / np.hypot(states[:, 0], states[:, 1])[:, None]
        normal[:, 2 if self.is_disc else 0] = 1.0
        if not self.is_disc:
            normal[:, :2] = u
        way = direction(states)
        through = (way * normal).sum(axis=1)
        x = self.lengths / np.maximum(np.abs(through * np.sin(states[:, 5])), 0.1)
        kick = np.zeros_like(states[:, :6])
        kick[:, 3], kick[:, 5] = -states[:, 3] / np.tan(states[:, 5]), 1.0
        angle2 = scattering_angle2(states, x)
        covariances = covariances + angle2[:, None, None] * kick[:, :, None] * kick[:, None, :]
        covariances[:, 4, 4] += angle2 / np.sin(states[:, 5]) ** 2
        # how far off a sensor of a staggered layer is met
        t, along = axes(states, is_disc=self.is_disc)
        slack = self.stagger / np.maximum(np.abs(through), 0.05)
        slack_t, slack_l = (slack * np.abs((way * axis).sum(axis=1)) for axis in (t, along))
        spread_t, spread_l = (
            np.einsum("ni,nij,nj->n", axis, covariances[:, :3, :3], axis) for axis in (t, along)
        )
        where, border = self.along_of(states), 3 * np.sqrt(spread_l) + slack_l + 0.1
        low, high = self.hole
        away = (where < self.low - border) | (where > self.high + border)
        away |= (where > low + border) & (where < high - border)
        within = (where > self.low + border) & (where < self.high - border)
        within &= (where < low - border) | (where > high + border)
        status = np.where(away | ~reached, OUTSIDE, np.where(within, INSIDE, EDGE))
        most = self.noise.max(axis=0) if len(self.hits) else np.zeros((2, 2))
        reach_t = np.sqrt(30 * (spread_t + most[0, 0])) + slack_t + 0.5
        reach_l = np.sqrt(30 * (spread_l + most[1, 1])) + slack_l + 0.5
        angle = np.abs((self.phi - np.arctan2(u[:, 1], u[:, 0])[:, None] + np.pi) % (2 * np.pi) - np.pi)
        near = (angle * np.hypot(states[:, 0], states[:, 1])[:, None] < reach_t[:, None]) & (
            np.abs(self.along - where[:, None]) < reach_l[:, None]
        )
        pairs = np.argwhere(near & (status != OUTSIDE)[:, None])
        return after_loss(states, x, 1.0), covariances, status, pairs

    def update(self, states: Float, covariances: Float, hits: Array) -> tuple[Float, Float, Float]:
        """States with a hit each (index within the layer): new states, covariances and chi2 (inf: not reached)."""
        states, covariances, reached = travel(states, covariances, self.depth[hits], is_disc=self.is_disc)
        h = np.zeros((len(hits), 2, 6))
        h[:, 0, :3], h[:, 1, :3] = axes(self.points[hits], is_disc=self.is_disc)
        residual = np.einsum("nij,nj->ni", h[:, :, :3], self.points[hits] - states[:, :3])
        coupling = covariances @ np.swapaxes(h, 1, 2)
        inverse = np.linalg.inv(h @ coupling + self.noise[hits])
        gain = coupling @ inverse
        chi2 = np.einsum("ni,nij,nj->n", residual, inverse, residual)
        new = states.copy()
        new[:, :6] += np.einsum("nij,nj->ni", gain, residual)
        new[:, 3] = np.maximum(new[:, 3], 1e-4)
        return new, covariances - gain @ np.swapaxes(coupling, 1, 2), np.where(reached, chi2, np.inf)
