"""Where a job may write, and how much: the scratch directory and /tmp, each proven by writing."""

from __future__ import annotations

from pydantic import Field

from profiles.base import Bytes, Count, Facts, Model, Seconds, Text


class Directory(Model):
    """A directory and the file system that holds it. If `error` says something, the rest is not known."""

    path: Text = Field(description="as the job is told it; the user's name in it is replaced by $USER")
    error_name: Text | None = Field(default=None, description="symbolic errno, if it cannot be used at all")
    error: Text | None = Field(default=None, description="why it cannot be used at all")
    total_bytes: Bytes | None = Field(default=None, description="size of the file system, or a quota")
    available_bytes: Bytes | None = Field(default=None, description="free for an unprivileged process")
    inodes: Bytes | None = Field(default=None, description="null where the file system does not count them")
    inodes_available: Bytes | None = Field(default=None, description="null where inodes are not counted")
    read_only: bool | None = Field(default=None, description="mounted read-only")
    filesystem_type: Text | None = Field(default=None, description="as the kernel names it; null = not found")
    mount_point: Text | None = Field(default=None, description="where that file system is mounted")


class WriteTest(Model):
    """A private file was written, synced, read back past the page cache, compared and deleted."""

    asked_bytes: Bytes
    written_bytes: Bytes
    verified: bool = Field(description="what came back has the hash of what went out")
    error_name: Text | None = Field(default=None, description="symbolic errno, if a call failed")
    error: Text | None = Field(default=None, description="what failed")
    write_s: Seconds | None = Field(default=None, description="wall time of writing and fsync(2)")
    read_s: Seconds | None = Field(default=None, description="wall time of reading back")


class DiskFacts(Facts):
    """The disks as a job finds them."""

    scratch: Directory | None = Field(description="the directory that a job works in")
    scratch_source: Text | None = Field(description="who named the scratch directory")
    scratch_by_batch: bool | None = Field(description="the site or its batch system named it")
    scratch_claim_bytes: Bytes | None = Field(description="scratch space that the batch system granted")
    scratch_claim_source: Text | None = Field(description="which batch system granted it")
    scratch_write: WriteTest | None = Field(description="write test in the scratch directory")
    tmp: Directory = Field(description="the shared directory for temporary files")
    tmp_write: WriteTest | None = Field(description="write test in /tmp, a few kilobytes")
    file_size_limit_bytes: Bytes | None = Field(description="soft RLIMIT_FSIZE; null = no limit")
    mounts_seen: Count | None = Field(description="lines of /proc/self/mountinfo that were understood")
