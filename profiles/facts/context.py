"""Where a job wakes up: container runtime, operating system, load, and which site this says it is."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from profiles.base import Facts, Model, Text

Load = Annotated[float, Field(ge=0, le=1e7, allow_inf_nan=False)]
"""A load average: runnable and uninterruptible tasks."""

Percent = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)]


class Runtime(StrEnum):
    """What runs the container that we are in; the innermost one."""

    APPTAINER = "apptainer"
    KUBERNETES = "kubernetes"
    PODMAN = "podman"
    DOCKER = "docker"
    CONTAINERD = "containerd"
    NONE = "none"


class SiteNameSource(StrEnum):
    """Who says what this site is called."""

    CONFIGURATION = "configuration"
    GLIDEIN = "GLIDEIN_CMSSite"
    SITECONF = "SITECONF"


class SiteName(Model):
    """What one source calls this site."""

    name: Text
    source: SiteNameSource


class Pressure(Model):
    """Pressure stall information of one resource: share of the last minute in which tasks waited for it."""

    resource: Text = Field(description="cpu, io or memory")
    some_percent: Percent = Field(description="at least one task waited, average over 60 s")
    full_percent: Percent | None = Field(default=None, description="all tasks waited, average over 60 s")


class ContextFacts(Facts):
    """Where a job wakes up. Holds no host name and no address."""

    runtime: Runtime | None = Field(
        description="the container runtime that we are in, none, or not decidable"
    )
    runtime_evidence: tuple[Text, ...] = Field(default=(), max_length=32, description="why")
    os_id: Text | None = Field(description="ID of /etc/os-release, e.g. almalinux")
    os_version: Text | None = Field(description="VERSION_ID of /etc/os-release")
    os_pretty_name: Text | None = Field(description="PRETTY_NAME of /etc/os-release")
    kernel_release: Text | None = Field(description="what uname -r says")
    libc: Text | None = Field(description="C library of this environment's own programs, e.g. glibc 2.34")
    libc_source: Text | None = Field(description="how that was found")
    agent_libc: Text | None = Field(
        description="C library of the agent's own interpreter, which may be carried"
    )
    load_1min: Load | None = Field(description="load average of the whole machine over 1 minute")
    load_5min: Load | None = Field(description="over 5 minutes")
    load_15min: Load | None = Field(description="over 15 minutes")
    pressure: tuple[Pressure, ...] | None = Field(max_length=8, description="of this environment's machine")
    site_names: tuple[SiteName, ...] = Field(default=(), max_length=8, description="who calls the site what")
    name_is_qualified: bool | None = Field(description="the resolver gives the host a name with a domain")
    name_resolves: bool | None = Field(description="that name has an address")
    name_is_loopback_only: bool | None = Field(description="all its addresses are of the loopback")
    address_names_host: bool | None = Field(description="an address of it leads back to that name")
