"""How a figure came about, in sentences for the admin of the site: one a step, each with its numbers."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

from capacity.hs06 import processors
from capacity.hs06.combine import Combined
from capacity.hs06.model import CpuDescription, Method, NodeEvidence, Rung

_SMT = {True: "SMT on", False: "SMT off", None: "SMT state not known"}


class Parts(NamedTuple):
    """What an estimate is made of.

    Attributes:
        rungs: the ladder, best first, with and without figures.
        expected: the best rung that does not depend on the node itself.
        spread: what slots and virtual machines differ by from dedicated nodes, in ln units; 0 for a whole machine.
        used: the rungs that count, in the order of `result.weights`.
        dropped: a rung that contradicts what was measured on the node.
        result: their combination, widened.
    """

    rungs: tuple[Rung, ...]
    expected: Rung
    spread: float
    used: tuple[Rung, ...]
    dropped: tuple[Rung, ...]
    result: Combined


def steps(evidence: NodeEvidence, parts: Parts, *, whole: bool) -> tuple[str, ...]:
    """The derivation.

    Args:
        evidence: of the node.
        parts: of its estimate.
        whole: whether the evidence is of the whole node.
    """
    return (
        _who(evidence.cpu),
        *(
            rung.says if rung.reason is None else f"{rung.says} Reason: {rung.reason}."
            for rung in parts.rungs
        ),
        *_together(parts),
        *_widened(evidence, parts),
        *_totals(evidence, parts.result, whole=whole),
    )


def _who(cpu: CpuDescription) -> str:
    known = [
        cpu.arch,
        processors.microarchitecture_of(cpu),
        f"{cpu.packages} package{'s' if cpu.packages != 1 else ''}" if cpu.packages else None,
        f"{cpu.physical_cores} cores" if cpu.physical_cores else None,
        f"{cpu.logical_cpus} CPUs" if cpu.logical_cpus else None,
        "SMT not visible" if cpu.virtualised and not cpu.smt_on else _SMT[cpu.smt_on],
        "virtual machine" if cpu.virtualised else None,
    ]
    name = (
        f"{cpu.model_name} (key: {processors.key_of(cpu)})"
        if cpu.model_name
        else "a processor without a name"
    )
    return f"The node has {name}: {', '.join(part for part in known if part)}."


def _together(parts: Parts) -> Iterator[str]:
    if parts.expected.method is Method.CATALOGUE:
        yield "The family model is not counted again: it comes from the same table and is in the catalogue's figure already."
    for rung in parts.dropped:
        yield f"{rung.method.value.capitalize()} ({rung.hs23_per_core:.1f}) contradicts what was measured on this node and is not averaged with it."
    told = " and ".join(
        f"{rung.method.value} {rung.hs23_per_core:.1f} ± {100 * (rung.sigma or 0):.0f} % (weight {100 * weight:.0f} %)"
        for rung, weight in zip(parts.used, parts.result.weights, strict=True)
    )
    contradiction = (
        f", the interval {parts.result.stretch:.1f} times as wide because they contradict one another"
    )
    yield f"Together: {told}{contradiction if parts.result.stretch > 1.05 else ''}."


def _widened(evidence: NodeEvidence, parts: Parts) -> Iterator[str]:
    if parts.spread and Method.MEASURED not in {rung.method for rung in parts.used}:
        where = "a virtual machine" if evidence.cpu.virtualised else "a job slot"
        yield (
            f"This is {where}: production slots are at 0.86 to 1.41 of dedicated runs of their model (5-95 %), "
            f"so another {100 * parts.spread:.0f} % of uncertainty is added."
        )


def _totals(evidence: NodeEvidence, result: Combined, *, whole: bool) -> Iterator[str]:
    low, high = (result.score * math.exp(side * result.sigma) for side in (-1, 1))
    yield f"Result: {result.score:.1f} HS23 per CPU, 68 % between {low:.1f} and {high:.1f}."
    cores, present = evidence.cores_granted, evidence.cpu.logical_cpus or evidence.cores_present
    if cores:
        yield f"{cores:g} granted cores × {result.score:.1f} = {cores * result.score:.0f} HS23 in this scope."
    if present and whole:
        yield f"{present} CPUs × {result.score:.1f} = {present * result.score:.0f} HS23 for the whole node."
    elif present:
        yield f"The node has {present} CPUs, of which only a part was seen; the figure is not multiplied up to the node."
