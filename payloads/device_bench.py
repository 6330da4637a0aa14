"""Kernels on GPUs: physics first, then events per second of each GPU alone, of all together, and beside a busy host.

Each kernel has a child a GPU; a driver that hangs is killed with it, and costs that GPU only.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

from payloads import host_beside
from payloads.backends.devices import Gpu
from payloads.catalogue import Kernel
from payloads.chains import request_of
from payloads.children import ChildError, Stop, ask_one
from payloads.device_outcome import DeviceOutcome, Kind, Passes
from payloads.device_team import DeviceProcesses, DeviceTeam
from payloads.errors import PayloadError
from payloads.gpu_conditions import GpuSnapshot, GpuSpell, remarks
from payloads.measured_kernel import BUDGET_ENDED, INTERRUPTED, NOT_RIGHT, Progress, Told
from payloads.outcome import EventsOutcome
from payloads.plan import Options
from payloads.team import Copies, Team
from payloads.verify import judge

PASSES_SHARE = 0.4
"""Of a kernel's time, for all its timed passes; the rest is for its events, physics, code and the CPUs."""

LONGEST_PASSES_S = 5.0

Ask = Callable[[str, Mapping[str, Any], float, Stop], dict[str, Any]]
"""Has a request answered under a name by a deadline; raises PayloadError."""


@dataclass
class Seams:
    """What tests replace: everything that is not this process; None = processes."""

    ask: Ask | None = None
    open_devices: Callable[[Kernel], DeviceTeam] | None = None
    open_copies: Callable[[Mapping[str, Any]], Copies] | None = None


@dataclass
class _OneKernel:
    kernel: Kernel
    outcomes: dict[Gpu, DeviceOutcome]
    request: dict[str, Any]
    end: float
    pass_s: float = 0.0
    good: list[Gpu] = field(default_factory=list)


