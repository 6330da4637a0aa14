"""What a processor without a published score should reach, from its micro-architecture, cores, SMT, clock and caches.

A linear model of ln(HS23 per physical core of the fully loaded node), fitted by ridge regression whose penalties are
prior widths (equal to the posterior mean of a Gaussian model), with outliers weighted down as by a Student t of four degrees
of freedom. A micro-architecture is its parent plus a step, so that a generation with few or no rows borrows from its
neighbours, and its prediction is as much wider. HS06 rows take part with an offset per table and per micro-architecture.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from capacity.hs06 import processors
from capacity.hs06.model import CpuDescription, Method, Rung
from capacity.hs06.rows import Row

Vector = NDArray[np.float64]
Typical = dict[tuple[str, str], tuple[float, float]]
"""(micro-architecture, feature) → mean and spread; ("", feature) for strangers."""

HS06_RATIO = {"SL7": (0.938, 0.069), "SL6": (0.859, 0.112)}
"""HS23 / HS06 of the same model, SMT state and CPU count: mean and standard deviation over 7 and 20 pairs of the tables."""
_OLDER_HS06 = (0.859, 0.15)
"""SL4 and SL5 have no pairs with HS23; as SL6, wider."""

_MODEL_SIGMA = 0.045
"""What models of one micro-architecture differ by beyond clock, cores and cache; from leave-one-model-out."""
_HS06_SIGMA = 0.08
_FREEDOM = 4.0
_FEATURES = ("clock", "l3", "cores", "sockets")
_CENTRE = {"clock": math.log(2.5), "l3": math.log(3.0), "cores": math.log(24.0), "sockets": 0.5}
_PRIOR = {"clock": 0.5, "l3": 0.1, "cores": 0.1, "sockets": 0.1, "step": 0.1, "root": 0.7, "child": 0.15, "smt": 0.3,
          "smt child": 0.05, "vendor": 0.2, "table": 0.1, "hs06": 0.08}  # fmt: skip
"""Prior standard deviations, in ln units: a generation is within 15 % of the trend, SMT yields differ by 5 % between two."""


class _Case(NamedTuple):
    """One configuration of one model: where it stands in the regression."""

    silicon: str
    microarchitecture: str
    smt_on: bool
    log_score: float
    features: dict[str, float | None]
    table: str


class Prediction(NamedTuple):
    """ln(HS23 per physical core) and its standard deviation, for one SMT state."""

    log_score: float
    sigma: float


class _Normal(NamedTuple):
    """The weighted normal equations of the fit, and what each model contributes to them."""

    precision: Vector
    moment: Vector
    of_model: dict[str, tuple[Vector, Vector]]


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
        cases = _cases(rows)
        if not cases:
            raise ValueError(
                "no row of the table has a known micro-architecture, its cores and its SMT state"
            )
        typical = _typical(cases)
        columns = {name: place for place, name in enumerate(_columns(cases))}
        design = np.array([_line(case, columns, typical)[0] for case in cases])
        score = np.array([case.log_score + math.log(_ratio(case.table)[0]) for case in cases])
        noise = np.array([_MODEL_SIGMA if case.table == "HS23" else _HS06_SIGMA for case in cases])
        prior = np.diag([1.0 / _width(name) ** 2 for name in columns])
        weight = 1.0 / noise**2
        for _ in range(12):
            beta = np.linalg.solve(prior + design.T @ (weight[:, None] * design), design.T @ (weight * score))
            weight = (_FREEDOM + 1) / (_FREEDOM + ((score - design @ beta) / noise) ** 2) / noise**2
        parts: dict[str, tuple[Vector, Vector]] = {}
        for case, line, w, y in zip(cases, design, weight, score, strict=True):
            precision, moment = parts.get(case.silicon, (np.zeros_like(prior), np.zeros(len(columns))))
            parts[case.silicon] = precision + w * np.outer(line, line), moment + w * y * line
        normal = _Normal(prior + design.T @ (weight[:, None] * design), design.T @ (weight * score), parts)
        return cls(columns, normal, typical, len(cases))

    def without(self, key: str) -> FamilyModel:
        """The same fit as if no row of this model (or its siblings of the same silicon) had been in the table."""
        silicon = processors.silicon_of(key)
        if silicon not in self._normal.of_model:
            return self
        if silicon not in self._without:
            precision, moment = self._normal.of_model[silicon]
            rest = _Normal(self._normal.precision - precision, self._normal.moment - moment, {})
            self._without[silicon] = FamilyModel(self._columns, rest, self._typical, self.configurations)
        return self._without[silicon]

    def of_core(self, cpu: CpuDescription, *, smt_on: bool) -> Prediction | None:
        """ln(HS23 per physical core) with SMT on or off; None for a stranger."""
        microarchitecture = processors.microarchitecture_of(cpu)
        if microarchitecture is None or processors.lineage(microarchitecture)[0] not in self._columns:
            return None
        case = _Case("", microarchitecture, smt_on, 0.0, _features(cpu), "HS23")
        line, unknown = _line(case, self._columns, self._typical)
        # A generation between the table and this one adds a step that no row has seen.
        unseen = sum(a not in self._columns for a in processors.lineage(microarchitecture))
        slope = {name: float(self._beta[self._columns[name]]) for name in _FEATURES}
        variance = float(line @ self._covariance @ line) + _MODEL_SIGMA**2
        variance += unseen * _PRIOR["child"] ** 2 + sum(
            (slope[name] * spread) ** 2 for name, spread in unknown.items()
        )
        return Prediction(float(line @ self._beta), math.sqrt(variance))

    def predict(self, cpu: CpuDescription) -> Rung:
        """The rung of the ladder, per logical CPU of the fully loaded node."""
        microarchitecture = processors.microarchitecture_of(cpu)
        name = cpu.model_name or "a processor without a name"
        both = [(smt, self.of_core(cpu, smt_on=smt)) for smt in smt_states(cpu)]
        if any(one is None for _, one in both):
            why = f"{name} ({cpu.arch or 'architecture not known'}) is of no micro-architecture that the table has scores of"
            return Rung(method=Method.FAMILY, says="No family model for this processor.", reason=why)
        score, sigma = mixture(
            [(one.log_score - (math.log(2) if smt else 0.0), one.sigma) for smt, one in both if one]
        )
        features = _features(cpu)
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


def smt_states(cpu: CpuDescription) -> tuple[bool, ...]:
    """SMT states to reckon with: a virtual CPU without visible siblings may be a whole core or one thread of it."""
    if cpu.smt_on is None or (cpu.virtualised and not cpu.smt_on):
        return (False, True) if may_have_smt(cpu) else (False,)
    return (cpu.smt_on,)


def may_have_smt(cpu: CpuDescription) -> bool:
    """False for micro-architectures that have no second thread: ARM Neoverse, AMD before Zen, Intel Core 2."""
    root = processors.microarchitecture_of(cpu)
    none = {"k8", "k10", "bulldozer", "piledriver", "core2", "penryn", "silvermont", "sierraforest"}
    return not (cpu.arch == "aarch64" or (root is not None and (root in none or root.startswith("neoverse"))))


def mixture(states: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Mean and standard deviation of equally likely (ln score, sigma): the gap between them is part of the sigma."""
    mean = sum(score for score, _ in states) / len(states)
    return mean, math.sqrt(sum(sigma**2 + (score - mean) ** 2 for score, sigma in states) / len(states))


