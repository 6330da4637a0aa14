"""What a run on GPUs gave: kernels, each on each GPU."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from payloads.backends.devices import Gpu
from payloads.catalogue import Kernel
from payloads.outcome import EventsOutcome
from payloads.sampling import Interval, interval
from payloads.verify import Verdict

Kind = Literal["end_to_end", "kernel_only", "host_busy", "together"]
"""Transfers included with the host's cores idle; events and results left on the GPU; transfers included with all of the host's
cores busy; the same as the first while the other GPUs are measured, too."""


@dataclass(frozen=True)
class Passes:
    """Timed passes of one kind.

    Attributes:
        event_s: wall seconds an event, one a pass.
        events: of all passes.
        during: the GPU meanwhile, as `gpu_conditions.GpuSpell` has it; None where nobody told.
    """

    event_s: tuple[float, ...]
    events: int
    during: Mapping[str, Any] | None

    @property
    def rate(self) -> Interval:
        """Events per second: median and its 68 % interval."""
        return interval([1 / seconds for seconds in self.event_s])

    @property
    def events_per_joule(self) -> float | None:
        """Of the whole board; None where its energy is not known."""
        joules = None if self.during is None else self.during["energy_j"]
        return self.events / joules if joules else None


@dataclass(frozen=True)
class LoadedCpus:
    """The same kernel on the same events on this node's CPUs, all of them loaded, while the GPUs were idle.

    Attributes:
        variant: that was measured.
        copies: pinned, one a CPU.
        samples: events per second of all copies together.
        digest: of the results.
    """

    variant: str
    copies: int
    samples: tuple[float, ...]
    digest: str

    @property
    def rate(self) -> Interval:
        """Of all copies together."""
        return interval(self.samples)


@dataclass
class DeviceOutcome:
    """One kernel on one GPU.

    Attributes:
        kernel: that was measured.
        gpu: on which.
        verdict: on its physics; None where that was not reached.
        digest: of its results.
        passes: by kind.
        about: what the child said of the run: slots, threads, code …
        after: the GPU at the end.
        cpus: this node's CPUs with the same kernel.
        events: that were measured on.
        together: GPUs that were measured at the same time for `passes["together"]`; 1 if there was but one.
        together_events_per_s: of all of them.
        said: what has to be known.
        missing: by what is absent, why.
        reason: why something that was asked for is missing.
        failed: whether that is the kernel's or the GPU's fault.
    """

    kernel: Kernel
    gpu: Gpu
    verdict: Verdict | None = None
    digest: str | None = None
    passes: dict[Kind, Passes] = field(default_factory=dict)
    about: dict[str, Any] = field(default_factory=dict)
    after: Mapping[str, Any] | None = None
    cpus: LoadedCpus | None = None
    events: EventsOutcome | None = None
    together: int = 1
    together_events_per_s: float | None = None
    said: list[str] = field(default_factory=list)
    missing: dict[str, str] = field(default_factory=dict)
    reason: str | None = None
    failed: bool = False

    @property
    def worth_cpus(self) -> float | None:
        """How many of this node's CPUs, each fully loaded with this kernel, do as much as the GPU end to end."""
        if self.cpus is None or "end_to_end" not in self.passes:
            return None
        return self.passes["end_to_end"].rate.median * self.cpus.copies / self.cpus.rate.median