class DeviceBench:
    """One run.

    Args:
        kernels: to measure, in this order.
        gpus: on which, at least one.
        options: how; of them the budget, the places, the CPUs and the worker.
        told: is given each step as it begins.
        seams: what tests replace.
    """

    def __init__(
        self,
        kernels: Sequence[Kernel],
        gpus: Sequence[Gpu],
        options: Options,
        told: Told = lambda _: None,
        seams: Seams | None = None,
    ) -> None:
        self._kernels = kernels
        self._gpus = gpus
        self._options = options
        self._told = told
        self._seams = seams or Seams()
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
        """Measure every kernel on every GPU within the budget; kernel by kernel."""
        self._end = time.monotonic() + self._options.budget_s
        found: list[DeviceOutcome] = []
        for place, kernel in enumerate(self._kernels):
            outcomes = {gpu: DeviceOutcome(kernel, gpu) for gpu in self._gpus}
            found += outcomes.values()
            now = time.monotonic()
            seconds = (self._end - now) / (len(self._kernels) - place)
            if self.stopped() or seconds <= 0:
                for outcome in outcomes.values():
                    outcome.reason = INTERRUPTED if self.stopped() else BUDGET_ENDED
                continue
            one = _OneKernel(kernel, outcomes, request_of(kernel, self._options), now + seconds)
            try:
                self._prepare(one)
                with self._devices(kernel) as team:
                    self._measure(one, team, seconds)
            except PayloadError as error:
                for outcome in outcomes.values():
                    self._fail(outcome, error)
        return found

    def _prepare(self, one: _OneKernel) -> None:
        self._tell(one, "events and reference")
        prepare = {**one.request, "task": "prepare", "threads": max(1, len(self._options.cpus))}
        events = self._ask(f"preparing {one.kernel.name}", prepare, one.end)
        one.request["events_directory"] = events["directory"]
        for outcome in one.outcomes.values():
            outcome.said += events["said"]
            outcome.events = EventsOutcome(
                digest=events["digest"],
                size_bytes=events["size_bytes"],
                origin=events["origin"],
                simulation_version=events["simulation_version"],
            )

    def _measure(self, one: _OneKernel, team: DeviceTeam, seconds: float) -> None:
        self._verify(one, team)
        windows = 3 * len(one.good) + (len(one.good) > 1)
        one.pass_s = min(PASSES_SHARE * seconds / max(windows, 1), LONGEST_PASSES_S)
        for gpu in list(one.good):
            self._passes(one, team, [gpu], "end_to_end")
            self._passes(one, team, [gpu], "kernel_only")
        if len(one.good) > 1:
            self._all_together(one, team)
        self._beside_busy_host(one, team)
        for gpu, answer in team.finish(one.good).items():
            if isinstance(answer, ChildError):
                one.outcomes[gpu].said.append(f"the GPU was not looked at again at the end: {answer}")
            else:
                one.outcomes[gpu].after = answer["after"]
        for gpu in one.good:
            _remark(one.outcomes[gpu])

    def _verify(self, one: _OneKernel, team: DeviceTeam) -> None:
        self._tell(one, f"physics on {', '.join(gpu.place for gpu in one.outcomes)}")
        requests = {
            gpu: {
                **one.request,
                "backend": gpu.api,
                "device": gpu.place,
                "bus_id": gpu.bus_id if gpu.api == "cuda" else None,
                "slots": self._options.in_flight,
            }
            for gpu in one.outcomes
        }
        for gpu, answer in team.start(requests, one.end).items():
            outcome = one.outcomes[gpu]
            if isinstance(answer, ChildError):
                self._fail(outcome, answer)
                continue
            outcome.verdict = judge(one.kernel.manifest.physics, answer["metrics"], answer["differences"])
            outcome.digest = answer["digest"]
            outcome.said += answer["said"]
            outcome.about = answer
            if outcome.verdict.right:
                one.good.append(gpu)
            else:
                outcome.failed = True
                outcome.reason = NOT_RIGHT

    def _passes(self, one: _OneKernel, team: DeviceTeam, gpus: Sequence[Gpu], kind: Kind) -> None:
        there = [gpu for gpu in gpus if gpu in one.good]
        if time.monotonic() >= one.end:
            for gpu in there:
                one.outcomes[gpu].missing[kind] = BUDGET_ENDED
                if kind == "end_to_end":
                    one.outcomes[gpu].reason = BUDGET_ENDED
            return
        if not there:
            return
        self._tell(one, f"{kind.replace('_', ' ')} on {', '.join(gpu.place for gpu in there)}")
        transfers = kind != "kernel_only"
        # at least three passes are made, and a host that is busy slows them down
        patience_s = self._options.patience_s + 10 * max(one.outcomes[gpu].about["pass_s"] for gpu in there)
        answers = team.passes(there, one.pass_s, patience_s, transfers=transfers)
        for gpu, answer in answers.items():
            if isinstance(answer, ChildError):
                one.good.remove(gpu)
                self._fail(one.outcomes[gpu], answer)
                continue
            event_s = tuple(
                seconds / one.outcomes[gpu].about["events_a_pass"] for seconds in answer["seconds"]
            )
            one.outcomes[gpu].passes[kind] = Passes(event_s, answer["events"], answer["during"])

    def _all_together(self, one: _OneKernel, team: DeviceTeam) -> None:
        self._passes(one, team, list(one.good), "together")
        there = [one.outcomes[gpu] for gpu in one.good if "together" in one.outcomes[gpu].passes]
        whole = sum(outcome.passes["together"].rate.median for outcome in there)
        for outcome in there:
            outcome.together, outcome.together_events_per_s = len(there), whole

    def _beside_busy_host(self, one: _OneKernel, team: DeviceTeam) -> None:
        """The CPUs with the same kernel, alone and then beside each GPU: what keeps a host busy on the grid is such work."""
        if time.monotonic() >= one.end:
            for gpu in one.good:
                one.outcomes[gpu].missing["host_busy"] = BUDGET_ENDED
            return
        if not one.good:
            return
        self._tell(one, "the same events on the CPUs")
        options = self._options
        request = {**one.request, "memory_bytes": options.memory_per_copy_bytes}
        try:
            with host_beside.load(request, options, self._copies, min(one.end, self._end)) as host:
                cpus = host.measure()
                for gpu in one.good:
                    one.outcomes[gpu].cpus = cpus
                    one.outcomes[gpu].said.append(
                        _same_bits(one.outcomes[gpu].digest, cpus.digest, cpus.variant)
                    )
                for gpu in list(one.good):
                    self._passes(one, team, [gpu], "host_busy")
        except PayloadError as error:
            for gpu in one.good:
                outcome = one.outcomes[gpu]
                outcome.missing["host_busy"] = INTERRUPTED if self.stopped() else str(error)

    def _fail(self, outcome: DeviceOutcome, error: PayloadError) -> None:
        outcome.reason = INTERRUPTED if self.stopped() else str(error)
        outcome.failed = not self.stopped()

    def _tell(self, one: _OneKernel, doing: str) -> None:
        left_s = max(self._end - time.monotonic(), 0.0)
        self._told(Progress(kernel=one.kernel.name, doing=doing, left_s=left_s))

    def _ask(self, name: str, request: Mapping[str, Any], end: float) -> dict[str, Any]:
        if self._seams.ask is not None:
            return self._seams.ask(name, request, end, self.stopped)
        return ask_one(self._options.command, name, request, end, self.stopped)

    def _devices(self, kernel: Kernel) -> AbstractContextManager[DeviceTeam]:
        if self._seams.open_devices is not None:
            return self._seams.open_devices(kernel)
        return DeviceProcesses(kernel.name, self.stopped, self._options.command)

    def _copies(self, request: Mapping[str, Any]) -> Copies:
        if self._seams.open_copies is not None:
            return self._seams.open_copies(request)
        return Team(request, self.stopped, self._options.command)


def _same_bits(on_gpu: str | None, on_cpu: str, variant: str) -> str:
    """Whether the CPU computes the same bits: it should wherever both do the same operations."""
    same = "the very bits of" if on_gpu == on_cpu else "other bits, within the reference's tolerance, than"
    return f"computes {same} {variant} on the CPU"


def _remark(outcome: DeviceOutcome) -> None:
    about = outcome.about
    before = None if about["before"] is None else GpuSnapshot(**about["before"])
    for passes in outcome.passes.values():
        during = None if passes.during is None else GpuSpell(**passes.during)
        outcome.said += [sentence for sentence in remarks(before, during) if sentence not in outcome.said]
    if about["is_cut"]:
        outcome.missing["events_per_joule"] = (
            "it is a slice of a GPU, and power is known of the whole board only"
        )
    elif about["not_watched"]:
        outcome.missing["events_per_joule"] = outcome.missing["conditions"] = about["not_watched"]
    elif "end_to_end" in outcome.passes and outcome.passes["end_to_end"].events_per_joule is None:
        outcome.missing["events_per_joule"] = (
            "the board does not tell its power, or the passes were too short"
        )
    if not about["entries"]:
        outcome.missing["entries"] = f"only a cubin says it, and the GPU was given a {about['code']['form']}"
