"""What fits into the time that a slot has: probes first, then kernels, fewer of them before none. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from agent.pilot.duration import shown
from agent.pilot.settings import Thoroughness

Mode = Literal["quick", "default", "thorough"]

HAND_OVER_SHARE = 0.1
"""Of the time, for files and delivery: policy, with the bounds below."""

HAND_OVER_LEAST_S = 2.0
HAND_OVER_MOST_S = 30.0

ENDING_S = 2.0
"""Probes and copies are ended and the profile is put together in less (children have 1 s to vanish when killed)."""

LEAST_S = 1.0
"""Below this nothing can be found out: the interpreter itself takes a good part of it."""

LEAST_KERNEL_S = 7.0
"""A kernel measured in less says too little: the quick benchmark gives each of the eight kernels that much."""

_LOWER: dict[Mode, tuple[Mode, ...]] = {
    "thorough": ("thorough", "default", "quick"),
    "default": ("default", "quick"),
    "quick": ("quick",),
}


class TooShortError(Exception):
    """The slot ends before anything can be found out; the text says when."""


@dataclass(frozen=True)
class Times:
    """How the time is shared out.

    Attributes:
        total_s: from the start of the pilot to its end, whatever happens.
        hand_over_s: of it, at the end, for files and delivery.
        probe_s: bound on the probes; what they leave is the benchmark's.
        limited_by: what bounds `total_s`, for a sentence.
    """

    total_s: float
    hand_over_s: float
    probe_s: float
    limited_by: str

    @property
    def measure_s(self) -> float:
        """When probes and benchmark have to be over, from the start of the pilot."""
        return self.total_s - self.hand_over_s


def share_out(
    budget_s: float,
    life_s: float | None,
    *,
    life_source: str,
    margin_s: float,
    probes_s: float,
    spent_s: float = 0.0,
) -> Times:
    """Share out the smaller of budget and life.

    Args:
        budget_s: what the user allows.
        life_s: what is left of the slot; None = no source says.
        life_source: who says so.
        margin_s: how long before the end of the slot to be over; at most half of its life.
        probes_s: what the probes may take at most.
        spent_s: of the budget, on getting here; the life is what is left now.

    Raises:
        TooShortError: less than `LEAST_S` would be left.
    """
    total_s, limited_by = budget_s - spent_s, f"the budget of {shown(budget_s)}"
    if life_s is not None:
        usable_s = life_s - min(margin_s, life_s / 2)
        if usable_s < total_s:
            total_s = usable_s
            limited_by = f"the end of the slot in {shown(max(life_s, 0.0))} ({life_source})"
    if total_s < LEAST_S:
        raise TooShortError(f"nothing was looked at: {limited_by} leaves no time; ask for a longer slot")
    hand_over_s = min(max(HAND_OVER_SHARE * total_s, HAND_OVER_LEAST_S), HAND_OVER_MOST_S, total_s / 3)
    measure_s = total_s - hand_over_s
    return Times(total_s, hand_over_s, min(probes_s, measure_s - min(ENDING_S, measure_s / 4)), limited_by)


@dataclass(frozen=True)
class BenchPlan:
    """What of the benchmark fits.

    Attributes:
        mode: how thoroughly; None = nothing is measured.
        budget_s: for all kernels.
        kernels: by priority.
        reasons: what was given up for lack of time, a sentence each; empty = nothing.
    """

    mode: Mode | None
    budget_s: float
    kernels: tuple[str, ...]
    reasons: tuple[str, ...] = ()


def plan_bench(
    left_s: float, kernels: Sequence[str], wanted: Thoroughness, kernel_s: Mapping[Mode, float]
) -> BenchPlan:
    """The most thorough benchmark that fits into `left_s`: all kernels less thoroughly before fewer kernels.

    Args:
        left_s: until the hand-over begins.
        kernels: that there are, by priority.
        wanted: as the user wants it.
        kernel_s: what one kernel takes in each mode.
    """
    if wanted == "none" or not kernels:
        return BenchPlan(None, 0.0, ())
    room_s = left_s - ENDING_S
    best: Mode = "default" if wanted == "auto" else wanted
    for mode in _LOWER[best]:
        needed_s = kernel_s[mode] * len(kernels)
        if room_s >= needed_s:
            # Time that would not suffice for the next mode buys repeats in this one.
            budget_s = needed_s if mode == best else room_s
            given_up = wanted not in ("auto", mode)
            return BenchPlan(
                mode, budget_s, tuple(kernels),
                (f"the {wanted} benchmark needs {shown(kernel_s[best] * len(kernels))} and {shown(room_s)} are left: {mode}",)
                if given_up else (),
            )  # fmt: skip
    number = min(math.floor(room_s / LEAST_KERNEL_S), len(kernels)) if room_s > 0 else 0
    if number == 0:
        reason = f"not benchmarked: {shown(max(room_s, 0.0))} are left and one kernel needs {shown(LEAST_KERNEL_S)}"
        return BenchPlan(None, 0.0, (), (reason,))
    if number == len(kernels):
        return BenchPlan("quick", room_s, tuple(kernels))
    return BenchPlan(
        "quick", room_s, tuple(kernels[:number]),
        (f"no time to benchmark {', '.join(kernels[number:])}",),
    )  # fmt: skip
