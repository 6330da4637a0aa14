"""What starts containers on this node, and what the process that asks may do in its own namespaces."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from profiles.base import Bytes, Count, Facts, Model, Text


class NamespaceMode(StrEnum):
    """What /proc/self/uid_map says of the user namespace that we are in; see user_namespaces(7)."""

    PRIVILEGED = "privileged"
    """The initial namespace or one that maps all user numbers."""
    UNPRIVILEGED = "unprivileged"
    """One user number is mapped, as Apptainer does for an ordinary user."""
    FAKEROOT = "fakeroot"
    """A range of subordinate user numbers is mapped (/etc/subuid), as rootless Podman does."""


class SeccompMode(StrEnum):
    """`Seccomp` of /proc/self/status; see proc_pid_status(5)."""

    DISABLED = "disabled"
    STRICT = "strict"
    FILTER = "filter"


class PilotRuntime(Facts):
    """An Apptainer or Singularity that a pilot would try."""

    path: Text = Field(description="the program")
    found_by: Text = Field(description="where it was looked for: a variable, PATH or CVMFS")
    version: Text | None = Field(description="what --version says")
    setuid: bool | None = Field(description="its installation has a starter with the set-user-id bit")


class Engine(Model):
    """A container engine or low-level runtime that was seen, not tried."""

    name: Text
    path: Text


class ImageTrial(Facts):
    """A tiny payload run in a test image by the first runtime that works."""

    image: Text
    works: bool | None = Field(
        description="exit status 0 and no FATAL on standard error; null = it did not end in time"
    )
    detail: Text | None = Field(description="what the runtime said if it failed")


class ContainerFacts(Facts):
    """What a job may do with containers here."""

    user_namespaces_work: bool | None = Field(description="unshare(CLONE_NEWUSER) worked in a child")
    user_namespaces_problem: Text | None = Field(description="why it did not")
    max_user_namespaces: Count | None = Field(description="sysctl user.max_user_namespaces")
    max_net_namespaces: Count | None = Field(description="sysctl user.max_net_namespaces")
    unprivileged_userns_clone: bool | None = Field(
        description="Debian's sysctl kernel.unprivileged_userns_clone"
    )
    apparmor_restricts_userns: bool | None = Field(
        description="Ubuntu's sysctl kernel.apparmor_restrict_unprivileged_userns"
    )
    pilot_runtimes: tuple[PilotRuntime, ...] = Field(
        default=(), max_length=16, description="in the order in which a pilot tries them"
    )
    engines: tuple[Engine, ...] = Field(default=(), max_length=16)
    image_trial: ImageTrial | None = Field(description="null if no image or no runtime is here")
    fuse_device_opens: bool | None = Field(description="/dev/fuse can be opened for reading and writing")
    fuse_problem: Text | None = Field(description="why it cannot")
    squashfuse_path: Text | None = Field(description="program that mounts SIF images without privileges")
    kernel_release: Text | None = Field(description="uname -r")
    mode: NamespaceMode | None = Field(description="from /proc/self/uid_map")
    uid_map: tuple[Annotated[str, Field(max_length=64)], ...] = Field(
        default=(), max_length=340, description="lines of /proc/self/uid_map: inside, outside, count"
    )
    no_new_privs: bool | None = Field(
        description="execve() gives no privileges, so set-user-id programs do not work"
    )
    seccomp: SeccompMode | None = Field(description="whether system calls are filtered")
    effective_capabilities: tuple[Text, ...] | None = Field(
        max_length=64,
        description="names of the effective capabilities, lower case without cap_; see capabilities(7)",
    )
    cache_path: Text | None = Field(description="where the runtime unpacks and caches images")
    cache_available_bytes: Bytes | None = Field(description="free there for an unprivileged process")
