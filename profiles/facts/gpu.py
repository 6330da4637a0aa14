"""Accelerators: what the bus shows, what NVML says, what the slot was granted and what can be opened."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from profiles.base import Bytes, Count, Facts, Model, Text

Celsius = Annotated[int, Field(ge=0, le=1000)]
Megahertz = Annotated[int, Field(ge=0, le=100_000)]
Milliwatts = Annotated[int, Field(ge=0, le=2**31 - 1)]
UuidHash = Annotated[str, Field(pattern=r"^[0-9a-f]{8}$")]
"""First 8 hexadecimal digits of the SHA-256 of a device's UUID: the UUID itself identifies a machine."""

THROTTLE_REASONS = (
    "gpu_idle", "applications_clocks_setting", "sw_power_cap", "hw_slowdown", "sync_boost",
    "sw_thermal_slowdown", "hw_thermal_slowdown", "hw_power_brake_slowdown", "display_clock_setting",
)  # fmt: skip
"""Bit n of NVML's clocks event reasons, from nvml.h (nvmlClocksEventReason…)."""


class GpuVendor(StrEnum):
    """Who made it, by its PCI vendor number."""

    NVIDIA = "nvidia"
    AMD = "amd"
    INTEL = "intel"


class PciGpu(Facts):
    """A graphics or accelerator function on the PCI bus."""

    slot: Text = Field(description="domain:bus:device.function")
    vendor: GpuVendor
    device_id: Text | None = Field(description="PCI device number, e.g. 0x2330")
    class_code: Text = Field(description="PCI class, e.g. 0x030200")
    driver: Text | None = Field(description="kernel driver that is bound to it")


class DeviceNode(Model):
    """A device node and whether this process may open it; only opening proves what a device cgroup allows."""

    path: Text
    vendor: GpuVendor | None = Field(
        default=None, description="None for /dev/dri nodes, shared by all vendors"
    )
    opens: bool | None = Field(description="None = not tried, because the driver does not answer")
    error: Text | None = Field(default=None, description="errno of the refusal")


class RefusedCall(Model):
    """An NVML call that was not answered."""

    call: Text
    error: Text = Field(description="NVML's name of the error, e.g. NVML_ERROR_NO_PERMISSION")


class MigInstance(Facts):
    """A slice of a GPU by Multi-Instance GPU."""

    uuid_hash: UuidHash | None
    profile: Text | None = Field(description="e.g. 1g.5gb: compute slices and memory")
    memory_bytes: Bytes | None
    refused: tuple[RefusedCall, ...] = Field(default=(), max_length=64)


class NvidiaGpu(Facts):
    """One device as NVML describes it."""

    index: Count
    uuid_hash: UuidHash | None = None
    name: Text | None = None
    minor: Count | None = Field(default=None, description="N of /dev/nvidiaN")
    pci_slot: Text | None = None
    memory_total_bytes: Bytes | None = None
    memory_used_bytes: Bytes | None = None
    compute_capability: Text | None = Field(default=None, description="major.minor")
    ecc_enabled: bool | None = None
    uncorrected_ecc_errors: Bytes | None = Field(
        default=None, description="since the driver was loaded (volatile)"
    )
    retired_pages: Count | None = Field(default=None, description="double-bit errors; before Ampere")
    remapped_rows: Count | None = Field(default=None, description="for uncorrectable errors; from Ampere on")
    remap_pending: bool | None = Field(default=None, description="a row is remapped at the next reset")
    remap_failed: bool | None = Field(default=None, description="no spare row was left")
    temperature_celsius: Celsius | None = None
    slowdown_celsius: Celsius | None = Field(
        default=None, description="at which the device slows itself down"
    )
    power_limit_milliwatts: Milliwatts | None = None
    sm_clock_mhz: Megahertz | None = None
    memory_clock_mhz: Megahertz | None = None
    throttle_reasons: tuple[Text, ...] | None = Field(default=None, max_length=64)
    persistence_mode: bool | None = None
    compute_mode: Text | None = Field(default=None, description="default, exclusive-process or prohibited")
    processes: Count | None = Field(default=None, description="compute processes on it")
    mig_enabled: bool | None = None
    mig_instances: tuple[MigInstance, ...] = Field(default=(), max_length=64)
    refused: tuple[RefusedCall, ...] = Field(default=(), max_length=64)


class NvmlStatus(StrEnum):
    """How the conversation with NVML ended."""

    OK = "ok"
    NO_BINDINGS = "no bindings"
    LIBRARY_MISSING = "library missing"
    FAILED = "failed"
    HUNG = "hung"
    CRASHED = "crashed"


class NvmlFacts(Model):
    """What NVML, NVIDIA's management library, answered."""

    status: NvmlStatus
    call: Text | None = Field(default=None, description="the call that failed, hung or crashed")
    error: Text | None = Field(default=None, description="NVML's name of the error")
    detail: Text | None = None
    driver_version: Text | None = None
    cuda_driver_version: Text | None = Field(default=None, description="newest CUDA that the driver supports")
    devices: tuple[NvidiaGpu, ...] = Field(default=(), max_length=256)
    refused: tuple[RefusedCall, ...] = Field(default=(), max_length=256)


class OtherGpu(Facts):
    """An AMD or Intel device as the kernel describes it."""

    vendor: GpuVendor
    slot: Text
    memory_total_bytes: Bytes | None
    memory_used_bytes: Bytes | None
    target: Text | None = Field(description="instruction set of AMD devices, e.g. gfx90a")
    compute_units: Count | None


class AllocationKind(StrEnum):
    """What an allocation variable says."""

    NONE = "none"
    ALL = "all"
    DEVICES = "devices"
    NOT_UNDERSTOOD = "not understood"


class GpuAllocation(Model):
    """What one environment variable grants."""

    variable: Text
    kind: AllocationKind
    count: Count | None = Field(description="devices named; None unless kind is devices or none")
    by_uuid: bool = False
    mig: bool = Field(default=False, description="the names are those of MIG instances")


class GpuFacts(Facts):
    """Accelerators of this node, seen from inside the slot."""

    pci: tuple[PciGpu, ...] | None = Field(max_length=256)
    nodes: tuple[DeviceNode, ...] = Field(default=(), max_length=256)
    kernel_module_version: Text | None = Field(
        description="NVIDIA's kernel module, to compare with the library"
    )
    nvml: NvmlFacts | None
    other: tuple[OtherGpu, ...] = Field(default=(), max_length=256)
    allocations: tuple[GpuAllocation, ...] = Field(default=(), max_length=16)
    slot_of: Text | None = Field(description="whose slot this is: HTCondor, Slurm, Kubernetes …")
