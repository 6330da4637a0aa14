"""Both sides of each rule of the GPU checks, with small facts; and what allocation variables mean."""

from __future__ import annotations

from typing import Any

import pytest

from probes.gpu import PROBE
from probes.gpu.allocation import understand
from probes.judging import Judging
from probes.settings import Settings
from profiles.checks import CheckResult, Status
from profiles.facts.gpu import (
    AllocationKind,
    DeviceNode,
    GpuAllocation,
    GpuFacts,
    GpuVendor,
    MigInstance,
    NvidiaGpu,
    NvmlFacts,
    NvmlStatus,
    PciGpu,
    RefusedCall,
)

GIB = 1024**3


def board(index: int = 0, **more: Any) -> NvidiaGpu:
    known: dict[str, Any] = {
        "name": "NVIDIA L4",
        "minor": index,
        "memory_total_bytes": 24 * GIB,
        "compute_capability": "8.9",
        "uncorrected_ecc_errors": 0,
        "temperature_celsius": 40,
        "slowdown_celsius": 90,
        "mig_enabled": False,
    }
    return NvidiaGpu(index=index, **{**known, **more})


def nvml(*devices: NvidiaGpu) -> NvmlFacts:
    return NvmlFacts(
        status=NvmlStatus.OK, driver_version="550.54.15", cuda_driver_version="12.4", devices=devices
    )


def facts(*devices: NvidiaGpu, **more: Any) -> GpuFacts:
    known: dict[str, Any] = {
        "pci": (),
        "kernel_module_version": None,
        "nvml": nvml(*devices),
        "slot_of": None,
        "absent": {"kernel_module_version": "not shown", "slot_of": "none", "nvml": "none", "pci": "no /sys"},
    }
    return GpuFacts(**{**known, **more})


def judged(of: GpuFacts, check_id: str, settings: Settings | None = None) -> CheckResult:
    results = PROBE.judge(of, Judging(PROBE, settings or Settings(), {"gpu": of}))
    assert [result.id for result in results] == [check.id for check in PROBE.checks]
    return next(result for result in results if result.id == check_id)


def pci_gpu(vendor: GpuVendor, class_code: str, driver: str | None = None) -> PciGpu:
    absent = {} if driver else {"driver": "none"}
    return PciGpu(
        slot="0000:01:00.0",
        vendor=vendor,
        device_id="0x1234",
        class_code=class_code,
        driver=driver,
        absent=absent,
    )


@pytest.mark.parametrize(
    ("pci", "nodes", "status"),
    [
        ((), (), Status.SKIPPED),
        (None, (), Status.UNKNOWN),
        ((pci_gpu(GpuVendor.NVIDIA, "0x030200"),), (), Status.WARNING),
        (
            (pci_gpu(GpuVendor.NVIDIA, "0x030200"),),
            (DeviceNode(path="/dev/nvidia0", vendor=GpuVendor.NVIDIA, opens=True),),
            Status.OK,
        ),
        ((pci_gpu(GpuVendor.AMD, "0x030000"),), (), Status.OK),
        ((pci_gpu(GpuVendor.AMD, "0x030000", "amdgpu"),), (), Status.WARNING),
        ((pci_gpu(GpuVendor.INTEL, "0x030000", "i915"),), (), Status.OK),
    ],
)
def test_presence(pci: tuple[PciGpu, ...] | None, nodes: tuple[DeviceNode, ...], status: Status) -> None:
    assert judged(facts(pci=pci, nodes=nodes), "GPU-01").status is status


@pytest.mark.parametrize("error", ["NVML_ERROR_NOT_SUPPORTED", "NVML_ERROR_FUNCTION_NOT_FOUND"])
def test_what_a_model_or_driver_does_not_know_is_no_refusal(error: str) -> None:
    of = facts(board(refused=(RefusedCall(call="nvmlDeviceGetMigMode", error=error),)))

    assert judged(of, "GPU-03").status is Status.OK


