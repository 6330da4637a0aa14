"""What a payload measured: throughput that counts only beside a right physics result of the same run."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from profiles.base import Bytes, Count, Model, Seconds, Text
from profiles.checks import Scalar
from profiles.device_run import DeviceRun

Rate = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Finite = Annotated[float, Field(allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Tally = Annotated[int, Field(ge=0, le=2**63 - 1)]


class Conditions(Model):
    """State of the node at one moment; null where the node does not say."""

    load_1min: Annotated[float, Field(ge=0)] | None = None
    cpu_mhz: Annotated[float, Field(gt=0)] | None = None
    throttled: bool | None = None
    throttle_events: Tally | None = Field(default=None, description="thermal throttling since boot")
    quota_throttled_periods: Tally | None = Field(
        default=None, description="periods in which a CPU quota stopped us, since the cgroup was made"
    )


class ConditionsDuring(Model):
    """What happened on the node while it was measured; null where the node does not say."""

    seconds: Seconds = Field(description="wall time of all repeats")
    others_cpus: Share | None = Field(
        default=None, description="CPUs that other processes kept busy, on average"
    )
    steal_share: Share | None = Field(
        default=None, description="share of the copies' wall time that the hypervisor gave to others"
    )
    own_share: Share | None = Field(
        default=None, description="share of their wall time in which the copies had a CPU"
    )
    throttle_events: Tally | None = Field(default=None, description="thermal throttling meanwhile")
    quota_throttled_periods: Tally | None = Field(
        default=None, description="periods in which a CPU quota stopped us"
    )
    quota_throttled_s: Seconds | None = Field(default=None, description="CPU time that the quota withheld")
    cpu_mhz_low: Rate | None = Field(default=None, description="lowest median clock that was seen")
    cpu_mhz_high: Rate | None = Field(default=None, description="highest median clock that was seen")


class PhysicsMetric(Model):
    """One figure of physics beside what it may be."""

    name: Text
    value: Finite | None = Field(description="null = it was not a number, or not given")
    low: Finite | None = Field(default=None, description="null, as high: it is only told, not judged")
    high: Finite | None = None
    unit: Text = "1"
    means: Text | None = None
    right: bool


class PhysicsVerdict(Model):
    """Whether the run computed the right thing."""

    right: bool
    summary: dict[str, Scalar] = Field(default_factory=dict, max_length=64)
    metrics: tuple[PhysicsMetric, ...] = Field(default=(), max_length=64)
    tolerance: Text | None = Field(default=None, description="how close to the reference the results must be")
    reason: Text | None = None


class EventSet(Model):
    """The simulated events that were reconstructed: the same bits on every architecture."""

    section: Text = Field(description="part of the detector")
    simulation_version: Count | None = None
    pile_up: Annotated[float, Field(ge=0)] = Field(
        description="mean minimum-bias collisions beside the hard one"
    )
    seed: Annotated[int, Field(ge=0, le=2**64 - 1)]
    count: Count = Field(description="distinct events that a copy goes round")
    digest: Text | None = Field(default=None, description="BLAKE2b of all columns")
    size_bytes: Bytes | None = None
    origin: Literal["cache", "made"] | None = None


class RateSeries(Model):
    """Repeats with the same number of copies, all of them measured together."""

    copies: Count
    events_per_s: Rate = Field(description="median over the repeats that count, of all copies together")
    low: Rate | None = Field(
        default=None, description="68 % interval of the median; null = fewer than three repeats"
    )
    high: Rate | None = None
    samples: tuple[Rate, ...] = Field(
        default=(), max_length=1024, description="events/s, one a repeat that counts"
    )
    set_aside: tuple[Rate, ...] = Field(
        default=(),
        max_length=1024,
        description="events/s of the repeats that do not count: others had the copies' processors meanwhile",
    )
    slowest_over_mean: Share | None = Field(
        default=None, description="slowest copy over the mean, last repeat"
    )
    preempted: Tally | None = Field(default=None, description="involuntary context switches of all copies")
    major_faults: Tally | None = None


class VariantResult(Model):
    """The kernel compiled for one instruction set."""

    name: Text = Field(description="x86_64_v3, neon, scalar …")
    role: Literal["best", "baseline", "scalar", "other"] = Field(
        description="best: the widest that runs; baseline: what CMSSW ships; scalar: without vector lanes"
    )
    isa: Text | None = None
    lanes: Count | None = None
    compiler: Text | None = None
    flags: Text | None = None
    physics_right: bool | None = Field(default=None, description="null = it was not judged")
    digest: Text | None = Field(default=None, description="of the results; equal on every architecture")
    series: tuple[RateSeries, ...] = Field(default=(), max_length=64)
    stages_s: dict[str, Seconds] = Field(
        default_factory=dict, max_length=64, description="seconds an event by stage"
    )
    memory_per_copy_bytes: Bytes | None = None
    reason: Text | None = Field(default=None, description="why something was not measured")


class PayloadResult(Model):
    """One kernel on one backend and device. Throughput is in events per second of the whole device."""

    kernel: Text
    version: Text
    title: Text | None = None
    backend: Literal["cpu", "cuda", "hip"]
    device: Text
    isa: Text | None = None
    compiler: Text | None = None
    flags: tuple[Text, ...] = ()
    copies: Count
    threads_per_copy: Count
    cpus: Text | None = Field(default=None, description="processors that copies were pinned to, e.g. 0-3,8")
    events: Count
    kernel_only_s: tuple[Seconds, ...] = Field(
        default=(), max_length=1024, description="one sample per repeat"
    )
    end_to_end_s: tuple[Seconds, ...] = Field(
        default=(), max_length=1024, description="one sample per repeat"
    )
    events_per_s: Rate | None = Field(default=None, description="null unless the physics is right")
    events_per_s_low: Rate | None = Field(default=None, description="68 % interval of the median")
    events_per_s_high: Rate | None = None
    one_copy_events_per_s: Rate | None = Field(default=None, description="of a single copy, the others idle")
    baseline_events_per_s: Rate | None = Field(
        default=None, description="of the variant for the instruction set that CMSSW ships, all copies"
    )
    variant: Text | None = Field(
        default=None, description="of variants, the one that the figures above are of"
    )
    variants: tuple[VariantResult, ...] = Field(default=(), max_length=16)
    event_set: EventSet | None = None
    physics: PhysicsVerdict
    failed: bool = Field(
        default=False,
        description="true if what is missing is the kernel's or the machine's fault, not the budget's or a signal's",
    )
    reason: Text | None = Field(
        default=None, description="why there is no throughput, or not all that was asked for"
    )
    remarks: tuple[Text, ...] = Field(
        default=(), max_length=64, description="what has to be known about the conditions, one sentence each"
    )
    memory_per_copy_bytes: Bytes | None = None
    working_set_bytes: Bytes | None = Field(default=None, description="events and workspace of one copy")
    before: Conditions | None = None
    during: ConditionsDuring | None = None
    after: Conditions | None = None
    device_run: DeviceRun | None = Field(default=None, description="of a run on a GPU (1.4)")


class BackendLeftOut(Model):
    """A compiled variant or device that was not used."""

    name: Text
    reason: Text


class BenchInfo(Model):
    """How the payloads were run."""

    mode: Literal["quick", "default", "thorough"]
    budget_s: Seconds
    duration_s: Seconds
    copies: Count
    left_out: tuple[BackendLeftOut, ...] = Field(default=(), max_length=64)
    reason: Text | None = Field(default=None, description="why no payload could be run")
