"""The processors of the node: topology, instruction sets, frequency, mitigations, and what CMSSW runs on them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from profiles.base import Bytes, Count, Facts, Model, Text

Megahertz = Annotated[float, Field(ge=0, le=1e6, allow_inf_nan=False)]


class NumaNode(Model):
    """One memory domain."""

    node: Count = Field(description="number of the node as the kernel counts")
    cpus: Text = Field(
        description="its online CPUs, kernel notation such as 0-15,128-143; empty = memory only"
    )
    memory_bytes: Bytes | None = Field(default=None, description="memory attached to it; null = not readable")


class Cache(Model):
    """All caches of one level and kind; they are alike on every machine of the grid."""

    level: Annotated[int, Field(ge=1, le=8)]
    kind: Literal["data", "instruction", "unified"]
    size_bytes: Bytes = Field(description="size of one of them")
    shared_by_cpus: Count = Field(description="how many online CPUs share one of them")
    instances: Count | None = Field(
        default=None, description="how many of them there are; null = not countable"
    )


class ArmCore(Model):
    """What an ARM processor says of itself (MIDR_EL1 through /proc/cpuinfo)."""

    implementer: Text = Field(description="hexadecimal code of the designer, e.g. 0x41")
    implementer_name: Text | None = Field(default=None, description="its name; null = not in our table")
    part: Text = Field(description="hexadecimal part number, e.g. 0xd0c")
    part_name: Text | None = Field(default=None, description="its name; null = not in our table")
    variant: Text | None = Field(default=None, description="hexadecimal major revision")
    revision: Text | None = Field(default=None, description="minor revision")


class NextTarget(Model):
    """A better archspec target that is just out of reach."""

    name: Text
    missing: tuple[Text, ...] = Field(max_length=256, description="features that the processor does not show")


class CpuFacts(Facts):
    """The processors of the node. Counts are of the whole node; what of it is granted is in `cores`."""

    machine: Text | None = Field(description="architecture of the kernel, as uname -m says")
    condor_arch: Text | None = Field(default=None, description="the same in HTCondor's spelling, e.g. X86_64")
    vendor: Text | None = Field(
        default=None, description="vendor as archspec names it, e.g. AuthenticAMD, ARM, IBM"
    )
    model_name: Text | None = Field(default=None, description="what the processor calls itself")
    family: Count | None = Field(default=None, description="x86: cpu family")
    model: Count | None = Field(default=None, description="x86: model number within the family")
    stepping: Count | None = Field(default=None, description="x86: stepping")
    arm_cores: tuple[ArmCore, ...] | None = Field(
        default=None, max_length=16, description="ARM: the different kinds of cores"
    )
    power_generation: Count | None = Field(default=None, description="POWER: 8, 9, 10 …")
    flags: tuple[Text, ...] | None = Field(
        default=None, max_length=2048, description="features that every processor of the node has, sorted"
    )
    sve: bool | None = Field(default=None, description="ARM: Scalable Vector Extension")
    sve2: bool | None = Field(default=None, description="ARM: Scalable Vector Extension 2")

    x86_64_level: Annotated[int, Field(ge=0, le=4)] | None = Field(
        default=None, description="x86-64-vN; 0 = not even the baseline"
    )
    x86_64_missing: dict[str, tuple[Text, ...]] = Field(
        default_factory=dict,
        max_length=4,
        description="x86: flags missing for each level not reached, e.g. v4 → …",
    )
    archspec_name: Text | None = Field(
        default=None, description="best archspec target that the processor can run"
    )
    archspec_why_not: tuple[NextTarget, ...] = Field(
        default=(), max_length=64, description="next better targets, and what is missing for each"
    )

    online_cpus: Count | None = Field(default=None, description="logical processors that are online")
    packages: Count | None = Field(default=None, description="processor packages (sockets)")
    physical_cores: Count | None = Field(default=None, description="cores; SMT threads of a core count once")
    threads_per_core: Count | None = Field(
        default=None, description="most online SMT threads that one core has"
    )
    numa_nodes: tuple[NumaNode, ...] | None = Field(default=None, max_length=1024)
    caches: tuple[Cache, ...] | None = Field(default=None, max_length=32)

    governors: tuple[Text, ...] | None = Field(
        default=None, max_length=16, description="cpufreq governors in use"
    )
    energy_preferences: tuple[Text, ...] | None = Field(
        default=None, max_length=16, description="energy-performance preferences in use"
    )
    frequency_driver: Text | None = Field(default=None, description="cpufreq driver, e.g. intel_pstate")
    frequency_now_mhz: Megahertz | None = Field(default=None, description="median over the processors")
    frequency_max_mhz: Megahertz | None = Field(
        default=None, description="highest that the governor may choose"
    )
    frequency_min_mhz: Megahertz | None = Field(
        default=None, description="lowest that the governor may choose"
    )
    throttle_events: Annotated[int, Field(ge=0, le=2**63 - 1)] | None = Field(
        default=None,
        description="thermal throttling events since boot, of packages and of the cores looked at",
    )

    virtualised: bool | None = Field(default=None, description="whether this is a virtual machine")
    hypervisor: Text | None = Field(
        default=None, description="maker of the (virtual) machine by its firmware (DMI)"
    )
    mitigations: dict[str, Text] | None = Field(
        default=None, max_length=256, description="CPU vulnerability → what the kernel says of it"
    )

    libc: Text | None = Field(default=None, description="C library of this environment, e.g. glibc 2.34")
    scram_architectures: tuple[Text, ...] | None = Field(
        default=None,
        max_length=256,
        description="SCRAM_ARCHs that run right here, by processor and C library",
    )
    scram_architectures_in_containers: tuple[Text, ...] | None = Field(
        default=None, max_length=256, description="SCRAM_ARCHs that run inside a container of their own OS"
    )
