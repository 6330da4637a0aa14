"""What a benchmark run gave: kernels, their variants, and the series measured with so many copies at a time."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from payloads.catalogue import Kernel
from payloads.conditions import Snapshot, Spell
from payloads.sampling import Interval, interval
from payloads.verify import Verdict

Role = Literal["best", "baseline", "scalar", "other"]
"""Why a variant is measured: it is the widest, what CMSSW ships, the yardstick of vectorisation, or it was asked for."""


@dataclass
class Series:
    """Repeats with the same number of copies. Samples are events/s of all copies together."""

    copies: int
    samples: list[float] = field(default_factory=list)
    disturbed: set[int] = field(default_factory=set)
    """Which of the samples were taken while others had the copies' processors (`conditions.disturbed`)."""
    copy_seconds: float = 0.0
    """Wall time of all copies together."""
    copies_cpu_s: float = 0.0
    """CPU time that they had of it."""
    spells: list[Spell] = field(default_factory=list)
    slowest_over_mean: float = 1.0
    """Rate of the slowest copy over the mean of all, of the last repeat."""
    preempted: int = 0
    major_faults: int = 0

    @property
    def counted(self) -> list[float]:
        """The samples that count: those that were not disturbed, unless half of them or more were."""
        return self._split()[0]

    @property
    def set_aside(self) -> list[float]:
        """The samples that do not."""
        return self._split()[1]

    @property
    def rate(self) -> Interval:
        """Median and its 68 % interval, of the samples that count."""
        return interval(self.counted)

    def _split(self) -> tuple[list[float], list[float]]:
        # A machine that is disturbed as often as not is like that: its quiet moments are no measure of it.
        if 2 * len(self.disturbed) >= len(self.samples):
            return list(self.samples), []
        places = range(len(self.samples))
        return (
            [self.samples[place] for place in places if place not in self.disturbed],
            [self.samples[place] for place in places if place in self.disturbed],
        )


@dataclass
class VariantOutcome:
    """One compiled variant of a kernel."""

    name: str
    role: Role
    about: dict[str, Any] = field(default_factory=dict)
    """`isa`, `lanes`, `compiler`, `flags` as the module says."""
    verdict: Verdict | None = None
    digest: str | None = None
    series: dict[int, Series] = field(default_factory=dict)
    stages: dict[str, float] = field(default_factory=dict)
    memory_bytes: int | None = None
    event_bytes: int | None = None
    workspace_bytes: int | None = None
    reason: str | None = None
    """Why something that was asked for was not measured."""

    @property
    def right(self) -> bool:
        """Whether its physics was found right: only then does it have a score."""
        return self.verdict is not None and self.verdict.right


@dataclass
class EventsOutcome:
    """The events that were measured on."""

    digest: str
    size_bytes: int
    origin: str
    simulation_version: int | None


@dataclass
class KernelOutcome:
    """One kernel on one backend."""

    kernel: Kernel
    backend: str = "cpu"
    events: EventsOutcome | None = None
    variants: list[VariantOutcome] = field(default_factory=list)
    reason: str | None = None
    """Why nothing, or not all, was measured."""
    failed: bool = False
    """Whether that is the kernel's fault and not the budget's or a signal's."""
    said: list[str] = field(default_factory=list)
    before: Snapshot | None = None
    after: Snapshot | None = None

    @property
    def best(self) -> VariantOutcome | None:
        """The variant that stands for the kernel: the first one measured that is right, else the first one."""
        measured = [variant for variant in self.variants if variant.series]
        return next(
            (variant for variant in measured if variant.right), next(iter(measured or self.variants), None)
        )


@dataclass
class LeftOut:
    """A variant that was not used, and why."""

    name: str
    reason: str


@dataclass
class BenchOutcome:
    """A whole run."""

    kernels: list[KernelOutcome] = field(default_factory=list)
    cpus: tuple[int, ...] = ()
    copies: int = 0
    left_out: list[LeftOut] = field(default_factory=list)
    not_built: str | None = None
    interrupted_by: str | None = None
    out_of_budget: bool = False
    duration_s: float = 0.0
