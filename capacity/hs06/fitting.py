"""The arithmetic of a calibration: ln(HS23 per core) = intercept + sum of weight × ln(throughput per loaded CPU).

A bounded, robust, regularised least-squares fit; pure numbers, no documents. What is assumed, and where it comes from:

* HS23 follows the clock within 4 % (thread and frequency scan of one node), so doubling every throughput doubles the score:
  the weights sum to 1 within `SUM_SIGMA`.
* Before there is data every kernel counts alike: the geometric mean of unlike kernels is what misses least.
* SMT divides a core between threads, and kernels gain from it differently (1.03-1.41 in the HS23 table). That difference
  has a coefficient of its own, so that it does not pass for a weight.
* Nodes of one family tell much the same: together they count as at most `1 / FAMILY_CORRELATION` nodes.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import lsq_linear

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

SUM_SIGMA = 0.05
"""Of the sum of the weights around 1; origin: 9.9, 13.1, 18.4 HS23 per thread at 1.5, 2.0, 2.7 GHz."""
WEIGHT_SIGMA = 0.25
"""Of each weight around 1/kernels: ten families at 6 % bring as much information as this prior."""
SMT_SIGMA = 0.07
"""Of ln(gain of HS23 by SMT / gain of the kernels); origin: scatter of the gain over 30 pairs of the HS23 table."""
SCATTER = 0.08
"""Of one kernel's ln throughput around the speed of its node; origin: rms of seven HEP workloads over eight classes."""
SCATTER_NODES = 4
"""As many nodes as `SCATTER` counts for beside those that were seen."""
FAMILY_CORRELATION = 0.5
"""Of the errors of two measured nodes of one family."""
HUBER = 1.345
"""Residuals beyond as many sigmas count linearly: 95 % efficient where there are no outliers."""
OUTLIER_SIGMAS = 3.5
"""Residuals beyond are named and do not count (Iglewicz and Hoaglin's limit)."""
FLOOR = 0.04
"""No fit says more than the references themselves: about 4 % against HS23."""

_START_SIGMA = 0.10
_MOST_SIGMA = 0.5
_ROUNDS = 40
_ROUNDS_OF_SCALE = 8
_REJECTIONS = 3


@dataclass(frozen=True)
class Design:
    """What is fitted to, one row a node.

    Attributes:
        log_rates: (nodes, kernels) ln(events/s per loaded CPU); NaN = the kernel was not run there.
        targets: (nodes,) ln(HS23 per core).
        target_sigmas: (nodes,) of the targets.
        smt: (nodes,) +0.5 with SMT on, -0.5 off, 0 where it is not known.
        families: (nodes,) name of the CPU family.
        anchors: (nodes,) whether the target is only an expectation of the catalogue, not measured.
    """

    log_rates: Floats
    targets: Floats
    target_sigmas: Floats
    smt: Floats
    families: tuple[str, ...]
    anchors: Mask

    def rows(self, which: Mask) -> Design:
        """Some of the nodes."""
        return Design(
            self.log_rates[which],
            self.targets[which],
            self.target_sigmas[which],
            self.smt[which],
            tuple(name for name, taken in zip(self.families, which, strict=True) if taken),
            self.anchors[which],
        )


@dataclass(frozen=True)
class Levels:
    """How fast each kernel is on a node of speed 1, and how it scatters around the speed of nodes.

    Attributes:
        references: (kernels,) ln(events/s per loaded CPU) at the reference point.
        scatters: (kernels,) sigma of ln throughput around the speed of its node.
    """

    references: Floats
    scatters: Floats

    def complete(self, log_rates: Floats) -> tuple[Floats, Floats, Floats]:
        """Relative rates with the missing ones filled in from those that are there.

        Args:
            log_rates: (nodes, kernels), NaN = missing; each node has at least one.

        Returns:
            (nodes, kernels) ln of rates over the references; (nodes, kernels) 1 where filled in, else 0;
            (nodes,) variance of the speed that they were filled in from.
        """
        relative = log_rates - self.references
        missing = np.isnan(relative)
        precision = np.where(missing, 0.0, 1 / self.scatters**2)
        total = precision.sum(axis=1)
        speed = np.where(missing, 0.0, relative * precision).sum(axis=1) / total
        return np.where(missing, speed[:, None], relative), missing.astype(np.float64), 1 / total


