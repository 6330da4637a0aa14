"""What a payload's run on a GPU says beside its throughput: which code, how fast in which way, and what the GPU was like."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from profiles.base import Bytes, Count, Model, Seconds, Text

Rate = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Watts = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Reasons = Annotated[tuple[Text, ...], Field(max_length=64)]


class GpuConditions(Model):
    """State of a GPU at one moment; null where it is not told."""

    sm_clock_mhz: Count | None = None
    memory_clock_mhz: Count | None = None
    temperature_celsius: Count | None = None
    power_w: Watts | None = Field(default=None, description="of the whole board")
    throttle_reasons: Reasons | None = Field(default=None, description="why the clock is below its highest")
    processes: Count | None = Field(
        default=None, description="computing on it; before: others, after: ours too"
    )
    memory_used_bytes: Bytes | None = None


class GpuConditionsDuring(Model):
    """What happened on a GPU during passes of one kind; null where it is not told."""

    seconds: Seconds
    sm_clock_mhz_low: Count | None = None
    sm_clock_mhz_high: Count | None = None
    temperature_celsius_high: Count | None = None
    power_w: Watts | None = Field(default=None, description="mean, of the whole board")
    throttle_reasons: Reasons | None = Field(default=None, description="all that were seen")
    processes_most: Count | None = Field(default=None, description="at a time, ours included")


class DeviceRate(Model):
    """Timed passes of one kind on one GPU."""

    events_per_s: Rate = Field(description="median over the passes")
    low: Rate | None = Field(
        default=None, description="68 % interval of the median; null = fewer than three passes"
    )
    high: Rate | None = None
    passes: Count
    events_per_joule: Rate | None = Field(default=None, description="of the whole board, the host left out")
    during: GpuConditionsDuring | None = None


class DeviceCode(Model):
    """Which code the GPU was given."""

    form: Literal["cubin", "PTX", "code object"] = Field(description="PTX is compiled by the driver")
    architecture: Text = Field(description="that it was made for: sm_90, compute_60, gfx90a")
    origin: Literal["wheel", "kept", "compiled"] = Field(
        description="came with the wheel, was kept from an earlier run, or compiled now"
    )
    compiler: Text


class EntryPoint(Model):
    """A kernel's entry as its cubin describes it, and how many of its blocks a multiprocessor holds."""

    name: Text
    threads: Count = Field(description="of a block")
    registers: Count = Field(description="of a thread")
    local_bytes: Bytes = Field(description="of a thread: arrays that are no registers, and spills")
    shared_bytes: Bytes = Field(description="of a block")
    blocks_per_multiprocessor: Count | None = Field(default=None, description="null = limits are not known")
    occupancy: Share | None = Field(
        default=None, description="share of a multiprocessor's threads that these are"
    )
    limited_by: Literal["threads", "blocks", "registers", "shared memory"] | None = None


class Together(Model):
    """All GPUs of the run measured at the same time, end to end."""

    devices: Count
    events_per_s: Rate = Field(description="of all of them")
    own: DeviceRate = Field(description="of this one meanwhile")


class LoadedCpus(Model):
    """The same kernel on the same events on this node's CPUs while the GPUs were idle."""

    variant: Text
    copies: Count = Field(description="pinned, one a CPU, all at the same time")
    events_per_s: Rate = Field(description="of all copies together")
    low: Rate | None = None
    high: Rate | None = None


class DeviceRun(Model):
    """One kernel on one GPU. Rates are never added to those of CPUs."""

    place: Annotated[str, Field(pattern=r"^(cuda|hip):[0-9]{1,3}$")]
    driver_version: Text | None = None
    cuda_version: Text | None = Field(default=None, description="newest that the driver serves")
    memory_bytes: Bytes | None = None
    multiprocessors: Count | None = None
    is_cut: bool | None = Field(
        default=None, description="the board is cut into slices (MIG), and this is one"
    )
    code: DeviceCode
    events_in_flight: Count
    host_threads: Count = Field(description="that drive the GPU")
    first_result_s: Seconds = Field(description="from opening the GPU to the first result on the host")
    kernel_only: DeviceRate | None = Field(default=None, description="events and results left on the GPU")
    host_idle: DeviceRate | None = Field(default=None, description="end to end, the host's other cores idle")
    host_busy: DeviceRate | None = Field(
        default=None, description="end to end, while all granted CPUs run copies of the same kernel"
    )
    together: Together | None = None
    cpus: LoadedCpus | None = None
    worth_cpus: Rate | None = Field(
        default=None, description="host_idle over the rate of one of the loaded CPUs; for this kernel only"
    )
    entries: tuple[EntryPoint, ...] = Field(default=(), max_length=256)
    before: GpuConditions | None = None
    after: GpuConditions | None = None
    missing: dict[Text, Text] = Field(
        default_factory=dict, max_length=32, description="why something is null"
    )