@pytest.mark.parametrize(
    ("error", "status"),
    [
        ("NVML_ERROR_NO_PERMISSION", Status.OK),
        ("NVML_ERROR_UNKNOWN", Status.WARNING),
        ("NVML_ERROR_GPU_IS_LOST", Status.CRITICAL),
    ],
)
def test_a_mig_parent_may_refuse_but_not_fail(error: str, status: Status) -> None:
    call = RefusedCall(call="nvmlDeviceGetMemoryInfo", error=error)
    with_part = facts(board(mig_enabled=True, mig_instances=(part(),), refused=(call,)))
    without = facts(board(refused=(call,)))

    assert judged(with_part, "GPU-03").status is status
    assert judged(without, "GPU-03").status is not Status.OK


@pytest.mark.parametrize(
    ("health", "status"),
    [
        ({}, Status.OK),
        ({"uncorrected_ecc_errors": 1}, Status.CRITICAL),
        ({"remap_failed": True}, Status.CRITICAL),
        ({"remap_failed": True, "remap_pending": True}, Status.CRITICAL),
        ({"remap_pending": True}, Status.WARNING),
        ({"retired_pages": 59}, Status.OK),
        ({"retired_pages": 60}, Status.WARNING),
        ({"throttle_reasons": ("gpu_idle", "sw_power_cap", "applications_clocks_setting")}, Status.OK),
        ({"throttle_reasons": ("sw_power_cap", "hw_power_brake_slowdown")}, Status.WARNING),
        ({"temperature_celsius": 86}, Status.OK),
        ({"temperature_celsius": 87}, Status.WARNING),
        ({"uncorrected_ecc_errors": None, "absent": {"uncorrected_ecc_errors": "no ECC"}}, Status.OK),
    ],
)
def test_health(health: dict[str, Any], status: Status) -> None:
    assert judged(facts(board(), board(1, **health)), "GPU-06").status is status


def test_health_that_nobody_tells_is_unknown() -> None:
    silent = board(
        uncorrected_ecc_errors=None,
        temperature_celsius=None,
        absent={"uncorrected_ecc_errors": "nvmlX: NVML_ERROR_NO_PERMISSION", "temperature_celsius": "same"},
    )

    result = judged(facts(silent), "GPU-06")

    assert result.status is Status.UNKNOWN
    assert "NVML_ERROR_NO_PERMISSION" in str(result.reason)


def test_a_site_moves_a_threshold() -> None:
    settings = Settings(thresholds={"GPU-06": {"critical_above_uncorrected_ecc_errors": 5}})
    of = facts(board(uncorrected_ecc_errors=5))

    assert judged(of, "GPU-06").status is Status.CRITICAL
    moved = judged(of, "GPU-06", settings)
    assert moved.status is Status.OK
    assert any("site configuration" in threshold.origin for threshold in moved.thresholds)


def part(memory_bytes: int = 10 * GIB) -> MigInstance:
    return MigInstance(uuid_hash="0123abcd", profile="1g.10gb", memory_bytes=memory_bytes)


@pytest.mark.parametrize(
    ("device", "status"),
    [
        (board(), Status.OK),
        (board(mig_enabled=True), Status.WARNING),
        (board(mig_enabled=True, mig_instances=(part(), part())), Status.OK),
        (
            board(mig_enabled=None, absent={"mig_enabled": "refused"}, mig_instances=(part(),)),
            Status.OK,
        ),
    ],
)
def test_mig(device: NvidiaGpu, status: Status) -> None:
    assert judged(facts(device), "GPU-04").status is status


def granted(text: str, variable: str = "CUDA_VISIBLE_DEVICES") -> tuple[GpuAllocation, ...]:
    return (understand(variable, text),)


