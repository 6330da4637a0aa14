"""Published scores of a processor model, looked up by model, SMT state and CPU count.

Rows whose score is below 0.7 or above 1.5 of what the family model expects, fitted without that model, are left out and
shown (a machine with 328 HS23 where its twin has 630).
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from functools import cache
from typing import Self

from capacity.hs06 import cpu_name, pooling, processors, rows
from capacity.hs06.family import FamilyModel, Prediction, mixture
from capacity.hs06.model import CpuDescription, Method, Rung
from capacity.hs06.pooling import HS06_FLOOR, Pool
from capacity.hs06.rows import Row, describe

FLOOR = 0.04
"""Against HS23 nothing is better than 4 % unless measured on the node: the references disagree by that (benchmarks.md d)."""
FLAG = (0.7, 1.5)
"""Measured / expected outside is not believed to be that processor in a sound state (benchmarks.md d, "Honest bar")."""
_SHOWN = 12


class Catalogue:
    """The rows, which of them count, and the pooled score of a configuration."""

    def __init__(self, table: Sequence[Row], version: str) -> None:
        self.rows = tuple(table)
        self.version = version
        self.family = FamilyModel.fit(self.rows)
        self._of_silicon: dict[str, list[Row]] = defaultdict(list)
        for row in self.rows:
            self._of_silicon[processors.silicon_of(row.key)].append(row)

    @classmethod
    def of(cls, table: Iterable[Row], version: str) -> Self:
        """Judge the rows by the family model and leave out those that cannot be sound."""
        table = tuple(table)
        model = FamilyModel.fit(table)
        return cls([_judged(row, model.without(row.key)) for row in table], version)

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
        of_model = [
            row for row in self._of_silicon.get(processors.silicon_of(key), []) if row.number not in exclude
        ]
        states = processors.smt_states(cpu)
        pools = [found for smt in states if (found := self._pool(of_model, key, cpu, smt_on=smt)) is not None]
        if not pools or not name.model:
            why = name.why or _why_none(of_model, cpu)
            return Rung(method=Method.CATALOGUE, says="No published score fits.", reason=why)
        score, spread = mixture([(found.log_score, found.sigma) for found in pools])
        used = [row for found in pools for row in found.rows]
        sigma = max(spread, FLOOR if all(row.table == "HS23" for row in used) else HS06_FLOOR)
        told = _sentence(cpu, used, states, pools)
        return Rung(
            method=Method.CATALOGUE,
            hs23_per_core=math.exp(score),
            sigma=sigma,
            says=f"{told}: {math.exp(score):.1f}, give or take {100 * sigma:.0f} %.",
            inputs=(
                *(row.cite for row in used[:_SHOWN]),
                *(f"left out: {row.cite}: {row.left_out}" for row in of_model[:_SHOWN] if row.left_out),
            ),
        )

    def usual_memory_gib(self, cpu: CpuDescription) -> float | None:
        """Median memory of the published nodes of this model and CPU count; None = no such node."""
        alike = self._of_silicon.get(processors.silicon_of(processors.key_of(cpu)), [])
        sizes = sorted(
            row.memory_gib for row in alike if row.memory_gib and row.logical_cpus == cpu.logical_cpus
        )
        return sizes[len(sizes) // 2] if sizes else None

    def _pool(self, of_model: Iterable[Row], key: str, cpu: CpuDescription, *, smt_on: bool) -> Pool | None:
        """Of the exact configuration if it was published; else of the model with other sockets; else of HS06."""
        same = [row for row in of_model if row.left_out is None and row.smt_on is smt_on]
        dedicated = [row for row in same if row.table == "HS23"]
        exact = [row for row in dedicated if row.logical_cpus == cpu.logical_cpus]
        candidates = exact or dedicated or same
        if not candidates:
            return None
        expected = self.family.without(key).of_core(cpu, smt_on=smt_on)
        per_cpu = expected and Prediction(
            expected.log_score - (math.log(2) if smt_on else 0.0), expected.sigma
        )
        return pooling.pool(candidates, key, cpu, per_cpu)


def _judged(row: Row, model: FamilyModel) -> Row:
    if row.left_out or row.hs23_total is None or row.smt_on is None or not row.physical_cores:
        return row
    expected = model.of_core(describe(row), smt_on=row.smt_on)
    if expected is None:
        return row
    ratio = row.hs23_total / row.physical_cores / math.exp(expected.log_score)
    if FLAG[0] <= ratio <= FLAG[1]:
        return row
    return row._replace(left_out=f"{ratio:.2f} of what its family model expects, outside {FLAG[0]}-{FLAG[1]}")


def _why_none(of_model: Sequence[Row], cpu: CpuDescription) -> str:
    name = cpu.model_name or "The processor has no name: nothing"
    if not of_model:
        return f"{name} is in none of the published tables"
    if any(row.left_out is None for row in of_model):
        return f"{name} was published with SMT {'off' if cpu.smt_on else 'on'} only, and SMT states are kept apart"
    return f"all rows of {name} are left out: {of_model[0].left_out}"


def _sentence(cpu: CpuDescription, used: Sequence[Row], states: Sequence[bool], pools: Sequence[Pool]) -> str:
    family = max(found.family_weight for found in pools)
    shift = math.fsum(found.memory_shift for found in pools) / len(pools)
    sites = sorted({row.site for row in used})
    values = sorted(pooling.per_cpu(row) for row in used)
    where = f"{len(sites)} sites" if len(sites) > 1 else sites[0]
    smt = "SMT on or off (not visible)" if len(states) > 1 else "SMT on" if states[0] else "SMT off"
    counts = sorted({row.logical_cpus for row in used})
    on = f"{counts[0]} CPUs" if len(counts) == 1 else f"{counts[0]}-{counts[-1]} CPUs"
    other = "" if cpu.logical_cpus in counts else f" (this node shows {cpu.logical_cpus or 'no number'})"
    old = "" if used[0].table == "HS23" else " (HS06 results of old systems, converted)"
    spread = f"{values[0]:.1f}" if len(values) == 1 else f"{values[0]:.1f} to {values[-1]:.1f}"
    memory = (
        f", {100 * shift:+.0f} % as nodes with memory like this one's at the same site"
        if abs(shift) >= 0.005
        else ""
    )
    with_family = (
        f"; pooled with the family model fitted without them (weight {100 * family:.0f} %)"
        if family
        else "; pooled"
    )
    return (
        f"{where} published {len(used)} score{'s' if len(used) > 1 else ''} of this model with {smt} and {on}{other}: "
        f"{spread} HS23 per CPU{old}{with_family}{memory}"
    )
