"""Settings of `agent pilot`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from probes.section import Section

Thoroughness = Literal["auto", "none", "quick", "default", "thorough"]
"""How the kernels are measured: `auto` is the most that fits, but not more than `default`."""


class PilotSettings(Section):
    """What a pilot may take of its slot, and where it leaves what."""

    budget_s: float = Field(
        default=300.0, ge=2, le=86_400, description="bound on the whole pilot, delivery included; --budget"
    )
    probes: tuple[str, ...] = Field(default=(), max_length=64, description="probes that are run; empty = all")
    bench: Thoroughness = Field(
        default="auto", description="how the kernels are measured: auto is the most that fits, up to default"
    )
    gpus: bool = Field(
        default=True,
        description="measure the GPUs that the slot was granted, too, in the time that the CPUs have left",
    )
    kernels: tuple[str, ...] = Field(
        default=(), max_length=64, description="kernels by priority; empty = those of the catalogue"
    )
    margin_s: float = Field(
        default=15.0,
        ge=0,
        le=3600,
        description="how long before the end of the slot the pilot is over: clocks differ, and the slot's own end takes time",
    )
    grace_s: float = Field(
        default=20.0,
        ge=1,
        le=3600,
        description="what is left to hand over after a signal; batch systems kill 30 s after SIGTERM (Slurm KillWait, Kubernetes)",
    )
    watch_s: float = Field(
        default=10.0,
        ge=0.1,
        le=3600,
        description="how often it is looked whether the slot's life became shorter, where a source can change",
    )
    lifetime_s: float | None = Field(
        default=None,
        gt=0,
        description="what is left of the slot, for a batch system that does not tell its jobs",
    )
    output: str | None = Field(
        default=None,
        description="file or directory for the profile; unset = the working directory if it is not delivered",
    )
    classad: str | None = Field(default=None, description="file for a ClassAd of the result")
    glidein: str | None = Field(
        default=None, description="file for glideinWMS's result of a validation script"
    )
    mjf: str | None = Field(
        default=None, description="directory for Machine/Job Features that say what was found"
    )
    summary: str | None = Field(
        default=None, description="directory that all nodes of the job share, for the summary of rank 0"
    )