def describe(row: Row) -> CpuDescription:
    """A row of the table as a node would describe itself."""
    threads = None if row.smt_on is None else 2 if row.smt_on else 1
    return CpuDescription(model_name=row.cpu_model, arch=row.arch, packages=row.sockets, physical_cores=row.physical_cores,
                          logical_cpus=row.logical_cpus, threads_per_core=threads, clock_ghz=row.clock_ghz,
                          memory_bytes=round(row.memory_gib * 2**30) if row.memory_gib else None, virtualised=row.virtual)  # fmt: skip


def _cases(rows: Iterable[Row]) -> list[_Case]:
    grouped: dict[tuple[str, bool, int, str], list[Row]] = defaultdict(list)
    for row in rows:
        cpu = describe(row)
        known = row.smt_on if may_have_smt(cpu) else False
        cores = row.physical_cores or (row.logical_cpus if not may_have_smt(cpu) else None)
        if row.left_out is None and known is not None and cores and processors.microarchitecture_of(cpu):
            grouped[row.key, known, row.logical_cpus, row.table].append(row)
    cases = []
    for (key, smt_on, logical, table), group in sorted(grouped.items()):
        first = group[0]
        cores = first.physical_cores or logical
        total = float(np.median([row.hs23_total or row.hs06_total or 0.0 for row in group]))
        cpu = describe(first)
        cases.append(
            _Case(
                key,
                processors.microarchitecture_of(cpu) or "",
                smt_on,
                math.log(total / cores),
                _features(cpu),
                table,
            )
        )
    return cases