@pytest.mark.parametrize(
    ("devices", "allocations", "slot_of", "status"),
    [
        ((), (), "Slurm", Status.SKIPPED),
        ((), granted(""), "Slurm", Status.SKIPPED),
        ((), granted("0"), "Slurm", Status.WARNING),
        ((board(), board(1)), granted("0,1"), "Slurm", Status.OK),
        ((board(), board(1)), granted("1"), "Slurm", Status.OK),
        ((board(),), granted("0,1"), "Slurm", Status.WARNING),
        ((board(),), granted("-1"), "Slurm", Status.WARNING),
        ((board(),), (), None, Status.OK),
        ((board(),), (), "HTCondor", Status.WARNING),
        ((board(),), granted("all", "NVIDIA_VISIBLE_DEVICES"), "Kubernetes", Status.WARNING),
        ((board(),), granted("0", "ROCR_VISIBLE_DEVICES"), "Slurm", Status.WARNING),
        (
            (board(mig_enabled=True, mig_instances=(part(), part())),),
            granted("MIG-1,MIG-2"),
            "Slurm",
            Status.OK,
        ),
        (
            (board(mig_enabled=True, mig_instances=(part(),)),),
            granted("MIG-1,MIG-2"),
            "Slurm",
            Status.WARNING,
        ),
    ],
)
def test_allocation(
    devices: tuple[NvidiaGpu, ...],
    allocations: tuple[GpuAllocation, ...],
    slot_of: str | None,
    status: Status,
) -> None:
    of = facts(*devices, allocations=allocations, slot_of=slot_of)

    assert judged(of, "GPU-05").status is status


@pytest.mark.parametrize(
    ("variable", "text", "kind", "count"),
    [
        ("_CONDOR_AssignedGPUs", "10000", AllocationKind.NONE, 0),
        ("_CONDOR_AssignedGPUs", "GPU-3f2a1b0c, GPU-11223344", AllocationKind.DEVICES, 2),
        ("_CONDOR_AssignedGPUs", "CUDA0,CUDA3", AllocationKind.DEVICES, 2),
        ("CUDA_VISIBLE_DEVICES", "NoDevFiles", AllocationKind.NONE, 0),
        ("CUDA_VISIBLE_DEVICES", "2,2", AllocationKind.DEVICES, 1),
        ("CUDA_VISIBLE_DEVICES", "MIG-GPU-ab12/1/0", AllocationKind.DEVICES, 1),
        ("CUDA_VISIBLE_DEVICES", "the big one", AllocationKind.NOT_UNDERSTOOD, None),
        ("CUDA_VISIBLE_DEVICES", "9" * 400, AllocationKind.NOT_UNDERSTOOD, None),
        ("NVIDIA_VISIBLE_DEVICES", "all", AllocationKind.ALL, None),
        ("NVIDIA_VISIBLE_DEVICES", "void", AllocationKind.NONE, 0),
        ("NVIDIA_VISIBLE_DEVICES", "0:0,0:1", AllocationKind.DEVICES, 2),
        ("SLURM_JOB_GPUS", "0-3,6", AllocationKind.DEVICES, 5),
        ("SLURM_JOB_GPUS", "0-99999", AllocationKind.NOT_UNDERSTOOD, None),
        ("SLURM_JOB_GPUS", "3-1", AllocationKind.NOT_UNDERSTOOD, None),
        ("ROCR_VISIBLE_DEVICES", "0,1,2,3", AllocationKind.DEVICES, 4),
    ],
)
def test_allocation_variables(variable: str, text: str, kind: AllocationKind, count: int | None) -> None:
    understood = understand(variable, text)

    assert (understood.kind, understood.count) == (kind, count)


def test_a_device_whose_node_is_closed_is_not_usable() -> None:
    closed = DeviceNode(path="/dev/nvidia1", vendor=GpuVendor.NVIDIA, opens=False, error="EPERM")
    of = facts(board(), board(1), nodes=(closed,), allocations=granted("0,1"))

    result = judged(of, "GPU-05")

    assert (result.status, result.value) == (Status.WARNING, 1)
    assert "/dev/nvidia1: EPERM" in result.evidence


def test_match_lists_each_kind_of_device_once() -> None:
    other = board(2, memory_total_bytes=80 * GIB, compute_capability="9.0")

    result = judged(facts(board(), board(1), other), "GPU-07")

    assert result.summary == (
        "2 × 24576 MiB, capability 8.9, runtime 12.4; 1 × 81920 MiB, capability 9.0, runtime 12.4"
    )


def test_the_summary_fits_its_line() -> None:
    assert len(PROBE.summarise(facts(board(name="N" * 400), board(1)))) <= 60
    broken = facts(nvml=NvmlFacts(status=NvmlStatus.HUNG, call="nvmlInit"))
    assert PROBE.summarise(broken) == "NVML does not open"
