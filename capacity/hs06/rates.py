"""What the payload scores of a node are worth as a measurement: rate per loaded CPU, at which load, how disturbed."""

from __future__ import annotations

import math
from typing import NamedTuple

from capacity.hs06.load import shape
from capacity.hs06.model import CpuDescription, NodeEvidence, PayloadScore

DISTURBED_SHARE = 0.05
"""Steal, or CPUs that others kept busy of ours, from which on a run proves nothing; origin: floor of the references, 4 %."""
FULL_SHARE = 0.95
"""From this share of loaded CPUs on a node counts as fully loaded; origin: the thread scan is flat there within 1 %."""

_UNKNOWN_LOAD_SIGMA = 0.25
"""From idle to full the scan falls by a factor 2.2: a third of that either way."""


class FullLoad(NamedTuple):
    """From the load that was measured at to the full node.

    Attributes:
        ln_factor: to add to ln(rate per loaded CPU); not above 0.
        sigma: of it.
        says: what was done; empty if nothing.
    """

    ln_factor: float
    sigma: float
    says: str


class Rates(NamedTuple):
    """Of one node.

    Attributes:
        by_kernel: kernel → ln(events/s per loaded CPU), as measured.
        copies: how many CPUs were loaded.
        load: correction to the full node.
        disturbance_sigma: what steal, busy neighbours and throttling may have cost.
        reasons: why scores were left out or are doubtful, one sentence each.
    """

    by_kernel: dict[str, float]
    copies: int
    load: FullLoad
    disturbance_sigma: float
    reasons: tuple[str, ...]

    def log_rate(self, kernel: str) -> float:
        """ln(events/s per CPU) on the fully loaded node; NaN = there is none."""
        return self.by_kernel.get(kernel, math.nan) + self.load.ln_factor


def smt_code(cpu: CpuDescription) -> float:
    """+0.5 with SMT on, -0.5 off, 0 where it is not known: a virtual machine with one thread a core may hide it."""
    if cpu.smt_on is None or (cpu.virtualised and not cpu.smt_on):
        return 0.0
    return 0.5 if cpu.smt_on else -0.5


def rates_of(evidence: NodeEvidence, kernels: dict[str, str] | None) -> Rates:
    """The rates of a node that can be compared.

    Args:
        evidence: of the node or a slot.
        kernels: kernel → version that is asked for; None = all, in the version that is there.
    """
    reasons: list[str] = []
    chosen: dict[str, PayloadScore] = {}
    for score in evidence.scores:
        if score.backend != "cpu":
            continue
        wanted = score.version if kernels is None else kernels.get(score.kernel)
        if wanted != score.version:
            known = f"it was calibrated with version {wanted}" if wanted else "nothing was calibrated with it"
            reasons.append(f"{score.kernel} has version {score.version}, {known}")
            continue
        if score.baseline_events_per_s is None:
            reasons.append(f"{score.kernel} has no rate of the instruction set that CMSSW ships")
            continue
        other = chosen.get(score.kernel)
        if other is None or score.copies > other.copies:
            chosen[score.kernel] = score
    # Rates at different loads do not belong into one mean: the fullest load decides.
    copies = max((score.copies for score in chosen.values()), default=0)
    for name, score in list(chosen.items()):
        if score.copies < copies:
            del chosen[name]
            reasons.append(f"{name} was run on {score.copies} CPUs, the others on {copies}")
    by_kernel = {
        name: math.log(score.baseline_events_per_s / score.copies)
        for name, score in sorted(chosen.items())
        if score.baseline_events_per_s
    }
    disturbance, doubts = _disturbance(tuple(chosen.values()), _present(evidence))
    return Rates(
        by_kernel,
        copies,
        _to_full_load(evidence, tuple(chosen.values()), copies),
        disturbance,
        (*reasons, *doubts),
    )


def _present(evidence: NodeEvidence) -> int | None:
    return evidence.cpu.logical_cpus or evidence.cores_present or None


def _disturbance(scores: tuple[PayloadScore, ...], present: int | None) -> tuple[float, list[str]]:
    says: list[str] = []
    steal = max((score.steal_share or 0.0 for score in scores), default=0.0)
    if steal > DISTURBED_SHARE:
        says.append(f"the hypervisor gave {steal:.0%} of the time to others")
    # What others did on CPUs that the copies had; without the number of CPUs they may all have been ours.
    crowd = max((_crowd(score, present) for score in scores), default=0.0)
    if crowd > DISTURBED_SHARE:
        says.append(f"other processes kept {crowd:.0%} of the loaded CPUs busy")
    sigma = -math.log(max(1 - steal, 0.1)) - math.log(max(1 - crowd, 0.1))
    if any(score.throttled for score in scores):
        says.append("the CPU was throttled")
        sigma = math.hypot(sigma, DISTURBED_SHARE)
    return sigma, says


def _crowd(score: PayloadScore, present: int | None) -> float:
    return (
        max(score.copies + (score.others_cpus or 0.0) - max(present or 0, score.copies), 0.0) / score.copies
    )


def _to_full_load(evidence: NodeEvidence, scores: tuple[PayloadScore, ...], copies: int) -> FullLoad:
    present = _present(evidence)
    if not copies:
        return FullLoad(0.0, 0.0, "")
    if present is None:
        return FullLoad(0.0, _UNKNOWN_LOAD_SIGMA, "how many CPUs the node has is not known")
    others = min((score.others_cpus or 0.0 for score in scores), default=0.0)
    share = min((copies + others) / present, 1.0)
    if share >= FULL_SHARE:
        return FullLoad(0.0, 0.0, "")
    # Where SMT is not visible the steeper shape is the safer one: its interval holds the other.
    found = shape(share, smt_on=evidence.cpu.smt_on is not False)
    return FullLoad(
        -math.log(found.factor),
        found.sigma,
        f"{copies + others:.0f} of {present} CPUs were busy, so a full node does {1 / found.factor:.2f} times as much per CPU",
    )
