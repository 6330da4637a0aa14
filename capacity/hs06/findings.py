"""What a node's own figure, held against what its model should reach, tells of the node."""

from __future__ import annotations

import math
from collections.abc import Iterator

from capacity.hs06.combine import widen
from capacity.hs06.model import CpuDescription, Finding, Method, NodeEvidence, Rung

WARN = (0.86, 1.41)
"""5-95 % of production job slots against dedicated runs of the same model (HEPiX, 315 configurations)."""
FLAG = (0.7, 1.5)
STEAL_SHARE = 0.05
"""Wall time given to other guests from which on a hypervisor counts as oversubscribed: beyond repeat noise of 2-3 %."""
OVERLOADED = 1.25
"""Load of the node per CPU from which on jobs wait for one another."""
HALF_CHANNELS = (0.75, 0.95)
"""Gold 6140: with half of the DIMMs 0.85 (SMT on) and 0.92 (off) of its HS06 (HEPiX SL6 table)."""


def of_speed(found: Rung, expected: Rung, spread: float, evidence: NodeEvidence, usual_memory_gib: float | None) -> Iterator[Finding]:  # fmt: skip
    """Findings of a node whose own figure is outside the interval that its model makes one expect.

    Args:
        found: measured or payload rung, with a figure.
        expected: catalogue or family rung, with a figure.
        spread: what slots and virtual machines differ by, added to the expectation's sigma.
        evidence: of the node.
        usual_memory_gib: median of the catalogue's nodes of this configuration.
    """
    if not (found.hs23_per_core and found.sigma and expected.hs23_per_core and expected.sigma):
        return
    ratio = found.hs23_per_core / expected.hs23_per_core
    sigma = widen(widen(expected.sigma, spread), found.sigma)
    if abs(math.log(ratio)) <= sigma:
        return
    outside = next(
        (name for name, (low, high) in (("flag", FLAG), ("warn", WARN)) if not low <= ratio <= high), None
    )
    # Inside the band of production a third of sound nodes is outside one sigma; only twice that is worth a look.
    if outside is None and abs(math.log(ratio)) <= 2 * sigma:
        return
    level = "problem" if outside == "flag" else "warning" if outside == "warn" else "notice"
    band = FLAG if outside == "flag" else WARN
    low, high = (expected.hs23_per_core * math.exp(side * sigma) for side in (-1, 1))
    told = f"{found.hs23_per_core:.1f} HS23 per CPU by {found.method.value}, {ratio:.2f} of the {expected.hs23_per_core:.1f} that its {'model' if expected.method.value == 'catalogue' else 'family'} makes one expect ({low:.1f} to {high:.1f} with both uncertainties{f'; band {band[0]}-{band[1]}' if outside else ''})."
    if ratio > 1:
        yield Finding(code="fast-for-model", level=level, says=told, hint="Was the node loaded only in part, or is SMT off where it is said to be on?")  # fmt: skip
        return
    yield Finding(code="slow-for-model", level=level, says=told, hint=_why_slow(evidence))
    memory = evidence.cpu.memory_bytes
    if memory and usual_memory_gib and memory / 2**30 <= 0.6 * usual_memory_gib and HALF_CHANNELS[0] <= ratio <= HALF_CHANNELS[1]:  # fmt: skip
        yield Finding(
            code="half-memory-channels",
            level="notice",
            says=f"The node has {memory / 2**30:.0f} GiB, nodes of this model in the table have {usual_memory_gib:.0f}: perhaps only half of its memory channels are populated, which costs 8 to 15 %.",
            hint="Count the DIMMs with `dmidecode -t memory` against the channels of the processor.",
        )


def _why_slow(evidence: NodeEvidence) -> str:
    causes = [
        "a power or thermal limit",
        "a powersave governor",
        "SMT in another state",
        "memory channels left empty",
    ]
    if evidence.cpu.virtualised:
        causes.insert(0, "other guests on the same hypervisor")
    return f"Look for {', '.join(causes[:-1])} or {causes[-1]}."


def of_state(evidence: NodeEvidence) -> Iterator[Finding]:
    """Findings that need no expectation: throttled, oversubscribed, a machine that hides its processor."""
    throttled = [score.kernel for score in evidence.scores if score.throttled]
    if throttled:
        yield Finding(
            code="throttled",
            level="warning",
            says=f"The processor was throttled while {', '.join(throttled)} ran.",
            hint="Look at temperatures, fans and the power cap (`turbostat`, BMC).",
        )
    steal = max(
        (score.steal_share for score in evidence.scores if score.steal_share is not None), default=0.0
    )
    if steal > STEAL_SHARE:
        yield Finding(
            code="oversubscribed",
            level="warning",
            says=f"The hypervisor gave {100 * steal:.0f} % of the time to other guests while the payloads ran.",
            hint="The host has more virtual CPUs than it can serve; ask for pinned CPUs.",
        )
    cpus = evidence.cpu.logical_cpus or evidence.cores_present
    if cpus and evidence.load_1min is not None and evidence.load_1min > OVERLOADED * cpus:
        yield Finding(
            code="oversubscribed",
            level="notice",
            says=f"The load of the node is {evidence.load_1min:.0f} on {cpus} CPUs.",
            hint="More is running than there are CPUs: do slots add up to more than the node has?",
        )


def of_processor(
    cpu: CpuDescription, why_no_model: str | None, method: Method, *, calibrated: bool
) -> Iterator[Finding]:
    """What cannot be known of the processor, and what that costs.

    Args:
        cpu: of the node.
        why_no_model: why its name tells no model; None = it does.
        method: the rung that weighs most.
        calibrated: whether scores of its architecture are known.
    """
    if not calibrated:
        yield Finding(
            code="not-calibrated",
            level="warning",
            says=f"Nobody has ever published an HS23 or HS06 score for {cpu.arch or 'this architecture'}; the figure stands on {method.value} alone and says little.",
            hint="Run HEPscore23 on one such node and import it, or calibrate with `capacity calibrate`.",
        )
    if cpu.virtualised:
        hidden = f" ({why_no_model})" if why_no_model else ""
        yield Finding(
            code="virtual-machine",
            level="notice",
            says=f"A virtual machine{hidden}: a CPU may be a core or one thread of a core, and other guests share the host. The interval is widened.",
        )