@dataclass(frozen=True)
class Solution:
    """A fitted model.

    Attributes:
        levels: of the kernels.
        coefficients: (1 + kernels + 1,) intercept at the reference point, weights (≥ 0, no unit), SMT.
        covariance: (coefficients, coefficients) of them.
        sigma: scatter of the nodes around the fit.
        outliers: (nodes,) true where the node did not count.
    """

    levels: Levels
    coefficients: Floats
    covariance: Floats
    sigma: float
    outliers: Mask

    def predict(self, log_rates: Floats, smt: Floats) -> tuple[Floats, Floats]:
        """ln(HS23 per core) of nodes and its variance, without the scatter of nodes around the fit.

        Args:
            log_rates: (nodes, kernels), NaN = missing.
            smt: (nodes,), see `Design`.
        """
        relative, filled, speed_variance = self.levels.complete(log_rates)
        features = _features(relative, smt)
        weights = self.coefficients[1:-1]
        spread = (filled * (weights * self.levels.scatters) ** 2).sum(axis=1)
        spread += (filled * weights).sum(axis=1) ** 2 * speed_variance
        known = np.einsum("ij,jk,ik->i", features, self.covariance, features)
        return features @ self.coefficients, known + spread


def solve(design: Design) -> Solution:
    """Fits the model.

    Outliers are found one round after the other: fit, name those beyond `OUTLIER_SIGMAS`, fit without them.

    Args:
        design: at least one node with at least one rate.

    Raises:
        ValueError: a node has no rate at all, or there is none.
    """
    if not len(design.targets) or np.isnan(design.log_rates).all(axis=1).any():
        raise ValueError("every node of a fit needs a target and at least one rate")
    outliers = np.zeros(len(design.targets), dtype=np.bool_)
    found = _fit(design, outliers)
    for _ in range(_REJECTIONS):
        predicted, unsure = found.predict(design.log_rates, design.smt)
        scale = np.sqrt(found.sigma**2 + design.target_sigmas**2 + unsure)
        beyond = np.abs(design.targets - predicted) > OUTLIER_SIGMAS * scale
        # A fit from which most was taken away stands on nothing: then all of it counts.
        if (beyond == outliers).all() or beyond.sum() * 3 > len(beyond):
            break
        outliers = beyond
        found = _fit(design, outliers)
    return found


def _fit(whole: Design, outliers: Mask) -> Solution:
    design = whole.rows(~outliers)
    levels = kernel_levels(design.log_rates)
    relative, filled, speed_variance = levels.complete(design.log_rates)
    features = _features(relative, design.smt)
    kernels = relative.shape[1]
    prior_rows, prior_targets = _priors(kernels)
    shares = _shares(design)
    lowest = np.full(kernels + 2, -np.inf)
    lowest[1:-1] = 0.0
    sigma = _START_SIGMA
    robust = np.ones(len(shares))
    coefficients = np.zeros(kernels + 2)
    matrix = prior_rows
    for turn in range(_ROUNDS):
        weights = coefficients[1:-1]
        spread = (filled * (weights * levels.scatters) ** 2).sum(axis=1)
        spread += (filled * weights).sum(axis=1) ** 2 * speed_variance
        scale = np.sqrt((sigma**2 + design.target_sigmas**2 + spread) / shares)
        row = np.sqrt(robust) / scale
        matrix = np.vstack([features * row[:, None], prior_rows])
        found = lsq_linear(
            matrix,
            np.concatenate([design.targets * row, prior_targets]),
            bounds=(lowest, np.inf),
            method="bvls",
        )
        residuals = design.targets - features @ found.x
        step = float(np.abs(found.x - coefficients).max())
        coefficients = found.x
        # A median jumps from node to node: held fast after a while, or the weights never come to rest.
        if turn < _ROUNDS_OF_SCALE:
            sigma = _scatter(residuals, design.target_sigmas, shares)
        distance = np.abs(residuals) / np.sqrt(sigma**2 + design.target_sigmas**2)
        robust = np.minimum(1.0, HUBER / np.maximum(distance, 1e-9))
        if step < 1e-7:
            break
    covariance: Floats = np.linalg.inv(matrix.T @ matrix).astype(np.float64)
    return Solution(levels, coefficients, covariance, sigma, outliers)


