"""How long a run may take and what it measures in that time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from payloads.children import WORKER
from payloads.outcome import Role
from payloads.placement import curve

Mode = Literal["quick", "default", "thorough"]

BUDGETS_S: dict[Mode, float] = {"quick": 56.0, "default": 165.0, "thorough": 1200.0}
"""What is measured within 60 s, 180 s and as long as it takes; the rest is for the facts of the node and the ending."""

RELATIVE_GOAL = 0.01
"""Repeats end when half the 68 % interval of the median is this share of it."""

LEAST_REPEATS = 7
"""With five the interval is too often small by chance: whole measurements of repeats that scatter by 5 % then scatter by
1.0 %, with seven by 0.8 %, for 5 % more repeats (250 simulated measurements)."""

MOST_REPEATS = 60
LONGEST_WINDOW_S = 2.0
SHORTEST_WINDOW_S = 0.2


@dataclass(frozen=True, kw_only=True)
class Options:
    """What to run and with what.

    Attributes:
        mode: how thoroughly.
        budget_s: bound on everything.
        cpus: processors in the order in which copies take them.
        copies: how many at most.
        variants: measure these, the first as the best; empty = chosen by the mode.
        memory_bytes: granted to all copies together; None = not known.
        memory_per_copy_bytes: private memory that one copy may have.
        places: directories for events, the first that can be used is.
        cache_max_bytes: bound of each.
        most_repeats: of one series.
        longest_window_s: of one repeat, if a pass over the events is not longer.
        patience_s: how long a copy may be late before it counts as hanging.
        in_flight: events at a time on a GPU, where its memory allows.
        command: what is started as a worker.
    """

    mode: Mode
    budget_s: float
    cpus: tuple[int, ...]
    copies: int
    variants: tuple[str, ...] = ()
    memory_bytes: int | None = None
    memory_per_copy_bytes: int = 2 * 1024**3
    places: tuple[Path, ...] = ()
    cache_max_bytes: int = 4 * 1024**3
    most_repeats: int = MOST_REPEATS
    longest_window_s: float = LONGEST_WINDOW_S
    patience_s: float = 20.0
    in_flight: int = 8
    command: tuple[str, ...] = WORKER


@dataclass(frozen=True)
class Step:
    """One series: how many copies, and its share of the kernel's time."""

    copies: int
    weight: float


@dataclass(frozen=True)
class VariantPlan:
    """The series of one variant, by rising number of copies."""

    name: str
    role: Role
    steps: tuple[Step, ...]

    @property
    def weight(self) -> float:
        """Its share of the kernel's time."""
        return sum(step.weight for step in self.steps)


def plan(
    mode: Mode, usable: Sequence[str], baselines: Sequence[str], copies: int, asked: Sequence[str] = ()
) -> tuple[VariantPlan, ...]:
    """What is measured of one kernel.

    Args:
        mode: how thoroughly.
        usable: variants, widest first.
        baselines: of them, what CMSSW ships.
        copies: all of them.
        asked: variants that the user named; empty = chosen here.
    """
    names = list(asked) or list(usable[:1])
    if not asked:
        names += [name for name in usable if name in baselines and name not in names]
        if mode == "thorough":
            names += [name for name in usable if name not in names]
    plans = []
    for place, name in enumerate(names):
        role: Role = "best" if place == 0 else _role(name, baselines)
        if place == 0:
            ends = {1: 1.0, copies: 2.0}
            between = curve(copies) if mode == "thorough" else ()
            weights = {**dict.fromkeys(between, 1.0), **ends}
        elif mode == "thorough":
            weights = {1: 1.0, copies: 1.0}
        else:
            weights = {copies: 1.5}
        plans.append(
            VariantPlan(name, role, tuple(Step(number, weights[number]) for number in sorted(weights)))
        )
    return tuple(plans)


def _role(name: str, baselines: Sequence[str]) -> Role:
    if name in baselines:
        return "baseline"
    return "scalar" if name == "scalar" else "other"


def window(options: Options, step_s: float, pass_s: float) -> float:
    """Length of one repeat: some ten of them in a step, none shorter than a pass over the events."""
    wanted = min(max(step_s / 10, SHORTEST_WINDOW_S), options.longest_window_s)
    return max(wanted, pass_s)