def _features(cpu: CpuDescription) -> dict[str, float | None]:
    facts = processors.facts_of(processors.key_of(cpu))
    hidden = cpu.virtualised is True
    cores = (
        facts.cores
        if facts
        else None
        if hidden or not cpu.physical_cores
        else cpu.physical_cores / (cpu.packages or 2)
    )
    l3_mib = facts.l3_mib / facts.cores if facts else None
    if l3_mib is None and cpu.l3_bytes and cpu.physical_cores and not hidden:
        l3_mib = cpu.l3_bytes / 2**20 / cpu.physical_cores
    clock = facts.nominal_ghz if facts else cpu.clock_ghz
    return {
        "clock": math.log(clock) if clock else None,
        "l3": math.log(l3_mib) if l3_mib else None,
        "cores": math.log(cores) if cores else None,
        "sockets": math.log2(cpu.packages) if cpu.packages and not hidden else None,
    }


def _typical(cases: Iterable[_Case]) -> Typical:
    """What nodes are taken to have that do not tell."""
    seen: dict[tuple[str, str], list[float]] = defaultdict(list)
    for case in cases:
        for name, value in case.features.items():
            if value is not None:
                seen[case.microarchitecture, name].append(value)
                seen["", name].append(value)
    return {
        where: (float(np.mean(values)), max(float(np.std(values)), 0.15)) for where, values in seen.items()
    }


def _columns(cases: Iterable[_Case]) -> list[str]:
    lines = sorted({a for case in cases for a in processors.lineage(case.microarchitecture)})
    tables = sorted({case.table for case in cases} - {"HS23"})
    older = sorted({case.microarchitecture for case in cases if case.table != "HS23"})
    return [
        *_FEATURES, "step", "smt", "amd clock", *lines, *(f"smt {a}" for a in lines),
        *(f"table {table}" for table in tables), *(f"hs06 {a}" for a in older),
    ]  # fmt: skip


def _width(column: str) -> float:
    first = column.split(" ", maxsplit=1)[0]
    if column in processors.PARENTS:
        return _PRIOR["child" if processors.PARENTS[column] else "root"]
    return {"smt": _PRIOR["smt child" if " " in column else "smt"], "amd": _PRIOR["vendor"]}.get(
        first
    ) or _PRIOR[first]


def _line(case: _Case, places: dict[str, int], typical: Typical) -> tuple[Vector, dict[str, float]]:  # fmt: skip
    """The line of the design matrix, and the spread of each feature that had to be guessed."""
    line = np.zeros(len(places))
    unknown: dict[str, float] = {}
    lineage = processors.lineage(case.microarchitecture)
    for name in _FEATURES:
        value = case.features[name]
        if value is None:
            value, unknown[name] = _guess(name, lineage, typical)
        line[places[name]] = value - _CENTRE[name]
    line[places["step"]] = len(lineage) - 1
    line[places["smt"]] = float(case.smt_on)
    line[places["amd clock"]] = line[places["clock"]] if lineage[0] in ("zen", "k8") else 0.0
    wanted = [*lineage, *(f"smt {a}" for a in lineage if case.smt_on)]
    if case.table != "HS23":
        wanted += [f"table {case.table}", f"hs06 {case.microarchitecture}"]
    for name in wanted:
        if name in places:
            line[places[name]] = 1.0
    return line, unknown


def _guess(name: str, lineage: Sequence[str], typical: Typical) -> tuple[float, float]:  # fmt: skip
    for microarchitecture in (*reversed(lineage), ""):
        if (microarchitecture, name) in typical:
            return typical[microarchitecture, name]
    return _CENTRE[name], 0.3


def _ratio(table: str) -> tuple[float, float]:
    return (1.0, 0.0) if table == "HS23" else HS06_RATIO.get(table, _OLDER_HS06)