def kernel_levels(log_rates: Floats) -> Levels:
    """Median polish: rate = speed of the node × level of the kernel, in logarithms; robust and fit for gaps.

    Args:
        log_rates: (nodes, kernels), NaN = missing.
    """
    nodes, kernels = log_rates.shape
    references = np.array([np.median(column[~np.isnan(column)]) for column in log_rates.T])
    speeds = np.zeros(nodes)
    for _ in range(_ROUNDS):
        speeds = np.nanmedian(log_rates - references, axis=1)
        speeds -= np.median(speeds)
        update = np.nanmedian(log_rates - speeds[:, None], axis=0)
        step = float(np.abs(update - references).max())
        references = update
        if step < 1e-9:
            break
    seen = (~np.isnan(log_rates)).sum(axis=0)
    spread = np.full(kernels, SCATTER)
    several = (~np.isnan(log_rates)).sum(axis=1) > 1
    if several.any():
        relative = (log_rates - references)[several]
        left = relative - np.nanmean(relative, axis=1)[:, None]
        left *= np.sqrt(kernels / (kernels - 1))  # the mean takes its share of each kernel's scatter
        seen = (~np.isnan(left)).sum(axis=0)
        for kernel in np.flatnonzero(seen):
            low, high = np.nanquantile(left[:, kernel], (0.16, 0.84))
            spread[kernel] = (high - low) / 2
    scatters = np.sqrt((SCATTER_NODES * SCATTER**2 + seen * spread**2) / (SCATTER_NODES + seen))
    return Levels(references, scatters)


def _features(relative: Floats, smt: Floats) -> Floats:
    return np.column_stack([np.ones(len(relative)), relative, smt])


def _priors(kernels: int) -> tuple[Floats, Floats]:
    """Rows that say what is believed before there is data: each weight, their sum, the effect of SMT."""
    rows = np.zeros((kernels + 2, kernels + 2))
    targets = np.zeros(kernels + 2)
    for kernel in range(kernels):
        rows[kernel, 1 + kernel] = 1 / WEIGHT_SIGMA
        targets[kernel] = 1 / kernels / WEIGHT_SIGMA
    rows[kernels, 1:-1] = 1 / SUM_SIGMA
    targets[kernels] = 1 / SUM_SIGMA
    rows[kernels + 1, -1] = 1 / SMT_SIGMA
    return rows, targets


def _shares(design: Design) -> Floats:
    """What each node counts: measured nodes of a family share a part of their error, expectations all of it."""
    keys = list(zip(design.families, design.anchors.tolist(), strict=True))
    nodes = Counter(keys)
    return np.array(
        [
            1 / (1 + (1.0 if anchor else FAMILY_CORRELATION) * (nodes[family, anchor] - 1))
            for family, anchor in keys
        ]
    )


def _scatter(residuals: Floats, target_sigmas: Floats, shares: Floats) -> float:
    """Of the nodes around the fit, robustly; families count alike, never below the floor."""
    order = np.argsort(np.abs(residuals))
    counted = np.cumsum(shares[order])
    middle = int(np.searchsorted(counted, counted[-1] / 2))
    seen = 1.4826 * abs(float(residuals[order[middle]]))
    expected = float(np.median(target_sigmas))
    return float(np.clip(np.sqrt(max(seen**2 - expected**2, 0.0)), FLOOR, _MOST_SIGMA))
