"""What one process may have: open files, processes and threads, stack, core files, file size."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from profiles.base import Count, Facts, Model, Text

Amount = Annotated[int, Field(ge=0, le=2**63 - 1)] | Literal["unlimited"]


class ResourceLimit(Model):
    """One limit of getrlimit(2): files, processes, or bytes."""

    soft: Amount = Field(description="in force")
    hard: Amount = Field(description="how far a process may raise it")


class PidsLimit(Model):
    """pids.max of one cgroup level: processes and threads together."""

    path: Text
    limit: Annotated[int, Field(ge=0, le=2**63 - 1)]
    used: Annotated[int, Field(ge=0, le=2**63 - 1)] | None = Field(
        default=None, description="how many the level has; null = the kernel did not say"
    )


class LimitsFacts(Facts):
    """Limits as the job gets them."""

    open_files: ResourceLimit | None = Field(description="RLIMIT_NOFILE")
    processes: ResourceLimit | None = Field(description="RLIMIT_NPROC, counted per user, threads included")
    stack_bytes: ResourceLimit | None = Field(description="RLIMIT_STACK")
    core_file_bytes: ResourceLimit | None = Field(description="RLIMIT_CORE")
    file_size_bytes: ResourceLimit | None = Field(description="RLIMIT_FSIZE")
    pids: tuple[PidsLimit, ...] = Field(
        default=(), max_length=64, description="limits of all cgroup levels, own level first; empty = none"
    )
    granted_cores: float | None = Field(description="cores for which the threads were tried")
    threads_tried: Count | None
    threads_work: bool | None = Field(description="whether that many threads ran at the same time")
    threads_detail: Text | None = Field(description="how many started")
    problems: tuple[Text, ...] = Field(
        default=(), max_length=64, description="what could not be read or understood, one sentence each"
    )
