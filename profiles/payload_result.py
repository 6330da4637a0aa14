"""What a payload measured: throughput that counts only beside a right physics result of the same run."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from profiles.base import Bytes, Count, Model, Seconds, Text
from profiles.checks import Scalar

Rate = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class Conditions(Model):
    """State of the node at one moment; null where the node does not say."""

    load_1min: Annotated[float, Field(ge=0)] | None = None
    cpu_mhz: Annotated[float, Field(gt=0)] | None = None
    throttled: bool | None = None


class PhysicsVerdict(Model):
    """Whether the run computed the right thing."""

    right: bool
    summary: dict[str, Scalar] = Field(default_factory=dict, max_length=64)
    reason: Text | None = None


class PayloadResult(Model):
    """One kernel on one backend and device. Throughput is in events per second of the whole device."""

    kernel: Text
    version: Text
    backend: Literal["cpu", "cuda", "hip"]
    device: Text
    isa: Text | None = None
    compiler: Text | None = None
    flags: tuple[Text, ...] = ()
    copies: Count
    threads_per_copy: Count
    events: Count
    kernel_only_s: tuple[Seconds, ...] = Field(
        default=(), max_length=1024, description="one sample per repeat"
    )
    end_to_end_s: tuple[Seconds, ...] = Field(
        default=(), max_length=1024, description="one sample per repeat"
    )
    events_per_s: Rate | None = Field(default=None, description="null unless the physics is right")
    physics: PhysicsVerdict
    memory_per_copy_bytes: Bytes | None = None
    before: Conditions | None = None
    after: Conditions | None = None
