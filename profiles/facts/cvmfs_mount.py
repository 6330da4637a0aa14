"""Facts of the cvmfs_mount probe: the repositories that are mounted, and the client behind them."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from profiles.base import Bytes, Count, Facts, Model, Seconds, Text

MountState = Literal["readable", "empty", "absent", "failed"]
"""readable: its root directory lists names; empty: a directory with nothing in it; absent: no such directory; failed: it
is there and cannot be listed."""

ProxyKind = Literal["direct", "site", "fallback", "other"]
"""direct: none; site: of CVMFS_HTTP_PROXY; fallback: of CVMFS_FALLBACK_PROXY; other: in neither, e.g. by WPAD."""


class FileSample(Model):
    """One file of a mount, read whole."""

    path: Text = Field(description="below the root of the repository")
    size_bytes: Bytes | None = Field(default=None, description="as stat(2) says")
    read_bytes: Bytes | None = Field(default=None, description="bytes that came")
    error: Text | None = None


class RepositoryMount(Model):
    """One repository below the mount path.

    What the client says of itself (extended attributes) is null where it does not say; `unreadable` has the errno.
    """

    repository: Text
    state: MountState
    error: Text | None = Field(default=None, description="why it cannot be listed")
    errno_name: Text | None = None
    entries: Count | None = Field(default=None, description="names in its root directory")
    test_file: FileSample | None = Field(default=None, description="the configured file, read whole")
    samples: tuple[FileSample, ...] = Field(
        default=(), max_length=32, description="other files, picked at random"
    )
    has_attributes: bool = Field(
        default=False, description="whether the client's attributes are there at all"
    )
    unreadable: dict[str, Text] = Field(default_factory=dict, description="attribute = symbolic errno")
    version: Text | None = Field(default=None, description="of the running client")
    revision: int | None = Field(default=None, ge=0, le=2**63 - 1)
    root_hash: Text | None = Field(default=None, description="hash of the root catalog that is mounted")
    host: Text | None = Field(default=None, description="Stratum-1 in use, host:port")
    proxy: Text | None = Field(default=None, description='proxy in use, host:port, or "direct"')
    proxy_kind: ProxyKind | None = None
    io_errors: int | None = Field(default=None, ge=0, le=2**63 - 1, description="when the probe began")
    io_errors_after: int | None = Field(default=None, ge=0, le=2**63 - 1, description="when the probe ended")
    last_io_error_age_s: Seconds | None = Field(default=None, description="null also where there was none")
    cleanups_24h: int | None = Field(
        default=None, ge=0, le=2**63 - 1, description="cleanups of the cache in a day"
    )
    catalogs: int | None = Field(default=None, ge=0, le=2**63 - 1, description="loaded catalogs")
    fds_used: int | None = Field(default=None, ge=0, le=2**63 - 1)
    fds_limit: int | None = Field(default=None, ge=0, le=2**63 - 1)
    inode_max: int | None = Field(default=None, ge=0, le=2**64 - 1)
    uptime_s: Seconds | None = None
    client_memory_bytes: Bytes | None = Field(
        default=None, description="resident memory of the client's process"
    )

    @property
    def is_protected(self) -> bool:
        """The client's attributes are there, and reading all of them is refused."""
        refused = any(reason in ("EPERM", "EACCES") for reason in self.unreadable.values())
        return refused and not self.has_attributes


class CacheFacts(Model):
    """The client's cache as it is configured, and the file system that holds it."""

    base_path: Text
    quota_bytes: Bytes | None = Field(default=None, description="null = without a limit, or not known")
    quota_is_default: bool = Field(default=False, description="CVMFS_QUOTA_LIMIT is set nowhere")
    unlimited: bool = False
    total_bytes: Bytes | None = Field(
        default=None, description="size of the file system, null if it is not seen"
    )
    available_bytes: Bytes | None = None


class CvmfsMountFacts(Facts):
    """CVMFS as it is mounted here."""

    mount_path: Text
    asked_at: datetime
    autofs: bool = Field(description="whether the mount path is served by the automounter")
    fuse_device: bool = Field(description="whether /dev/fuse can be seen, which cvmfsexec needs")
    repositories: tuple[RepositoryMount, ...] | None = Field(
        max_length=64, description="the wanted ones, in order"
    )
    others: tuple[Text, ...] = Field(
        default=(), max_length=64, description="further names below the mount path"
    )
    installed_version: Text | None = Field(description="of the installed client package")
    cache: CacheFacts | None
    memory_total_bytes: Bytes | None = Field(description="memory of the node")

    @property
    def mounted(self) -> tuple[RepositoryMount, ...]:
        """Those whose root directory can be listed and is not empty."""
        return tuple(mount for mount in self.repositories or () if mount.state == "readable")
