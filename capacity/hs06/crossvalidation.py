"""Leave one family out: what a calibration is worth on processors that it never saw."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.stats import t as student

from capacity.hs06.fitting import FLOOR, Design, Floats, Mask, Solution, solve

UNPROVEN = 0.146
"""Sigma of a fit to fewer than three families: a CPU's family alone tells as much without any measurement (benchmarks, d)."""
FAMILIES_TO_PROVE = 3
_ONE_SIGMA = 0.8413447460685429  # quantile of the upper end of a 68 % interval


@dataclass(frozen=True)
class HeldOut:
    """Predictions of nodes by fits that saw nothing of their family.

    Attributes:
        errors: (nodes,) ln(predicted / measured); NaN where nothing could be predicted.
        variances: (nodes,) of them, without the scatter of nodes around the fit.
    """

    errors: Floats
    variances: Floats


def leave_one_family_out(design: Design) -> HeldOut:
    """Fits once for each family of the measured nodes, without it, and predicts it.

    A fold that has no node left, or none with any kernel of the node asked for, predicts nothing there.
    """
    errors = np.full(len(design.targets), np.nan)
    variances = np.full(len(design.targets), np.nan)
    families = np.array(design.families, dtype=object)
    for family in sorted(set(families[~design.anchors])):
        inside = families == family
        if inside.all():
            continue
        trained = _fit_on(design.rows(~inside))
        if trained is None:
            continue
        kernels, solution = trained
        asked = inside & ~np.isnan(design.log_rates[:, kernels]).all(axis=1)
        if not asked.any():
            continue
        predicted, spread = solution.predict(design.log_rates[asked][:, kernels], design.smt[asked])
        errors[asked] = predicted - design.targets[asked]
        variances[asked] = spread + design.target_sigmas[asked] ** 2
    return HeldOut(errors, variances)


def _fit_on(rest: Design) -> tuple[Mask, Solution] | None:
    """A fit on what is left, with the kernels that were run there at all."""
    kernels: Mask = ~np.asarray(np.isnan(rest.log_rates).all(axis=0))
    some: Mask = ~np.asarray(np.isnan(rest.log_rates[:, kernels]).all(axis=1))
    if not kernels.any() or not some.any():
        return None
    rest = rest.rows(some)
    narrowed = Design(
        rest.log_rates[:, kernels], rest.targets, rest.target_sigmas, rest.smt, rest.families, rest.anchors
    )
    return kernels, solve(narrowed)


def sigma_of_new_family(design: Design, held_out: HeldOut, outliers: Mask) -> float:
    """The scatter that the held-out errors show, once what the fits themselves were unsure of is taken off.

    Families count alike. Of few families the mean square is itself unsure, so it is widened by Student's t. Fewer than
    `FAMILIES_TO_PROVE` prove nothing, and then it is at least `UNPROVEN`.
    """
    squares = [
        float(np.mean(held_out.errors[rows] ** 2 - held_out.variances[rows]))
        for rows in _by_family(design, held_out, outliers)
    ]
    seen = math.sqrt(max(float(np.mean(squares)), 0.0)) if squares else 0.0
    if len(squares) < FAMILIES_TO_PROVE:
        return max(seen, UNPROVEN)
    return max(seen * float(student.ppf(_ONE_SIGMA, len(squares))), FLOOR)


def _by_family(design: Design, held_out: HeldOut, outliers: Mask) -> Iterator[Mask]:
    families = np.array(design.families, dtype=object)
    counted = ~design.anchors & ~outliers & ~np.isnan(held_out.errors)
    for family in sorted(set(families[counted])):
        yield counted & (families == family)
