"""From nodes with payload scores to a `Calibration`: which nodes may be fitted to, the fit, its proof, its document."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import numpy as np

from capacity.errors import BadInputError
from capacity.hs06.calibration import (
    FLOOR_OF_HS06,
    Calibration,
    FamilyError,
    Input,
    KernelTerm,
    LeftOut,
    Residual,
    digest_of,
    family_of,
    plausible,
    version_of,
)
from capacity.hs06.crossvalidation import HeldOut, leave_one_family_out, sigma_of_new_family
from capacity.hs06.estimate import Estimator
from capacity.hs06.fitting import FLOOR, Design, Solution, solve
from capacity.hs06.model import MeasuredScore, NodeEvidence, Part, Rung
from capacity.hs06.rates import DISTURBED_SHARE, Rates, rates_of, smt_code

MAX_PAIRS = 20_000
"""Nodes in one fit; beyond, the document would outgrow what is read."""
LEAST_ANCHOR_SIGMA = 0.08
"""Of an expectation by name, however sure it says it is: the leave-one-model-out bar of the family model."""
_SAME_LOAD = 0.02


class Pair(Part):
    """One node that may be fitted to.

    A node with a full HS23 or HS06 run in its evidence is measured; one without is an anchor: its expectation by name pulls,
    softly, and all anchors of a family together not more than one.
    """

    id: str
    evidence: NodeEvidence
    family: str
    expected: Rung | None = None


def pair_of(name: str, evidence: NodeEvidence, estimator: Estimator) -> Pair:
    """A node with what its name lets expect: of its model in the catalogue, or of its family."""
    rungs = (estimator.catalogue.lookup(evidence.cpu), estimator.family.predict(evidence.cpu))
    expected = next((rung for rung in rungs if rung.hs23_per_core is not None), None)
    return Pair(id=name, evidence=evidence, family=family_of(evidence.cpu), expected=expected)


class _Row(NamedTuple):
    pair: Pair
    rates: Rates
    kind: str
    target: float
    sigma: float
    source: str


def fit(pairs: Sequence[Pair], created_at: datetime, note: str | None = None) -> Calibration:
    """Fits a calibration.

    Args:
        pairs: nodes; those that cannot be fitted to are named in `left_out` with the reason.
        created_at: UTC.
        note: what somebody wants to be remembered with it.

    Raises:
        BadInputError: no node can be fitted to, or there are more than `MAX_PAIRS`.
    """
    if len(pairs) > MAX_PAIRS:
        raise BadInputError(
            f"{len(pairs)} nodes are more than the {MAX_PAIRS} that one calibration can stand on"
        )
    kernels = _kernels(pairs)
    aside: list[LeftOut] = []
    rows: list[_Row] = []
    for pair in sorted(pairs, key=lambda pair: pair.id):
        row = _row(pair, kernels)
        if isinstance(row, LeftOut):
            aside.append(row)
        else:
            rows.append(row)
    if not rows:
        why = f", for example {aside[0].id}: {aside[0].reason}" if aside else ""
        raise BadInputError(
            f"there is no node to calibrate on{why}; a node needs payload scores (`agent bench`) of its fully loaded CPUs and "
            "a measured HS23 score of the same CPUs, or a name that the catalogue knows"
        )
    names = [name for name in kernels if any(name in row.rates.by_kernel for row in rows)]
    design = Design(
        log_rates=np.array([[row.rates.by_kernel.get(name, math.nan) for name in names] for row in rows]),
        targets=np.array([row.target for row in rows]),
        target_sigmas=np.array([row.sigma for row in rows]),
        smt=np.array([smt_code(row.pair.evidence.cpu) for row in rows]),
        families=tuple(row.pair.family for row in rows),
        anchors=np.array([row.kind == "expected" for row in rows]),
    )
    solution = solve(design)
    held_out = leave_one_family_out(design)
    measured = {row.kind for row in rows} - {"expected"}
    draft = Calibration(
        version="draft",
        created_at=created_at,
        provisional=not measured,
        note=note,
        intercept=_short(solution.coefficients[0]),
        terms=_terms(solution, {name: kernels[name] for name in names}),
        smt=_short(solution.coefficients[-1]),
        covariance=tuple(tuple(map(_short, line)) for line in solution.covariance),
        sigma=_short(sigma_of_new_family(design, held_out, solution.outliers)),
        floor=FLOOR_OF_HS06 if measured == {"HS06"} else FLOOR,
        inputs=tuple(map(_input, rows)),
        left_out=tuple(sorted(aside, key=lambda one: one.id)),
        families=_families(rows, held_out, solution),
        residuals=_residuals(rows, design, held_out, solution),
    )
    return draft.model_copy(update={"version": version_of(draft)})


def _kernels(pairs: Sequence[Pair]) -> dict[str, str]:
    """Kernel → version with most nodes (the newer one of two that have as many); several versions never mix."""
    seen: dict[tuple[str, str], int] = {}
    for pair in pairs:
        for kernel, version in {(s.kernel, s.version) for s in pair.evidence.scores if s.backend == "cpu"}:
            seen[kernel, version] = seen.get((kernel, version), 0) + 1
    chosen: dict[str, str] = {}
    for (kernel, version), nodes in sorted(seen.items()):
        if kernel not in chosen or nodes >= seen[kernel, chosen[kernel]]:
            chosen[kernel] = version
    return chosen


def _row(pair: Pair, kernels: dict[str, str]) -> _Row | LeftOut:
    rates = rates_of(pair.evidence, kernels)
    if not rates.by_kernel:
        return LeftOut(id=pair.id, reason="; ".join(rates.reasons)[:400] or "no payload was run")
    if rates.disturbance_sigma > DISTURBED_SHARE:
        return LeftOut(
            id=pair.id, reason=f"disturbed while it was measured: {'; '.join(rates.reasons)}"[:400]
        )
    if rates.load.sigma:
        return LeftOut(id=pair.id, reason=f"not at full load: {rates.load.says}")
    best = _best(pair.evidence.measured, rates.copies)
    if best is not None:
        if not plausible(math.log(best.total) - math.log(best.loaded_cpus)):
            return LeftOut(
                id=pair.id, reason=f"its {best.kind} score cannot be that of {best.loaded_cpus} CPUs"
            )
        sigma = math.hypot(best.sigma, FLOOR_OF_HS06 if best.kind == "HS06" else 0.0)
        return _Row(
            pair, rates, best.kind, math.log(best.total) - math.log(best.loaded_cpus), sigma, best.source
        )
    if pair.evidence.measured:
        loads = ", ".join(str(one.loaded_cpus) for one in pair.evidence.measured)
        return LeftOut(
            id=pair.id,
            reason=f"its score was measured with {loads} loaded CPUs, its payloads with {rates.copies}: SMT or load differ",
        )
    expected = pair.expected
    if expected is None or expected.hs23_per_core is None or expected.sigma is None:
        return LeftOut(id=pair.id, reason="it has no measured score, and its name lets expect none")
    sigma = max(expected.sigma, LEAST_ANCHOR_SIGMA)
    return _Row(pair, rates, "expected", math.log(expected.hs23_per_core), sigma, expected.says[:400])


def _best(measured: Sequence[MeasuredScore], copies: int) -> MeasuredScore | None:
    """Of the scores at the same load, HS23 before HS06, the latest."""
    fitting = [
        one
        for one in measured
        if one.kind in ("HS23", "HS06") and abs(one.loaded_cpus - copies) <= _SAME_LOAD * copies
    ]
    return max(
        fitting,
        key=lambda one: (one.kind == "HS23", one.measured_at.timestamp() if one.measured_at else -math.inf),
        default=None,
    )


def _terms(solution: Solution, kernels: dict[str, str]) -> tuple[KernelTerm, ...]:
    return tuple(
        KernelTerm(
            kernel=name,
            version=version,
            weight=max(_short(solution.coefficients[1 + place]), 0.0),
            weight_sigma=_short(math.sqrt(solution.covariance[1 + place, 1 + place])),
            reference_events_per_s=_short(math.exp(float(solution.levels.references[place]))),
            scatter=_short(solution.levels.scatters[place]),
        )
        for place, (name, version) in enumerate(kernels.items())
    )


def _input(row: _Row) -> Input:
    return Input(
        id=row.pair.id,
        digest=digest_of(row.pair.evidence, row.target),
        kind=row.kind,
        source=row.source,
        cpu_model=row.pair.evidence.cpu.model_name,
        family=row.pair.family,
        profile_ids=row.pair.evidence.profile_ids,
    )


def _residuals(
    rows: Sequence[_Row], design: Design, held_out: HeldOut, solution: Solution
) -> tuple[Residual, ...]:
    fitted, _ = solution.predict(design.log_rates, design.smt)
    return tuple(
        Residual(
            id=row.pair.id,
            family=row.pair.family,
            cpu_model=row.pair.evidence.cpu.model_name,
            kind=row.kind,
            smt_on=row.pair.evidence.cpu.smt_on,
            target_hs23_per_core=_short(math.exp(row.target)),
            fitted_hs23_per_core=_short(math.exp(float(fitted[place]))),
            held_out_hs23_per_core=(
                None
                if math.isnan(held_out.errors[place]) or design.anchors[place]
                else _short(math.exp(row.target + float(held_out.errors[place])))
            ),
            expected_hs23_per_core=row.pair.expected.hs23_per_core if row.pair.expected else None,
            outlier=bool(solution.outliers[place]),
        )
        for place, row in enumerate(rows)
    )


def _families(rows: Sequence[_Row], held_out: HeldOut, solution: Solution) -> tuple[FamilyError, ...]:
    found: list[FamilyError] = []
    measured = [(place, row) for place, row in enumerate(rows) if row.kind != "expected"]
    for family in sorted({row.pair.family for _, row in measured}):
        inside = [(place, row) for place, row in measured if row.pair.family == family]
        counted = [place for place, _ in inside if not solution.outliers[place]]
        errors = [
            float(held_out.errors[place]) for place in counted if not math.isnan(held_out.errors[place])
        ]
        expected = [
            math.log(row.pair.expected.hs23_per_core) - row.target
            for place, row in inside
            if place in counted and row.pair.expected is not None and row.pair.expected.hs23_per_core
        ]
        found.append(
            FamilyError(
                family=family,
                nodes=len(inside),
                outliers=len(inside) - len(counted),
                rms=_short(min(_rms(errors), 5.0)) if errors else None,
                bias=_short(sum(errors) / len(errors)) if errors else None,
                expected_rms=_short(min(_rms(expected), 5.0)) if expected else None,
            )
        )
    return tuple(found)


def _rms(values: Sequence[float]) -> float:
    return math.sqrt(sum(value * value for value in values) / len(values))


def _short(value: float) -> float:
    """Eight digits: what another machine's last bits would say differently is not part of the document."""
    return float(f"{value:.8g}")
