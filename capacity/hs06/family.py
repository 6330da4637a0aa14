"""What a processor without a published score should reach, from its micro-architecture, cores, SMT, clock and caches.

A linear model of ln(HS23 per physical core of the fully loaded node), fitted by ridge regression whose penalties are
prior widths (equal to the posterior mean of a Gaussian model), with outliers weighted down as by a Student t of four degrees
of freedom. A micro-architecture is its parent plus a step, so that a generation with few or no rows borrows from its
neighbours, and its prediction is as much wider. HS06 rows take part with an offset per table and per micro-architecture.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from capacity.hs06 import design, processors
from capacity.hs06.design import Typical, Vector
from capacity.hs06.model import CpuDescription, Method, Rung
from capacity.hs06.rows import Row

_FREEDOM = 4.0
"""Of the Student t by which outliers are weighted down."""

_SELF_DOUBT = 3.0
"""Factor on the variance of the coefficients. Their covariance takes all families to scatter alike; left out one by one, models
of families with five configurations or fewer miss by 1.4 of their sigmas without it, by 1.1 with it."""


class Prediction(NamedTuple):
    """A logarithm of a score and its standard deviation."""

    log_score: float
    sigma: float


class _Normal(NamedTuple):
    """The weighted normal equations of the fit, and what each model contributes to them."""

    precision: Vector
    moment: Vector
    of_model: dict[str, tuple[Vector, Vector, int]]


class FamilyModel:
    """The fitted model. Make it with `fit`; it does not change, and its answers depend on nothing else."""

    def __init__(
        self, columns: dict[str, int], normal: _Normal, typical: Typical, configurations: int
    ) -> None:
        self._columns = columns
        self._normal = normal
        self._typical = typical
        self._without: dict[str, FamilyModel] = {}
        self.configurations = configurations
        self._covariance = np.linalg.inv(normal.precision)
        self._beta: Vector = self._covariance @ normal.moment

    @classmethod
    def fit(cls, rows: Iterable[Row]) -> FamilyModel:
        """Fit to the rows that are not left out.

        Raises:
            ValueError: no row names a known micro-architecture with its physical cores and SMT state.
        """
        cases = design.cases(rows)
        if not cases:
            raise ValueError(
                "no row of the table has a known micro-architecture, its cores and its SMT state"
            )
        typical = design.typical_of(cases)
        columns = {name: place for place, name in enumerate(design.columns_of(cases))}
        matrix = np.array([design.line_of(case, columns, typical)[0] for case in cases])
        score = np.array([case.log_score + math.log(design.ratio(case.table)) for case in cases])
        noise = np.array(
            [design.MODEL_SIGMA if case.table == "HS23" else design.HS06_SIGMA for case in cases]
        )
        prior = np.diag([1.0 / design.width(name) ** 2 for name in columns])
        weight = 1.0 / noise**2
        for _ in range(12):
            beta = np.linalg.solve(prior + matrix.T @ (weight[:, None] * matrix), matrix.T @ (weight * score))
            weight = (_FREEDOM + 1) / (_FREEDOM + ((score - matrix @ beta) / noise) ** 2) / noise**2
        parts: dict[str, tuple[Vector, Vector, int]] = {}
        for case, line, w, y in zip(cases, matrix, weight, score, strict=True):
            precision, moment, n = parts.get(case.silicon, (np.zeros_like(prior), np.zeros(len(columns)), 0))
            parts[case.silicon] = precision + w * np.outer(line, line), moment + w * y * line, n + 1
        normal = _Normal(prior + matrix.T @ (weight[:, None] * matrix), matrix.T @ (weight * score), parts)
        return cls(columns, normal, typical, len(cases))

    def without(self, key: str) -> FamilyModel:
        """The same fit as if no row of this model (or its siblings of the same silicon) had been in the table."""
        silicon = processors.silicon_of(key)
        if silicon not in self._normal.of_model:
            return self
        if silicon not in self._without:
            precision, moment, n = self._normal.of_model[silicon]
            rest = _Normal(self._normal.precision - precision, self._normal.moment - moment, {})
            self._without[silicon] = FamilyModel(self._columns, rest, self._typical, self.configurations - n)
        return self._without[silicon]

    def of_core(self, cpu: CpuDescription, *, smt_on: bool) -> Prediction | None:
        """ln(HS23 per physical core) with SMT on or off; None for a stranger."""
        microarchitecture = processors.microarchitecture_of(cpu)
        if microarchitecture is None or processors.lineage(microarchitecture)[0] not in self._columns:
            return None
        case = design.asked(microarchitecture, cpu, smt_on=smt_on)
        line, unknown = design.line_of(case, self._columns, self._typical)
        # A generation between the table and this one adds a step that no row has seen.
        unseen = sum(a not in self._columns for a in processors.lineage(microarchitecture))
        slope = {name: float(self._beta[self._columns[name]]) for name in design.FEATURES}
        variance = _SELF_DOUBT * float(line @ self._covariance @ line) + design.MODEL_SIGMA**2
        variance += unseen * design.UNSEEN_SIGMA**2 + sum(
            (slope[name] * spread) ** 2 for name, spread in unknown.items()
        )
        return Prediction(float(line @ self._beta), math.sqrt(variance))

    def predict(self, cpu: CpuDescription) -> Rung:
        """The rung of the ladder, per logical CPU of the fully loaded node."""
        microarchitecture = processors.microarchitecture_of(cpu)
        name = cpu.model_name or "a processor without a name"
        both = [(smt, self.of_core(cpu, smt_on=smt)) for smt in processors.smt_states(cpu)]
        if any(one is None for _, one in both):
            why = f"{name} ({cpu.arch or 'architecture not known'}) is of no micro-architecture that the table has scores of"
            return Rung(method=Method.FAMILY, says="No family model for this processor.", reason=why)
        score, sigma = mixture(
            [(one.log_score - (math.log(2) if smt else 0.0), one.sigma) for smt, one in both if one]
        )
        features = design.features_of(cpu)
        clock = (
            f", {math.exp(features['clock']):.2f} GHz"
            if features["clock"] is not None
            else ", clock not known"
        )
        cores = (
            f", {math.exp(features['cores']):.0f} cores a package" if features["cores"] is not None else ""
        )
        cache = f", {math.exp(features['l3']):.1f} MiB of L3 a core" if features["l3"] is not None else ""
        state = " and ".join("on" if smt else "off" for smt, _ in both)
        return Rung(
            method=Method.FAMILY,
            hs23_per_core=math.exp(score),
            sigma=sigma,
            says=f"A {microarchitecture} processor{cores}{clock}{cache}, SMT {state}, reaches {math.exp(score):.1f} HS23 per CPU by the model of {self.configurations} configurations, give or take {100 * sigma:.0f} %.",
            inputs=(
                f"microarchitecture {microarchitecture}",
                f"{self.configurations} configurations of the table",
            ),
        )


def mixture(states: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Mean and standard deviation of equally likely (ln score, sigma): the gap between them is part of the sigma."""
    mean = sum(score for score, _ in states) / len(states)
    return mean, math.sqrt(sum(sigma**2 + (score - mean) ** 2 for score, sigma in states) / len(states))
