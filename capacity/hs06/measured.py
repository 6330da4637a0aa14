"""Full benchmark runs on the node itself, brought to one scale: HS23 per CPU of the fully loaded node."""

from __future__ import annotations

import math

from capacity.hs06 import load, processors
from capacity.hs06.combine import Opinion, combine, widen
from capacity.hs06.design import HS06_RATIO
from capacity.hs06.model import CpuDescription, MeasuredScore, Method, Rung

LEAST_SIGMA = 0.01
"""Repeats on one node differ by 0.5-1 % (HEPscoreData, 73 runs; HEPiX rows with five repeats)."""
HS06_SIGMA = 0.07
_BEFORE_HASWELL = frozenset(
    {
        "k8",
        "k10",
        "bulldozer",
        "piledriver",
        "netburst",
        "core2",
        "penryn",
        "nehalem",
        "westmere",
        "sandybridge",
        "ivybridge",
    }
)


def rung_of(scores: tuple[MeasuredScore, ...], cpu: CpuDescription) -> Rung:
    """What was measured on this node, whole or in part."""
    if not scores:
        why = "nobody has imported an HS23 or HS06 result of this node"
        return Rung(method=Method.MEASURED, says="No HS23 was measured on this node.", reason=why)
    usable = [(score, one) for score in scores if (one := _opinion(score, cpu)) is not None]
    inputs = tuple(
        f"{score.source}: {score.total:g} {score.kind} on {score.loaded_cpus} CPUs" for score in scores
    )
    if not usable:
        why = f"{inputs[0]}, but the node has {cpu.logical_cpus} CPUs now: SMT was in another state, or it is another node"
        return Rung(method=Method.MEASURED, says="What was measured does not fit.", inputs=inputs, reason=why)
    # Repeats on one node share its state, so a second run narrows nothing below what one run can claim.
    floor = min(one.sigma for _, one in usable)
    result = combine([one for _, one in usable], floor=floor)
    told = "; ".join(one.name for _, one in usable)
    return Rung(
        method=Method.MEASURED,
        hs23_per_core=result.score,
        sigma=result.sigma,
        says=f"Measured on this node: {told}: {result.score:.1f} HS23 per CPU, give or take {100 * result.sigma:.0f} %.",
        inputs=inputs,
    )


def _opinion(score: MeasuredScore, cpu: CpuDescription) -> Opinion | None:
    per_cpu, sigma = score.total / score.loaded_cpus, max(score.sigma, LEAST_SIGMA)
    told = f"{score.total:g} {score.kind} on {score.loaded_cpus} CPUs"
    if score.kind.upper() == "HS06":
        old = processors.microarchitecture_of(cpu) in _BEFORE_HASWELL
        ratio, spread = HS06_RATIO["SL6" if old else "SL7"]
        per_cpu, sigma = per_cpu * ratio, max(widen(sigma, spread), HS06_SIGMA)
        told += f" × {ratio} (HS23/HS06 of such processors, ± {spread})"
    if cpu.logical_cpus and score.loaded_cpus > cpu.logical_cpus:
        return None
    if cpu.logical_cpus and score.loaded_cpus < cpu.logical_cpus:
        smt_on = cpu.smt_on is not False
        part = load.shape(score.loaded_cpus / cpu.logical_cpus, smt_on=smt_on)
        per_cpu, sigma = per_cpu / part.factor, widen(sigma, part.sigma)
        told += (
            f" of {cpu.logical_cpus}, where a CPU runs {part.factor:.2f} times as fast as on the full node"
        )
    return Opinion(told, per_cpu, sigma) if math.isfinite(per_cpu) else None
