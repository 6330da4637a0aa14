"""Right physics or no score: what a variant computed is held against truth, the reference and its other copies."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from payloads.catalogue import PhysicsRange


@dataclass(frozen=True, kw_only=True)
class Metric:
    """One figure of physics beside what it may be. `value` None = not a number, or not given at all."""

    name: str
    value: float | None
    allowed: PhysicsRange | None

    @property
    def right(self) -> bool:
        """Whether it is within its range; a figure without a range is only told."""
        if self.allowed is None:
            return True
        return self.value is not None and self.allowed.holds(self.value)


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """Whether the right thing was computed; if not, why in one sentence."""

    right: bool
    metrics: tuple[Metric, ...] = ()
    reason: str | None = None


def judge(
    allowed: Mapping[str, PhysicsRange], measured: Mapping[str, float], differences: str | None
) -> Verdict:
    """The verdict on one variant.

    Args:
        allowed: of the manifest; each of them must have been measured.
        measured: what `physics.measure` says of the benchmark's events.
        differences: from the reference beyond its tolerance, in a sentence; None = none.
    """
    metrics = [
        Metric(name=name, value=_number(measured.get(name)), allowed=bound) for name, bound in allowed.items()
    ]
    metrics += [
        Metric(name=name, value=_number(value), allowed=None)
        for name, value in measured.items()
        if name not in allowed
    ]
    faults = [_fault(metric) for metric in metrics if not metric.right]
    if differences is not None:
        faults.insert(0, f"differs from the reference: {differences}")
    return Verdict(right=not faults, metrics=tuple(metrics), reason="; ".join(faults)[:4000] or None)


def _number(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _fault(metric: Metric) -> str:
    assert metric.allowed is not None
    bounds = f"{metric.allowed.low:g} to {metric.allowed.high:g}"
    if metric.value is None:
        return f"{metric.name} is not a number, it should be {bounds}"
    return f"{metric.name} is {metric.value:.4g}, it should be {bounds}"


def same_bits(verified: str, copies: Iterable[tuple[str, str, bool]]) -> str | None:
    """Whether all copies computed what was verified; if not, who did not.

    Args:
        verified: digest of the results that were verified.
        copies: name, digest of the warm-up, and whether every later pass had that digest too.
    """
    for name, digest, steady in copies:
        if digest != verified:
            return f"{name} computed other bits ({digest}) than were verified ({verified}): suspect its core or memory"
        if not steady:
            return f"{name} did not compute the same bits in every pass: suspect its core or memory"
    return None
