"""Published scores of a processor model, pooled: per model, SMT state and CPU count, robust against a broken node.

Rows whose score is below 0.7 or above 1.5 of what the family model, fitted without that model, expects are left out and
shown (a machine with 328 HS23 where its twin has 630). Rows of one site count as one witness: they share the BIOS settings,
the memory population and whoever measured.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from functools import cache
from typing import NamedTuple, Self

from capacity.hs06 import cpu_name, processors, rows
from capacity.hs06.family import HS06_RATIO, FamilyModel, describe, per_cpu, smt_states
from capacity.hs06.model import CpuDescription, Method, Rung
from capacity.hs06.rows import Row

SITE_SIGMA = 0.045
"""Spread of one configuration between sites; two sites differ by √2 of it: 6.3 % rms (HEPiX table, 63 pairs)."""
COUNT_SIGMA = 0.03
"""More, where the number of sockets differs; SIBLING_SIGMA where a P or parts-list variant of the model was measured."""
SIBLING_SIGMA = 0.02
FLOOR = 0.04
"""Against HS23 nothing is better than 4 % unless measured on the node; against HS06 7 % (references disagree by that)."""
HS06_FLOOR = 0.07
FLAG = (0.7, 1.5)
"""Measured / expected outside is not believed to be that processor in a sound state (three times the production spread)."""
_MEMORY_ALIKE = 1.34
"""Memory sizes within a factor 4/3 are taken for the same population; half of the channels gives a factor of two."""
_SHOWN = 12


class _Witness(NamedTuple):
    score: float
    sigma: float
    rows: tuple[Row, ...]


class Catalogue:
    """The rows, which of them count, and the pooled score of a configuration."""

    def __init__(self, table: Sequence[Row], version: str) -> None:
        self.rows = tuple(table)
        self.version = version
        self._by_key: dict[str, list[Row]] = defaultdict(list)
        for row in self.rows:
            self._by_key[_group(row.key)].append(row)

    @classmethod
    def of(cls, table: Iterable[Row], version: str) -> Self:
        """Judge the rows by the family model and keep those that are not left out."""
        table = tuple(table)
        model = FamilyModel.fit(table)
        suspects = [row for row in table if row.left_out is None and _far(row, model)]
        judged: dict[int, str] = {}
        for group in {_group(row.key) for row in suspects}:
            without = FamilyModel.fit(row for row in table if _group(row.key) != group)
            for row in suspects:
                ratio = _far(row, without) if _group(row.key) == group else None
                if ratio:
                    judged[row.number] = (
                        f"{ratio:.2f} of what its family model expects, outside {FLAG[0]}-{FLAG[1]}"
                    )
        return cls([row._replace(left_out=judged.get(row.number, row.left_out)) for row in table], version)

    @classmethod
    @cache
    def shipped(cls) -> Self:
        """The catalogue that comes with the package (HEPiX tables)."""
        return cls.of(*rows.shipped())

    def lookup(self, cpu: CpuDescription, exclude: Collection[int] = ()) -> Rung:
        """What published scores of the same model say, per logical CPU of the fully loaded node.

        Args:
            cpu: of the whole node.
            exclude: numbers of rows that must not count (leave-one-out tests).
        """
        key = processors.key_of(cpu)
        name = cpu_name.parse(cpu.model_name or "")
        of_model = (
            [row for row in self._by_key.get(_group(key), []) if row.number not in exclude] if key else []
        )
        states = smt_states(cpu)
        pooled = [self._pool(of_model, key, cpu, smt_on=smt) for smt in states]
        found = [pool for pool in pooled if pool is not None]
        if not found or not name.model:
            why = name.why or _why_none(of_model, cpu)
            return Rung(method=Method.CATALOGUE, says="No published score fits.", reason=why)
        score, sigma = per_cpu([(pool.score, pool.sigma) for pool in found])
        used = [row for pool in found for row in pool.rows]
        left = [row for row in of_model if row.left_out]
        return Rung(
            method=Method.CATALOGUE,
            hs23_per_core=math.exp(score),
            sigma=sigma,
            says=_sentence(cpu, used, score, sigma, states),
            inputs=(
                *(row.cite for row in used[:_SHOWN]),
                *(f"left out: {row.cite}: {row.left_out}" for row in left[:_SHOWN]),
            ),
        )

    def usual_memory_gib(self, cpu: CpuDescription) -> float | None:
        """Median memory of the published nodes of this model and CPU count; None = no such node."""
        key = processors.key_of(cpu)
        sizes = sorted(
            row.memory_gib
            for row in self._by_key.get(_group(key), [])
            if row.memory_gib and row.logical_cpus == cpu.logical_cpus and row.left_out is None
        )
        return sizes[len(sizes) // 2] if sizes else None

    def _pool(
        self, of_model: Iterable[Row], key: str, cpu: CpuDescription, *, smt_on: bool
    ) -> _Witness | None:
        same = [row for row in of_model if row.left_out is None and row.smt_on is smt_on]
        dedicated = [row for row in same if row.table == "HS23"]
        exact = [row for row in dedicated if row.logical_cpus == cpu.logical_cpus and row.key == key]
        for candidates, floor in ((exact, FLOOR), (dedicated, FLOOR), (same, HS06_FLOOR)):
            if candidates:
                return _pooled([_witness(group, key, cpu) for group in _by_site(candidates)], floor)
        return None


def _group(key: str) -> str:
    """Models that are looked up together: a P suffix is the same silicon, an Altra Max with its part number too."""
    return "ampere altra max" if key.startswith("ampere altra max") else processors.without_p(key)


def _by_site(candidates: Iterable[Row]) -> list[list[Row]]:
    sites: dict[str, list[Row]] = defaultdict(list)
    for row in candidates:
        sites[row.site.split(" ")[0].replace("_", "-").removesuffix("-new")].append(row)
    return list(sites.values())


def _witness(group: Sequence[Row], key: str, cpu: CpuDescription) -> _Witness:
    """One site's rows of one configuration: the median of those with memory like the node's, else of all."""
    memory = cpu.memory_bytes / 2**30 if cpu.memory_bytes else None
    alike = [
        row for row in group if memory and row.memory_gib and _factor(row.memory_gib, memory) < _MEMORY_ALIKE
    ]
    chosen = tuple(alike or group)
    logs = sorted(math.log(_per_cpu(row)) for row in chosen)
    middle = (logs[(len(logs) - 1) // 2] + logs[len(logs) // 2]) / 2
    variance = SITE_SIGMA**2
    first = chosen[0]
    variance += COUNT_SIGMA**2 if first.logical_cpus != cpu.logical_cpus else 0.0
    variance += SIBLING_SIGMA**2 if first.key != key else 0.0
    variance += (
        max(HS06_RATIO.get(first.table, (0.0, 0.15))[1] ** 2, HS06_FLOOR**2) if first.table != "HS23" else 0.0
    )
    return _Witness(middle, math.sqrt(variance), chosen)


def _pooled(witnesses: Sequence[_Witness], floor: float) -> _Witness:
    """Huber mean around the median; the sigma is that of a further node: spread between sites and of the mean."""
    ordered = sorted(w.score for w in witnesses)
    middle = (ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2
    weights = [1.0 for _ in witnesses]
    for _ in range(10):
        weights = [min(1.0, 1.5 * w.sigma / max(abs(w.score - middle), 1e-9)) / w.sigma**2 for w in witnesses]
        middle = sum(weight * w.score for weight, w in zip(weights, witnesses, strict=True)) / sum(weights)
    spread = math.sqrt(
        sum(weight * (w.score - middle) ** 2 for weight, w in zip(weights, witnesses, strict=True))
        / sum(weights)
    )
    own = sum(w.sigma for w in witnesses) / len(witnesses)
    n = len(witnesses)
    # The known spread counts as that of three sites: two that happen to agree do not make a narrow interval.
    between = math.sqrt((3 * own**2 + n * spread**2) / (3 + n))
    used = tuple(row for w in witnesses for row in w.rows)
    return _Witness(middle, max(floor, between * math.sqrt(1 + 1 / n)), used)


def _per_cpu(row: Row) -> float:
    if row.hs23_per_core is not None:
        return row.hs23_per_core
    return (row.hs06_total or 0.0) / row.logical_cpus * HS06_RATIO.get(row.table, HS06_RATIO["SL6"])[0]


def _factor(a: float, b: float) -> float:
    return max(a / b, b / a)


def _far(row: Row, model: FamilyModel) -> float | None:
    """Score / expectation if it is outside the flag; None if it is inside or cannot be told."""
    if row.hs23_total is None or row.smt_on is None or not row.physical_cores:
        return None
    expected = model.of_core(describe(row), smt_on=row.smt_on)
    if expected is None:
        return None
    ratio = row.hs23_total / row.physical_cores / math.exp(expected.log_score)
    return None if FLAG[0] <= ratio <= FLAG[1] else ratio


def _why_none(of_model: Sequence[Row], cpu: CpuDescription) -> str:
    name = cpu.model_name or "The processor has no name: nothing"
    if not of_model:
        return f"{name} is in none of the published tables"
    if any(row.left_out is None for row in of_model):
        return f"{name} was published with SMT {'off' if cpu.smt_on else 'on'} only, and SMT states are kept apart"
    return f"all rows of {name} are left out: {of_model[0].left_out}"


def _sentence(
    cpu: CpuDescription, used: Sequence[Row], score: float, sigma: float, states: Sequence[bool]
) -> str:
    sites = sorted({row.site for row in used})
    values = sorted(_per_cpu(row) for row in used)
    where = f"{len(sites)} sites" if len(sites) > 1 else sites[0]
    smt = "SMT on or off (not visible)" if len(states) > 1 else "SMT on" if states[0] else "SMT off"
    counts = sorted({row.logical_cpus for row in used})
    on = f"{counts[0]} CPUs" if len(counts) == 1 else f"{counts[0]}-{counts[-1]} CPUs"
    other = "" if cpu.logical_cpus in counts else f" (this node shows {cpu.logical_cpus or 'no number'})"
    old = "" if used[0].table == "HS23" else " (HS06 results of old systems, converted)"
    spread = f"{values[0]:.1f}" if len(values) == 1 else f"{values[0]:.1f} to {values[-1]:.1f}"
    return f"{where} published {len(used)} score{'s' if len(used) > 1 else ''} of this model with {smt} and {on}{other}: {spread} HS23 per CPU{old}, pooled {math.exp(score):.1f}, give or take {100 * sigma:.0f} %."
