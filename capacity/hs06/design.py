"""The regression behind the family model: which configurations enter, what is known of each, which columns they have."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from capacity.hs06 import processors
from capacity.hs06.model import CpuDescription
from capacity.hs06.rows import Row, describe

Vector = NDArray[np.float64]
Typical = Mapping[tuple[str, str], tuple[float, float]]
"""(micro-architecture, feature) → mean and spread; ("", feature) for strangers."""

HS06_RATIO = {"SL7": (0.938, 0.069), "SL6": (0.859, 0.112)}
"""HS23 / HS06 of the same model, SMT state and CPU count: mean and standard deviation over 7 and 20 pairs of the tables."""
_OLDER_HS06_RATIO = 0.859
"""SL4 and SL5 have no pairs with HS23; taken as SL6, and the column of their table is free to differ."""

MODEL_SIGMA = 0.04
"""What models of one micro-architecture differ by beyond clock, cores and cache; chosen so that leave-one-model-out covers 68 %."""
HS06_SIGMA = 0.08
"""The same of HS06 rows, whose ratio to HS23 scatters more."""
UNSEEN_SIGMA = 0.15
"""Step from one generation to the next beyond the common trend, as a standard deviation."""
FEATURES = ("clock", "l3", "cores", "sockets")
"""ln(nominal GHz), ln(MiB of L3 per core), ln(cores per package), log2(packages)."""
_CENTRE = {"clock": math.log(2.5), "l3": math.log(3.0), "cores": math.log(24.0), "sockets": 0.5}
_PRIOR = {"clock": 0.5, "l3": 0.1, "cores": 0.1, "sockets": 0.1, "step": 0.1, "root": 0.7, "child": UNSEEN_SIGMA, "smt": 0.3,
          "smt child": 0.05, "amd": 0.2, "table": 0.1, "hs06": 0.08}  # fmt: skip
"""Prior standard deviations, in ln units: a generation is within 15 % of the trend, SMT yields differ by 5 % between two."""
_GUESSED_SPREAD = 0.15
_USUAL_PACKAGES = 2
"""Where a table does not print the sockets: nearly all of the machines in it have two."""


class Case(NamedTuple):
    """One configuration of one model.

    Attributes:
        silicon: models that are left out together.
        log_score: ln(total score per physical core), of HS23 or HS06 as `table` says.
        features: value, or None where the node does not tell.
    """

    silicon: str
    microarchitecture: str
    smt_on: bool
    log_score: float
    features: Mapping[str, float | None]
    table: str


def asked(microarchitecture: str, cpu: CpuDescription, *, smt_on: bool) -> Case:
    """The case of a node whose score is wanted."""
    return Case("", microarchitecture, smt_on, 0.0, features_of(cpu), "HS23")


def cases(rows: Iterable[Row]) -> list[Case]:
    """The configurations that count: known micro-architecture, cores and SMT state; the median of equal ones."""
    grouped: dict[tuple[str, bool, int, str], list[Row]] = defaultdict(list)
    for row in rows:
        cpu = describe(row)
        known = row.smt_on if processors.may_have_smt(cpu) else False
        cores = row.physical_cores or (row.logical_cpus if not processors.may_have_smt(cpu) else None)
        if row.left_out is None and known is not None and cores and processors.microarchitecture_of(cpu):
            grouped[row.key, known, row.logical_cpus, row.table].append(row)
    found = []
    for (key, smt_on, logical, table), group in sorted(grouped.items()):
        first = group[0]
        cores = first.physical_cores or logical
        total = float(np.median([row.hs23_total or row.hs06_total or 0.0 for row in group]))
        cpu = describe(first)
        found.append(
            Case(
                processors.silicon_of(key),
                processors.microarchitecture_of(cpu) or "",
                smt_on,
                math.log(total / cores),
                features_of(cpu),
                table,
            )
        )
    return found


def features_of(cpu: CpuDescription) -> dict[str, float | None]:
    """What the maker publishes, else what the node shows; a virtual machine does not show its package."""
    facts = processors.facts_of(processors.key_of(cpu))
    hidden = cpu.virtualised is True
    cores = (
        facts.cores
        if facts
        else None
        if hidden or not cpu.physical_cores
        else cpu.physical_cores / (cpu.packages or _USUAL_PACKAGES)
    )
    l3_mib = facts.l3_mib / facts.cores if facts and facts.l3_mib else None
    if l3_mib is None and cpu.l3_bytes and cpu.physical_cores and not hidden:
        l3_mib = cpu.l3_bytes / 2**20 / cpu.physical_cores
    clock = facts.nominal_ghz if facts else cpu.clock_ghz
    return {
        "clock": math.log(clock) if clock else None,
        "l3": math.log(l3_mib) if l3_mib else None,
        "cores": math.log(cores) if cores else None,
        "sockets": math.log2(cpu.packages) if cpu.packages and not hidden else None,
    }


def typical_of(cases: Iterable[Case]) -> Typical:
    """What nodes are taken to have that do not tell."""
    seen: dict[tuple[str, str], list[float]] = defaultdict(list)
    for case in cases:
        for name, value in case.features.items():
            if value is not None:
                seen[case.microarchitecture, name].append(value)
                seen["", name].append(value)
    return {
        where: (float(np.mean(values)), max(float(np.std(values)), _GUESSED_SPREAD))
        for where, values in seen.items()
    }


def columns_of(cases: Iterable[Case]) -> list[str]:
    """Names of the columns: features, trend, SMT, one per generation, one per HS06 table."""
    lines = sorted({a for case in cases for a in processors.lineage(case.microarchitecture)})
    tables = sorted({case.table for case in cases} - {"HS23"})
    older = sorted({case.microarchitecture for case in cases if case.table != "HS23"})
    return [
        *FEATURES, "step", "smt", "amd clock", *lines, *(f"smt {a}" for a in lines),
        *(f"table {table}" for table in tables), *(f"hs06 {a}" for a in older),
    ]  # fmt: skip


def width(column: str) -> float:
    """Prior standard deviation of a column's coefficient, whose prior mean is 0."""
    if column in processors.PARENTS:
        return _PRIOR["child" if processors.PARENTS[column] else "root"]
    first, _, second = column.partition(" ")
    return _PRIOR["smt child" if first == "smt" and second else first]


def line_of(case: Case, places: dict[str, int], typical: Typical) -> tuple[Vector, dict[str, float]]:  # fmt: skip
    """The line of the design matrix, and the spread of each feature that had to be guessed."""
    line = np.zeros(len(places))
    unknown: dict[str, float] = {}
    lineage = processors.lineage(case.microarchitecture)
    for name in FEATURES:
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


def ratio(table: str) -> float:
    """HS23 / HS06 that a row of this table is multiplied by."""
    return 1.0 if table == "HS23" else HS06_RATIO.get(table, (_OLDER_HS06_RATIO,))[0]
