"""A whole benchmark run: which variants, events and physics first, then pinned copies kernel by kernel, within a budget.

Whatever fails costs its kernel only; whatever was measured before a signal or the end of the budget is kept.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from payloads import chains, compiled
from payloads.catalogue import Kernel
from payloads.chains import Prepared, StoppedError, request_of
from payloads.children import Stop
from payloads.compiled import BASELINES, NO_KERNELS
from payloads.conditions import Watcher
from payloads.errors import PayloadError
from payloads.measured_kernel import Progress, Told, measure_kernel
from payloads.outcome import BenchOutcome, KernelOutcome, LeftOut
from payloads.plan import Options, plan
from payloads.team import Copies, Team

PREPARING_SHARE = 0.6
"""Of the budget, at most: events of a first run have to be made, but something has to be measured, too."""

OpenTeam = Callable[[Mapping[str, Any], Stop], Copies]


@dataclass
class Seams:
    """What tests replace: everything that is not this process."""

    variants: Callable[[], Sequence[compiled.Variant]] = compiled.variants
    describe: Callable[..., dict[str, dict[str, Any] | PayloadError]] = chains.describe
    prepare_all: Callable[..., list[Prepared]] = chains.prepare_all
    open_team: OpenTeam | None = None


class Bench:
    """One run.

    Args:
        kernels: to measure, in this order.
        options: how.
        told: is given each step as it begins.
        seams: what tests replace.
    """

    def __init__(
        self,
        kernels: Sequence[Kernel],
        options: Options,
        told: Told = lambda _: None,
        seams: Seams | None = None,
    ) -> None:
        self._kernels = kernels
        self._options = options
        self._told = told
        self._seams = seams or Seams()
        self._signal: str | None = None
        self._began = time.monotonic()

    def interrupt(self, signal_name: str) -> None:
        """Ask the run to end now with what it has; safe to call from a signal handler."""
        self._signal = signal_name

    def stopped(self) -> bool:
        """Whether the run has to end now."""
        return self._signal is not None

    def run(self) -> BenchOutcome:
        """Measure everything that the budget allows."""
        self._began = time.monotonic()
        end = self._began + self._options.budget_s
        outcome = BenchOutcome(cpus=self._options.cpus[: self._options.copies], copies=self._options.copies)
        usable = self._usable(outcome, end)
        if usable:
            self._measure(outcome, usable, end)
        elif outcome.not_built:
            outcome.kernels = [
                KernelOutcome(kernel, reason=outcome.not_built, failed=True) for kernel in self._kernels
            ]
        done = {found.kernel.name for found in outcome.kernels}
        reason = f"interrupted by {self._signal}" if self._signal else None
        for kernel in self._kernels:
            if kernel.name not in done:
                outcome.kernels.append(
                    KernelOutcome(kernel, reason=reason or "the budget ended before it began")
                )
        outcome.interrupted_by = self._signal
        outcome.duration_s = time.monotonic() - self._began
        return outcome

    def _usable(self, outcome: BenchOutcome, end: float) -> dict[str, dict[str, Any]]:
        """Variants that this processor runs and that load, widest first; the others are left out with their reason."""
        known = self._seams.variants()
        wanted = [variant for variant in known if variant.usable]
        outcome.left_out += [LeftOut(one.name, one.reason or "") for one in known if not one.usable]
        for name in self._options.variants if known else ():
            if name not in [variant.name for variant in wanted]:
                there = ", ".join(variant.name for variant in wanted) or "none"
                outcome.not_built = f"variant {name} cannot be used here; there are: {there}"
                return {}
        asked = [
            one.name for one in wanted if not self._options.variants or one.name in self._options.variants
        ]
        described = self._seams.describe(asked, self._options, end, self.stopped)
        usable = {}
        for name, answer in described.items():
            if isinstance(answer, StoppedError):
                outcome.out_of_budget |= not self.stopped()
            elif isinstance(answer, PayloadError):
                outcome.left_out.append(LeftOut(name, str(answer)))
            else:
                usable[name] = answer
        if not usable and not outcome.out_of_budget and not self.stopped():
            outcome.not_built = _nothing_usable(outcome.left_out)
        return usable

    def _measure(self, outcome: BenchOutcome, usable: Mapping[str, dict[str, Any]], end: float) -> None:
        options = self._options
        plans = {}
        for kernel in self._kernels:
            names = [name for name, about in usable.items() if kernel.name in about["kernels"]]
            if names:
                asked = [name for name in options.variants if name in names]
                plans[kernel.name] = plan(options.mode, names, BASELINES, options.copies, asked)
            else:
                reason = f"the compiled modules do not hold {kernel.name}: install sitecap again"
                outcome.kernels.append(KernelOutcome(kernel, reason=reason, failed=True))
        wanted = [
            (kernel, [one.name for one in plans[kernel.name]])
            for kernel in self._kernels
            if kernel.name in plans
        ]
        preparing_end = self._began + PREPARING_SHARE * options.budget_s
        prepared = self._seams.prepare_all(
            wanted, options, preparing_end, self.stopped,
            lambda kernel, what: self._told(Progress(kernel=kernel, doing=what, left_s=end - time.monotonic())),
        )  # fmt: skip
        watcher = Watcher(options.cpus)
        for place, one in enumerate(prepared):
            chains.bits_agree(one.variants)
            now = time.monotonic()
            if self.stopped() or now >= end:
                outcome.out_of_budget |= not self.stopped()
                break
            kernel_end = now + (end - now) / (len(prepared) - place)
            found = measure_kernel(
                one, plans[one.kernel.name], options,
                open_team=self._open_team(one), watcher=watcher, end=min(kernel_end, end), run_end=end,
                stop=self.stopped, told=self._told,
            )  # fmt: skip
            outcome.kernels.append(found)
            outcome.out_of_budget |= found.reason is not None and not found.failed and not self.stopped()
        order = {kernel.name: place for place, kernel in enumerate(self._kernels)}
        outcome.kernels.sort(key=lambda found: order[found.kernel.name])
        outcome.out_of_budget |= not self.stopped() and len(outcome.kernels) < len(self._kernels)

    def _open_team(self, one: Prepared) -> Callable[[str], Copies]:
        options = self._options
        request = {
            **request_of(one.kernel, options),
            "events_directory": one.directory,
            "memory_bytes": options.memory_per_copy_bytes,
        }

        def open_variant(variant: str) -> Copies:
            whole = {**request, "variant": variant}
            if self._seams.open_team is not None:
                return self._seams.open_team(whole, self.stopped)
            return Team(whole, self.stopped, options.command)

        return open_variant


def _nothing_usable(left_out: Sequence[LeftOut]) -> str:
    if not left_out:
        return NO_KERNELS
    return "no compiled variant can be used: " + "; ".join(f"{one.name}: {one.reason}" for one in left_out)
