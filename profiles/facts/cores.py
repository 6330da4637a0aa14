"""How many CPU cores a job may use here: every source side by side, and what follows from them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from profiles.base import Count, Facts, Model, Text

Cores = Annotated[float, Field(ge=0, le=2**20, allow_inf_nan=False)]
"""CPU cores; a fraction where CPU time is granted by quota."""


class CoreSource(Model):
    """What one source says of the number of cores."""

    name: Text = Field(description='"host", "affinity", "cpuset", "quota", or who claims, e.g. "slurm"')
    kind: Literal["host", "enforced", "claim"] = Field(
        description="host: what the machine has; enforced: the kernel sees to it; claim: somebody says so"
    )
    cores: Cores | None = Field(description="null = this source sets no number, see note")
    cpus: Text | None = Field(default=None, description="which CPUs, e.g. 0-3,8, where the source names them")
    evidence: tuple[Text, ...] = Field(default=(), max_length=64, description="where it was read")
    note: Text | None = Field(default=None, description="what has to be known to understand the number")


class CoresFacts(Facts):
    """Cores granted, of cores present."""

    host_cpus: Count | None = Field(description="online CPUs (hardware threads) of the machine")
    enforced_cores: Cores | None = Field(description="least of affinity, cpuset and quotas of all levels")
    claimed_cores: Cores | None = Field(description="least of what batch systems say they granted")
    effective_cores: Cores | None = Field(description="cores that a job may count on: the least of both")
    limited_by: Text | None = Field(description="name of the source that gave effective_cores")
    why: Text = Field(description="why the sources differ, in one plain sentence")
    sources: tuple[CoreSource, ...] = Field(default=(), max_length=64)
    cgroup_version: Literal["v1", "v2", "hybrid"] | None
    problems: tuple[Text, ...] = Field(
        default=(), max_length=128, description="what could not be read or understood, one sentence each"
    )
