"""Does `agent bench` say the same of the same machine twice? Whole measurements, beside a loop measured alike.

    python -m benchmarks.repeatability [--kernel NAME] [--rounds N] [--budget SECONDS] [--alone]

A measurement is all that a run does for its figure: new processes, repeats until the interval is within 1 % or the
budget of the kernel ends, the median of the repeats that count. After each measurement of a kernel comes one of the
reference loop (no memory, no vectors), by the same code with as many pinned processes. What scatters in both is the
machine; what scatters in the kernel alone is ours. The median absolute deviation over the rounds is printed for both,
and for all repeats of a kernel, which shows what the estimate gains over a single repeat.

Each kernel is measured with all granted processors, and with --alone with one copy, too.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from payloads import compiled
from payloads.catalogue import Kernel, choose, kernels
from payloads.chains import Prepared, Verified, prepare_all, request_of
from payloads.conditions import Watcher
from payloads.measured_kernel import measure_kernel
from payloads.outcome import Series, VariantOutcome
from payloads.placement import order
from payloads.plan import BUDGETS_S, Options, Step, VariantPlan
from payloads.team import LEAD_S, Copies, Team
from payloads.verify import Verdict

DEFAULT_BUDGET_S = BUDGETS_S["default"] / 16
"""What a default run of eight kernels has for the best variant of one: half of the time is for preparing and baselines."""


def mad(samples: Sequence[float]) -> float:
    """Median absolute deviation over the median."""
    middle = statistics.median(samples)
    return statistics.median([abs(sample - middle) for sample in samples]) / middle


def _spin(cpu: int, start: float, end: float) -> dict[str, Any]:
    """The reference loop on one processor, as `payloads.measuring` runs passes over events."""
    os.sched_setaffinity(0, {cpu})
    loop = compiled.load("scalar").reference_loop_s
    while time.monotonic() < start:
        pass
    began, cpu_before = time.monotonic(), time.process_time()
    rounds, seconds = 0, 0.0
    while rounds == 0 or time.monotonic() + seconds / rounds / 2 <= end:
        seconds += loop()
        rounds += 1
    return {
        "events": rounds, "seconds": seconds, "began": began, "ended": time.monotonic(),
        "cpu_s": time.process_time() - cpu_before, "same_bits": True, "major_faults": 0, "preempted": 0,
    }  # fmt: skip


class Loops:
    """The reference loop in place of the copies of a kernel."""

    def __init__(self, copies: int) -> None:
        self._pool = ProcessPoolExecutor(copies)
        self._cpus: list[int] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown()

    def start(self, cpus: Sequence[int], end: float) -> list[dict[str, Any]]:  # noqa: ARG002 - payloads.team.Copies
        self._cpus += cpus
        now = time.monotonic()
        passes = self._pool.map(_spin, cpus, [now] * len(cpus), [now] * len(cpus))
        return [
            {
                "events": 1, "pass_s": one["seconds"], "digest": "", "memory_bytes": None, "event_bytes": 0,
                "workspace_bytes": 0, "isa": "", "lanes": 1, "compiler": "", "flags": "",
            }
            for one in passes
        ]  # fmt: skip

    def run(self, copies: int, window_s: float, patience_s: float) -> list[dict[str, Any]]:  # noqa: ARG002
        start = time.monotonic() + LEAD_S
        return list(self._pool.map(_spin, self._cpus[:copies], [start] * copies, [start + window_s] * copies))

    def rest(self, patience_s: float) -> None:  # noqa: ARG002
        return None

    def cpu_s(self) -> float:
        return sum(os.times()[:4])

    def finish(self) -> list[dict[str, Any]]:
        return []


@dataclass
class Figures:
    """What whole measurements of one thing with so many copies reported."""

    medians: list[float] = field(default_factory=list)
    repeats: list[float] = field(default_factory=list)
    set_aside: int = 0

    def add(self, series: Series) -> None:
        self.medians.append(series.rate.median)
        self.repeats += series.samples
        self.set_aside += len(series.set_aside)

    def told(self) -> str:
        return f"{mad(self.medians):>8.2%} {mad(self.repeats):>8.2%} {len(self.repeats) / len(self.medians):>8.1f} {self.set_aside:>6}"


def measured(
    prepared: Prepared, options: Options, steps: tuple[Step, ...], budget_s: float, team: Callable[[], Copies]
) -> VariantOutcome:
    """One whole measurement, as the runner does it."""
    (name,) = prepared.variants
    end = time.monotonic() + budget_s
    found = measure_kernel(
        prepared, [VariantPlan(name, "best", steps)], options, open_team=lambda _: team(),
        watcher=Watcher(options.cpus), end=end, run_end=end + 60, stop=lambda: False, told=lambda _: None,
    )  # fmt: skip
    (variant,) = found.variants
    if variant.reason is not None:
        raise SystemExit(f"{prepared.kernel.name}: {variant.reason}")
    return variant


def repeatability(
    chosen: Sequence[Kernel], rounds: int, budget_s: float, place: Path, *, alone: bool
) -> None:
    """Measure each kernel and the loop by turns, and print how far their figures scatter."""
    cpus = order(os.sched_getaffinity(0))
    options = Options(mode="default", budget_s=3600, cpus=cpus, copies=len(cpus), places=(place,))
    variant = compiled.best_variant().name
    steps = tuple(Step(copies, 1.0) for copies in sorted({1, len(cpus)} if alone else {len(cpus)}))
    ready = prepare_all(
        [(kernel, [variant]) for kernel in chosen],
        options,
        time.monotonic() + 600,
        lambda: False,
        lambda *_: None,
    )
    figures: dict[tuple[str, int, str], Figures] = {}
    for _ in range(rounds):
        for one in ready:
            if one.reason is not None:
                raise SystemExit(f"{one.kernel.name}: {one.reason}")
            request = {
                **request_of(one.kernel, options),
                "variant": variant,
                "events_directory": one.directory,
            }
            as_loop = Prepared(one.kernel, variants={variant: Verified(Verdict(right=True))})
            teams: dict[str, tuple[Prepared, Callable[[], Copies]]] = {
                "kernel": (one, lambda request=request: Team(request, lambda: False)),  # type: ignore[misc]
                "loop": (as_loop, lambda: Loops(len(cpus))),
            }
            for what, (prepared, team) in teams.items():
                for copies, series in measured(prepared, options, steps, budget_s, team).series.items():
                    figures.setdefault((one.kernel.name, copies, what), Figures()).add(series)
    print(
        f"{'':34} {'MAD of figures':>14} {'of repeats':>10} {'repeats':>8} {'aside':>6}   beside: the reference loop"
    )
    for name, copies, what in figures:
        if what == "kernel":
            ours, loop = figures[name, copies, "kernel"], figures[name, copies, "loop"]
            head = f"{name}, {copies} {'copy' if copies == 1 else 'copies'}, {variant}"
            print(f"{head:<40} {ours.told()}   | {loop.told()}")


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kernel", action="append", default=[])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--budget", type=float, default=DEFAULT_BUDGET_S, help="seconds a measurement")
    parser.add_argument("--alone", action="store_true", help="measure one copy, too")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        repeatability(
            choose(kernels(), asked.kernel),
            asked.rounds,
            asked.budget,
            Path(directory) / "events",
            alone=asked.alone,
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
