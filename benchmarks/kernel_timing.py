"""What the benchmarks of kernels share: every variant at W = 1 and at its width in turns, beside a reference loop of the same run.

One thread. Turns, so that a drift of the machine hits all alike; the least of the rounds, since neighbours only ever add; the
median beside it tells how much they did. An event's cost is also given in reference loops (payloads/host/reference_loop.h),
which drift with the clock as a kernel does. Events are timed by the thread's processor time, stages by the wall.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from payloads.arrays import Array
from payloads.compiled import Opened, load, open_kernel, variants


@dataclass
class Timed:
    """One variant at one width, and its rounds."""

    variant: str
    lanes: int
    opened: Opened
    event_s: list[float] = field(default_factory=list)
    """Of an event, by round."""
    loop_s: list[float] = field(default_factory=list)
    stages_s: dict[str, float] = field(default_factory=dict)
    """Of an event, the least of the rounds."""

    @property
    def least_s(self) -> float:
        """Of an event."""
        return min(self.event_s)


def seconds_of(work: Callable[[], object]) -> float:
    """Processor time of this thread for something."""
    start = time.thread_time()
    work()
    return time.thread_time() - start


def time_variants(kernel: str, events: dict[str, Array], rounds: int) -> list[Timed]:
    """All that this processor runs, on all of these events."""
    every = [
        Timed(variant.name, lanes, open_kernel(variant.name, kernel, events, {}, lanes))
        for variant in variants()
        if variant.usable
        for lanes in sorted({1, load(variant.name).lanes}, reverse=True)
    ]
    for _ in range(rounds):
        for one in every:
            _add_round(one)
    return every


def _add_round(one: Timed) -> None:
    opened, count = one.opened, one.opened.events

    def all_events() -> None:
        for event in range(count):
            opened.process(event)

    one.loop_s.append(load(one.variant).reference_loop_s())
    one.event_s.append(seconds_of(all_events) / count)
    by_event = [opened.stages(event) for event in range(count)]
    for stage in by_event[0]:
        mean = statistics.fmean(event[stage] for event in by_event)
        one.stages_s[stage] = min(one.stages_s.get(stage, mean), mean)


def print_table(every: Sequence[Timed], reference_s: float | None = None) -> None:
    """In Markdown: a row a variant and width.

    Args:
        every: of `time_variants`.
        reference_s: of an event in the NumPy reference, if that was timed.
    """
    loop_s = min(min(one.loop_s) for one in every)
    alone = {one.variant: one.least_s for one in every if one.lanes == 1}
    print(
        f"reference loop {1e3 * loop_s:.2f} ms; workspace {every[0].opened.workspace_bytes / 1e6:.1f} MB"
        + ("" if reference_s is None else f"; NumPy reference {1e3 * reference_s:.0f} ms an event")
    )
    print(
        "| variant | lanes | ms an event (median) | events/s | reference loops | times its own W = 1 | us by stage |"
    )
    print("|---|---|---|---|---|---|---|")
    for one in every:
        stages = ", ".join(f"{stage} {1e6 * seconds:.0f}" for stage, seconds in one.stages_s.items())
        print(
            f"| {one.variant} | {one.lanes} | {1e3 * one.least_s:.3f} ({1e3 * statistics.median(one.event_s):.3f}) | "
            f"{1 / one.least_s:.1f} | {one.least_s / loop_s:.2f} | {alone[one.variant] / one.least_s:.2f} | {stages} |"
        )
