"""How much memory a job may use here, and whether it was ever too little."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from profiles.base import Bytes, Count, Facts, Model, Text

Percent = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)]


class MemorySource(Model):
    """What one source says of the amount of memory."""

    name: Text = Field(description='"host", "cgroup", "RLIMIT_AS", or who claims, e.g. "slurm"')
    kind: Literal["host", "enforced", "claim"] = Field(
        description="host: what the machine has; enforced: the kernel sees to it; claim: somebody says so"
    )
    limit_bytes: Bytes | None = Field(description="null = this source sets no limit, see note")
    evidence: tuple[Text, ...] = Field(default=(), max_length=64, description="where it was read")
    note: Text | None = Field(default=None, description="what has to be known to understand the number")


class SharedMemory(Model):
    """Space in /dev/shm."""

    total_bytes: Bytes
    available_bytes: Bytes
    writable: bool
    detail: Text | None = Field(default=None, description="what went wrong when a file was written")


class MemoryFacts(Facts):
    """Memory granted, of memory present."""

    host_bytes: Bytes | None = Field(description="MemTotal of the machine")
    available_bytes: Bytes | None = Field(description="MemAvailable of the machine")
    swap_total_bytes: Bytes | None = Field(description="SwapTotal of the machine")
    swap_free_bytes: Bytes | None = Field(description="SwapFree of the machine")
    enforced_bytes: Bytes | None = Field(description="least of cgroup limits of all levels and RLIMIT_AS")
    claimed_bytes: Bytes | None = Field(description="least of what batch systems say they granted")
    effective_bytes: Bytes | None = Field(description="memory that a job may count on: the least of all")
    limited_by: Text | None = Field(description="name of the source that gave effective_bytes")
    sources: tuple[MemorySource, ...] = Field(default=(), max_length=64)
    address_space_bytes: Bytes | None = Field(description="soft RLIMIT_AS")
    oom_kills: Count | None = Field(
        description="processes killed for memory in the own cgroup and below, ever"
    )
    oom_kills_path: Text | None
    pressure_some_percent: Percent | None = Field(
        description="share of the last 10 s in which a task waited for memory (PSI some avg10)"
    )
    pressure_full_percent: Percent | None = Field(
        description="share of the last 10 s in which all tasks waited for memory (PSI full avg10)"
    )
    pressure_path: Text | None
    shared_memory: SharedMemory | None = Field(description="space in /dev/shm")
    problems: tuple[Text, ...] = Field(
        default=(), max_length=128, description="what could not be read or understood, one sentence each"
    )
