"""What a batch system says it granted: one claim per source, side by side, none believed by itself."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import AwareDatetime, Field

from profiles.base import Bytes, Facts, Model, Seconds, Text


class ClaimSource(StrEnum):
    """Who says so."""

    HTCONDOR = "htcondor"
    SLURM = "slurm"
    PBS = "pbs"
    LSF = "lsf"
    SGE = "sge"
    ARC = "arc"
    KUBERNETES = "kubernetes"
    MJF = "mjf"
    GLIDEIN = "glidein"


class JobIdKind(StrEnum):
    """What `job_id` counts, because the same number means different things in different systems."""

    CLUSTER_PROC = "cluster.proc"
    JOB = "job"
    ARRAY_TASK = "array task"
    GRID_JOB = "grid job"
    POD = "pod"
    GLIDEIN = "glidein"


class SlotClaim(Model):
    """What one source says of this slot. None = this source does not say, which is not the same as none."""

    source: ClaimSource
    slot_name: Text | None = Field(
        default=None, description="name of the slot without its host, e.g. slot1_2"
    )
    job_id: Text | None = Field(
        default=None, description="identifier of the job in the source's own notation"
    )
    job_id_kind: JobIdKind | None = Field(default=None, description="what job_id identifies")
    queue: Text | None = Field(default=None, description="queue or partition that the job runs in")
    cores: Annotated[float, Field(gt=0, le=2**20, allow_inf_nan=False)] | None = Field(
        default=None,
        description="CPU cores granted on this host; a fraction only where the source grants fractions",
    )
    memory_bytes: Bytes | None = Field(default=None, description="memory granted on this host")
    scratch_bytes: Bytes | None = Field(default=None, description="scratch space granted on this host")
    scratch_directory: Text | None = Field(
        default=None, description="directory that the source gave for scratch"
    )
    gpus: tuple[Text, ...] | None = Field(
        default=None,
        max_length=256,
        description="devices granted, as the source names them; empty = explicitly none",
    )
    wall_limit_s: Seconds | None = Field(
        default=None, description="wall time granted from the start of the job"
    )
    ends_at: AwareDatetime | None = Field(default=None, description="when the slot ends, UTC")
    node_name: Text | None = Field(default=None, description="what the source calls this node")
    site_name: Text | None = Field(default=None, description="what the source calls this site")
    evidence: tuple[Text, ...] = Field(
        default=(), max_length=64, description="what was read: the variable or file, and what it said"
    )
    problems: tuple[Text, ...] = Field(
        default=(), max_length=64, description="what could not be read or understood, one sentence each"
    )


class BatchFacts(Facts):
    """The slot as the batch systems and the pilot describe it, and when they said so."""

    observed_at: AwareDatetime | None = Field(description="when the claims were read, UTC")
    claims: tuple[SlotClaim, ...] = Field(
        default=(), max_length=16, description="one per source that we run in, innermost batch system first"
    )
    batch_system: ClaimSource | None = Field(description="the innermost batch system; a pilot is none")
    slot_name: Text | None = Field(description="name of the slot in that batch system")
    pilot: ClaimSource | None = Field(description="the pilot that we run in")
    node_name: Text | None = Field(description="what the batch system calls this node")
    ends_at: AwareDatetime | None = Field(description="the earliest end that any source names, UTC")
    ends_at_source: ClaimSource | None = Field(description="who names that end")
