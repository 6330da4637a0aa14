"""Many synthetic fleets: is the truth within the stated interval as often as said?"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import NamedTuple

from capacity.hs06.calibrate import fit
from capacity.hs06.synthetic import Truth, make_fleet

NEW_FAMILIES = 6


class Case(NamedTuple):
    """A kind of fleet."""

    says: str
    families: int
    nodes: int
    outlier_share: float = 0.0
    missing_share: float = 0.0
    measured_share: float = 1.0


class Result(NamedTuple):
    """On families that were not fitted to; relative errors."""

    coverage: float
    rms: float
    mean_sigma: float
    nodes: int
    outliers: int
    outliers_named: int
    wrongly_named: int
    weight_pull: float


CASES = (
    Case("18 families, 4 nodes each", 18, 4),
    Case("12 families, 4 nodes each", 12, 4),
    Case("6 families, 4 nodes each", 6, 4),
    Case("12 families, 8 % outliers, 20 % of the kernels missing", 12, 4, 0.08, 0.2),
    Case("12 families, 6 nodes each, 30 % of them measured", 12, 6, measured_share=0.3),
    Case("3 families, 4 nodes each", 3, 4),
)


def study(case: Case, seeds: Iterable[int]) -> Result:
    """Fits to the first families of each fleet and asks for the others."""
    truth = Truth()
    errors: list[float] = []
    sigmas: list[float] = []
    pulls: list[float] = []
    outliers = named = wrongly = 0
    for seed in seeds:
        fleet = make_fleet(
            truth,
            families=case.families + NEW_FAMILIES,
            nodes=case.nodes,
            seed=seed,
            outlier_share=case.outlier_share,
            missing_share=case.missing_share,
            measured_share=case.measured_share,
        )
        known = case.families * case.nodes
        calibration = fit(fleet.pairs[:known], datetime(2026, 11, 23, tzinfo=UTC))
        broken = {pair.id for pair in fleet.pairs[:known]} & fleet.outliers
        found = {one.id for one in calibration.residuals if one.outlier}
        outliers, named, wrongly = (
            outliers + len(broken),
            named + len(broken & found),
            wrongly + len(found - broken),
        )
        pulls += [
            (term.weight - weight) / term.weight_sigma
            for term, weight in zip(calibration.terms, truth.weights, strict=True)
        ]
        for pair, true in zip(fleet.pairs[known:], fleet.true_hs23_per_core[known:], strict=True):
            rung = calibration.rung(pair.evidence, pair.expected)
            errors.append(math.log(rung.hs23_per_core / true))
            sigmas.append(rung.sigma)
    inside = sum(abs(error) <= sigma for error, sigma in zip(errors, sigmas, strict=True))
    return Result(
        inside / len(errors),
        math.sqrt(statistics.fmean(error * error for error in errors)),
        statistics.fmean(sigmas),
        len(errors),
        outliers,
        named,
        wrongly,
        statistics.stdev(pulls),
    )
