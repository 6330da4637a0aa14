"""Several opinions on one score, as one: precision-weighted mean of the logarithms."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

WIDEST = 5.0
"""Sigma beyond which a figure says nothing at all: a factor of 150 either way."""


class Opinion(NamedTuple):
    """One independent statement on the score.

    Attributes:
        name: for the derivation.
        score: HS23 per CPU.
        sigma: standard deviation of ln(score).
    """

    name: str
    score: float
    sigma: float


class Combined(NamedTuple):
    """The mean of opinions.

    Attributes:
        score: HS23 per CPU.
        sigma: standard deviation of ln(score).
        weights: share of each opinion, in their order; they add up to 1.
        stretch: ≥ 1, by how much the sigma was widened because the opinions contradict one another.
    """

    score: float
    sigma: float
    weights: tuple[float, ...]
    stretch: float


def combine(opinions: Sequence[Opinion], floor: float = 0.0) -> Combined:
    """Combine independent opinions; correlated ones (two readings of one table) must not both be given.

    Where they disagree by more than their sigmas allow, the sigma is stretched by sqrt(chi² / (n - 1)), as the Particle Data
    Group does with contradicting measurements (PDG, Review of Particle Physics, Introduction, "Unconstrained averaging").

    Args:
        opinions: at least one; sigmas above 0.
        floor: the least sigma that the result may claim.

    Raises:
        ValueError: there is no opinion, or one has no positive finite score or sigma.
    """
    if not opinions:
        raise ValueError("nothing to combine: no opinion was given")
    for one in opinions:
        if not (0 < one.score < math.inf and 0 < one.sigma < math.inf):
            raise ValueError(
                f"{one.name}: score and sigma must be positive and finite, not {one.score!r}, {one.sigma!r}"
            )
    if len(opinions) == 1:
        return Combined(opinions[0].score, max(floor, opinions[0].sigma), (1.0,), 1.0)
    precisions = [1 / one.sigma**2 for one in opinions]
    total = math.fsum(precisions)
    mean = math.fsum(p * math.log(one.score) for p, one in zip(precisions, opinions, strict=True)) / total
    chi2 = math.fsum(((math.log(one.score) - mean) / one.sigma) ** 2 for one in opinions)
    stretch = max(1.0, math.sqrt(chi2 / (len(opinions) - 1)))
    sigma = min(max(floor, stretch / math.sqrt(total)), WIDEST)
    return Combined(math.exp(mean), sigma, tuple(p / total for p in precisions), stretch)


def widen(sigma: float, by: float) -> float:
    """Two independent spreads together, at most `WIDEST`."""
    return min(math.hypot(sigma, by), WIDEST)
