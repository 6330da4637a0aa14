"""Kernels on one GPU: physics first, then events per second end to end and of the kernels alone.

Each kernel is verified and measured in one child; a driver that hangs is killed with it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from payloads.backends.devices import Gpu
from payloads.catalogue import Kernel
from payloads.chains import request_of
from payloads.children import ask_one
from payloads.compiled import best_variant
from payloads.errors import PayloadError
from payloads.measured_kernel import BUDGET_ENDED, INTERRUPTED, Progress, Told
from payloads.outcome import EventsOutcome
from payloads.plan import Options
from payloads.verify import Verdict, judge

PASSES_SHARE = 0.1
"""Of a kernel's time, for the timed passes of either kind; the rest is for its events, physics and code."""

LONGEST_PASSES_S = 5.0


@dataclass
class DeviceOutcome:
    """One kernel on a GPU.

    Attributes:
        kernel: that was measured.
        gpu: on which.
        verdict: on its physics; None where that was not reached.
        digest: of its results.
        end_to_end_s: wall seconds an event, events copied in and results out, one a pass.
        kernel_only_s: the same with events and results left on the GPU.
        about: what the child said of the run: slots, threads, bytes.
        events: that were measured on.
        said: what has to be known.
        reason: why something is missing.
        failed: whether that is the kernel's or the GPU's fault.
    """

    kernel: Kernel
    gpu: Gpu
    verdict: Verdict | None = None
    digest: str | None = None
    end_to_end_s: list[float] = field(default_factory=list)
    kernel_only_s: list[float] = field(default_factory=list)
    about: dict[str, Any] = field(default_factory=dict)
    events: EventsOutcome | None = None
    said: list[str] = field(default_factory=list)
    reason: str | None = None
    failed: bool = False


Ask = Callable[[str, Mapping[str, Any], float], dict[str, Any]]
"""Has a request answered under a name by a deadline; raises PayloadError."""


class DeviceBench:
    """One run on one GPU.

    Args:
        kernels: to measure, in this order.
        gpu: on which.
        options: how; of them the budget, the places and the worker.
        told: is given each step as it begins.
        ask: what tests replace.
    """

    def __init__(
        self,
        kernels: Sequence[Kernel],
        gpu: Gpu,
        options: Options,
        told: Told = lambda _: None,
        ask: Ask | None = None,
    ) -> None:
        self._kernels = kernels
        self._gpu = gpu
        self._options = options
        self._told = told
        self._ask = ask or self._ask_child
        self._end = 0.0
        self._signal: str | None = None

    def interrupt(self, signal_name: str) -> None:
        """Ask the run to end now with what it has; safe to call from a signal handler."""
        self._signal = signal_name

    @property
    def interrupted_by(self) -> str | None:
        """The signal that ended the run, if one did."""
        return self._signal

    def stopped(self) -> bool:
        """Whether the run has to end now."""
        return self._signal is not None

    def run(self) -> list[DeviceOutcome]:
        """Measure every kernel within the budget."""
        self._end = time.monotonic() + self._options.budget_s
        found = []
        for place, kernel in enumerate(self._kernels):
            outcome = DeviceOutcome(kernel, self._gpu)
            found.append(outcome)
            now = time.monotonic()
            seconds = (self._end - now) / (len(self._kernels) - place)
            if self.stopped() or seconds <= 0:
                outcome.reason = INTERRUPTED if self.stopped() else BUDGET_ENDED
                continue
            try:
                self._measure(outcome, seconds)
            except PayloadError as error:
                ended = INTERRUPTED if self.stopped() else None
                outcome.reason = ended or str(error)
                outcome.failed = ended is None
        return found

    def _ask_child(self, name: str, request: Mapping[str, Any], end: float) -> dict[str, Any]:
        return ask_one(self._options.command, name, request, end, self.stopped)

    def _measure(self, outcome: DeviceOutcome, seconds: float) -> None:
        kernel, device = outcome.kernel, f"{self._gpu.api}:{self._gpu.ordinal}"
        end = time.monotonic() + seconds
        request = request_of(kernel, self._options)
        self._tell(kernel, "events and reference")
        prepare = {**request, "task": "prepare", "threads": max(1, len(self._options.cpus))}
        events = self._ask(f"preparing {kernel.name}", prepare, end)
        outcome.said += events["said"]
        outcome.events = EventsOutcome(
            digest=events["digest"],
            size_bytes=events["size_bytes"],
            origin=events["origin"],
            simulation_version=events["simulation_version"],
        )
        request["events_directory"] = events["directory"]
        self._tell(kernel, f"physics and passes on {device}")
        on_gpu = {
            **request,
            "task": "device",
            "backend": self._gpu.api,
            "device": device,
            "seconds": min(PASSES_SHARE * seconds, LONGEST_PASSES_S),
        }
        answer = self._ask(f"{kernel.name} on {device} ({self._gpu.name})", on_gpu, end)
        outcome.verdict = judge(kernel.manifest.physics, answer["metrics"], answer["differences"])
        outcome.digest = answer["digest"]
        outcome.said += answer["said"]
        outcome.about = answer
        if not outcome.verdict.right:
            outcome.failed = True
            outcome.reason = "its physics is not right, so it has no score"
            return
        outcome.end_to_end_s = [one / answer["events_a_pass"] for one in answer["end_to_end_s"]]
        outcome.kernel_only_s = [one / answer["events_a_pass"] for one in answer["kernel_only_s"]]
        self._compare(outcome, request, end)

    def _compare(self, outcome: DeviceOutcome, request: Mapping[str, Any], end: float) -> None:
        """Say whether the CPU computes the same bits: it should wherever both do the same operations."""
        variant = best_variant().name
        self._tell(outcome.kernel, f"the same events in {variant}")
        on_cpu = {**request, "task": "verify", "variant": variant}
        try:
            digest = self._ask(f"{outcome.kernel.name} in {variant}", on_cpu, end)["digest"]
        except PayloadError as error:
            outcome.said.append(f"its bits were not held against the CPU's: {error}")
            return
        same = (
            "the very bits of"
            if digest == outcome.digest
            else "other bits, within the reference's tolerance, than"
        )
        outcome.said.append(f"computes {same} {variant} on the CPU")

    def _tell(self, kernel: Kernel, doing: str) -> None:
        self._told(Progress(kernel=kernel.name, doing=doing, left_s=max(self._end - time.monotonic(), 0.0)))
