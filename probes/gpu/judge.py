"""Verdicts on accelerators, from facts only; what NVML's errors mean is in `probes.gpu.diagnosis`."""

from __future__ import annotations

from collections.abc import Sequence

from probes.gpu.diagnosis import diagnose
from probes.host import MIB
from probes.judging import Judging
from profiles.checks import CheckResult, Status, worst
from profiles.facts.gpu import AllocationKind, GpuFacts, GpuVendor, NvidiaGpu, NvmlStatus, RefusedCall

_BAD_REASONS = {"hw_slowdown", "sw_thermal_slowdown", "hw_thermal_slowdown", "hw_power_brake_slowdown"}
"""Slow-downs that are a fault; an idle clock, a chosen clock and the power cap of a busy device are not."""

_HARMLESS = {"NVML_ERROR_NOT_SUPPORTED", "NVML_ERROR_FUNCTION_NOT_FOUND"}
"""This model, or this driver, does not know the property: nobody refused anything."""

_LOST = {"NVML_ERROR_GPU_IS_LOST", "NVML_ERROR_RESET_REQUIRED"}

_HIDDEN = (
    "The device cgroup or the container hides what was granted: check the slot's device rules, and --nv."
)

_NOT_NVIDIA = {"ROCR_VISIBLE_DEVICES"}


def judge(facts: GpuFacts, judging: Judging) -> Sequence[CheckResult]:
    """One verdict for each check of the catalogue."""
    return [
        _presence(facts, judging),
        _nvml(facts, judging),
        _inventory(facts, judging),
        _mig(facts, judging),
        _allocation(facts, judging),
        _health(facts, judging),
        _match(facts, judging),
        _other(facts, judging),
    ]


def summarise(facts: GpuFacts) -> str:
    """What the screen says on the probe's line, e.g. "2 × NVIDIA H100 80GB HBM3"."""
    devices = _devices(facts)
    if devices:
        names = sorted({device.name or "NVIDIA, name refused" for device in devices})
        more = f" and {len(names) - 1} more" if len(names) > 1 else ""
        return f"{len(devices)} × {names[0]}{more}"[:60]
    if facts.other:
        names = sorted({gpu.target or gpu.vendor.value for gpu in facts.other})
        return f"{len(facts.other)} × {', '.join(names)}"[:60]
    if _nvml_is_broken(facts):
        return "NVML does not open"
    on_bus = len(facts.pci or ())
    return f"{on_bus} on the PCI bus, the driver does not answer" if on_bus else "none"


def nvidia_present(facts: GpuFacts) -> bool:
    """Whether anything but NVML itself shows an NVIDIA device or driver."""
    return (
        any(gpu.vendor is GpuVendor.NVIDIA for gpu in facts.pci or ())
        or any(node.vendor is GpuVendor.NVIDIA for node in facts.nodes)
        or facts.kernel_module_version is not None
    )


def _devices(facts: GpuFacts) -> tuple[NvidiaGpu, ...]:
    return facts.nvml.devices if facts.nvml else ()


def _nvml_is_broken(facts: GpuFacts) -> bool:
    """Whether NVML fails although there is a device, or fails in a way that only a device makes it fail."""
    if facts.nvml is None or facts.nvml.status is NvmlStatus.OK:
        return False
    return diagnose(facts.nvml, None, present=nvidia_present(facts)).status is not Status.SKIPPED


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _presence(facts: GpuFacts, judging: Judging) -> CheckResult:
    if facts.pci is None and not facts.nodes and not _devices(facts):
        return judging.unknown(
            "GPU-01", f"the PCI bus cannot be read: {facts.absent.get('pci', 'no reason kept')}"
        )
    pci = facts.pci or ()
    if not pci and not facts.nodes and not _devices(facts):
        return judging.skip("GPU-01", "no accelerator on the PCI bus and no device node")
    evidence = [f"{gpu.slot} {gpu.vendor} {gpu.device_id} driver {gpu.driver or 'none'}" for gpu in pci]
    evidence += [node.path for node in facts.nodes]
    nodes = sum(node.vendor is GpuVendor.NVIDIA for node in facts.nodes)
    nvidia = sum(gpu.vendor is GpuVendor.NVIDIA for gpu in pci)
    # An AMD function of class 0x0300 may be a plain graphics port; with amdgpu it computes.
    amd = any(
        gpu.vendor is GpuVendor.AMD and (gpu.driver == "amdgpu" or gpu.class_code[:6] != "0x0300")
        for gpu in pci
    )
    missing = []
    if nodes < nvidia:
        missing.append(f"{nvidia - nodes} of {nvidia} NVIDIA devices without /dev/nvidiaN")
    if amd and not any(node.vendor is GpuVendor.AMD for node in facts.nodes):
        missing.append("AMD device without /dev/kfd")
    if missing:
        return judging.warn("GPU-01", "; ".join(missing), evidence=evidence)
    return judging.ok("GPU-01", _count(max(len(pci), len(_devices(facts)), 1), "device"), evidence=evidence)


def _nvml(facts: GpuFacts, judging: Judging) -> CheckResult:
    nvml = facts.nvml
    if nvml is None:
        return judging.unknown("GPU-02", f"NVML was not heard: {facts.absent.get('nvml', 'no reason kept')}")
    if nvml.status is NvmlStatus.OK:
        return judging.ok("GPU-02", f"driver {nvml.driver_version}, CUDA {nvml.cuda_driver_version}")
    found = diagnose(nvml, facts.kernel_module_version, present=nvidia_present(facts))
    if found.status is Status.SKIPPED:
        return judging.skip("GPU-02", found.text)
    return judging.result(
        "GPU-02", found.status, found.text, hint=found.hint, evidence=[nvml.detail] if nvml.detail else []
    )


def _without_devices(check_id: str, facts: GpuFacts, judging: Judging) -> CheckResult | None:
    if _devices(facts):
        return None
    if _nvml_is_broken(facts):
        return judging.skip(check_id, "NVML does not open, see GPU-02")
    return judging.skip(check_id, "no NVIDIA device")


def _inventory(facts: GpuFacts, judging: Judging) -> CheckResult:
    skipped = _without_devices("GPU-03", facts, judging)
    if skipped:
        return skipped
    assert facts.nvml is not None
    refused: list[tuple[str, RefusedCall]] = [("NVML", call) for call in facts.nvml.refused]
    of_parents = 0
    for device in _devices(facts):
        mine = [call for call in device.refused if call.error not in _HARMLESS]
        refused += [(f"device {device.index}", call) for call in mine]
        if device.mig_instances:
            # Who was given an instance is not told about its parent: that is how MIG isolates, not a fault.
            of_parents += sum(call.error == "NVML_ERROR_NO_PERMISSION" for call in mine)
        refused += [(f"device {device.index}, MIG", call) for p in device.mig_instances for call in p.refused]
    refused = [(where, call) for where, call in refused if call.error not in _HARMLESS]
    evidence = [f"{where}: {call.call}: {call.error}" for where, call in refused]
    lost = [where for where, call in refused if call.error in _LOST]
    if lost:
        hint = "Look for Xid 79 in dmesg; drain the node, reset the GPU or power-cycle; reseat or replace it."
        text = f"{', '.join(dict.fromkeys(lost))}: GPU is lost"
        return judging.critical("GPU-03", text, evidence=evidence, hint=hint)
    if len(refused) > of_parents:
        text = (
            f"{_count(len(refused), 'question')} refused, first {refused[0][1].call}: {refused[0][1].error}"
        )
        return judging.warn("GPU-03", text, evidence=evidence)
    text = summarise(facts) + ("; its MIG instances answer where it refuses" if refused else "")
    return judging.ok("GPU-03", text, value=len(_devices(facts)), unit="1", evidence=evidence)


def _mig(facts: GpuFacts, judging: Judging) -> CheckResult:
    skipped = _without_devices("GPU-04", facts, judging)
    if skipped:
        return skipped
    on = [device for device in _devices(facts) if device.mig_enabled or device.mig_instances]
    if not on:
        return judging.ok("GPU-04", "MIG is off", value=0, unit="1")
    empty = [str(device.index) for device in on if not device.mig_instances]
    parts = [part for device in on for part in device.mig_instances]
    profiles = [part.profile or "profile unknown" for part in parts]
    text = ", ".join(f"{profiles.count(name)} × {name}" for name in sorted(set(profiles)))
    if empty:
        return judging.warn(
            "GPU-04", f"MIG is on without an instance: device {', '.join(empty)}", value=len(parts)
        )
    return judging.ok("GPU-04", text, value=len(parts), unit="1")


def usable_units(facts: GpuFacts) -> int:
    """Devices or MIG instances that a process here can use: NVML names them and their node opens."""
    closed = {node.path for node in facts.nodes if node.opens is False}
    devices = [device for device in _devices(facts) if f"/dev/nvidia{device.minor}" not in closed]
    if not devices:
        return sum(node.vendor is GpuVendor.NVIDIA and node.opens is True for node in facts.nodes)
    return sum(
        len(device.mig_instances) if device.mig_enabled or device.mig_instances else device.name is not None
        for device in devices
    )


def _allocation(facts: GpuFacts, judging: Judging) -> CheckResult:
    evidence = [
        f"{granted.variable}: {granted.kind}" + (f", {granted.count}" if granted.count else "")
        for granted in facts.allocations
    ]
    evidence += [f"{node.path}: {node.error}" for node in facts.nodes if node.opens is False]
    mine = [granted for granted in facts.allocations if granted.variable not in _NOT_NVIDIA]
    usable = usable_units(facts)
    most = max(mine, key=lambda granted: granted.count or 0, default=None)
    if most and most.count and most.count > usable:
        if not usable and _nvml_is_broken(facts):
            return judging.skip("GPU-05", "NVML does not open, see GPU-02")
        text = f"{most.variable} grants {_count(most.count, 'device')}, {usable} can be used"
        return judging.warn("GPU-05", text, value=usable, unit="1", evidence=evidence, hint=_HIDDEN)
    if not usable:
        return judging.skip("GPU-05", "no NVIDIA device can be used and none is granted")
    if any(granted.kind is AllocationKind.DEVICES for granted in mine):
        return judging.ok(
            "GPU-05", f"{most.count if most else 0} granted, {usable} usable", evidence=evidence
        )
    nothing = [granted.variable for granted in mine if granted.kind is AllocationKind.NONE]
    if nothing:
        text = f"{nothing[0]} grants no device, but {usable} can be used"
        return judging.warn("GPU-05", text, value=usable, unit="1", evidence=evidence)
    if facts.slot_of:
        text = f"all {usable} devices can be used in this {facts.slot_of} slot without an allocation"
        return judging.warn("GPU-05", text, value=usable, unit="1", evidence=evidence)
    return judging.ok("GPU-05", f"{usable} usable, not in a batch slot", evidence=evidence)


def _health(facts: GpuFacts, judging: Judging) -> CheckResult:
    skipped = _without_devices("GPU-06", facts, judging)
    if skipped:
        return skipped
    found: list[tuple[Status, str]] = []
    for device in _devices(facts):
        found += [(status, f"device {device.index}: {text}") for status, text in _ailments(device, judging)]
    found.sort(key=lambda item: item[0] is not Status.CRITICAL)
    if found:
        status = worst([status for status, _ in found])
        return judging.result("GPU-06", status, found[0][1], evidence=[text for _, text in found])
    silent = [
        device.absent.get("uncorrected_ecc_errors", "ECC counts unknown")
        for device in _devices(facts)
        if device.uncorrected_ecc_errors is None and device.temperature_celsius is None
    ]
    if len(silent) == len(_devices(facts)):
        return judging.unknown("GPU-06", f"no device says how it is: {silent[0]}")
    return judging.ok("GPU-06", "no uncorrected error, no slow-down")


def _ailments(device: NvidiaGpu, judging: Judging) -> list[tuple[Status, str]]:
    found: list[tuple[Status, str]] = []
    errors = device.uncorrected_ecc_errors
    if errors is not None and errors > judging.number("GPU-06", "critical_above_uncorrected_ecc_errors"):
        found.append((Status.CRITICAL, f"{errors} uncorrected ECC errors since the driver was loaded"))
    if device.remap_failed:
        found.append((Status.CRITICAL, "a row could not be remapped, no spare is left"))
    if device.remap_pending:
        found.append((Status.WARNING, "a row waits for its remapping: reset the GPU"))
    if device.retired_pages is not None and device.retired_pages >= judging.number(
        "GPU-06", "warn_at_retired_pages"
    ):
        found.append((Status.WARNING, f"{device.retired_pages} retired pages"))
    slow = sorted(_BAD_REASONS & set(device.throttle_reasons or ()))
    if slow:
        found.append((Status.WARNING, f"slowed down: {', '.join(slow)}"))
    heat, limit = device.temperature_celsius, device.slowdown_celsius
    margin = judging.number("GPU-06", "warn_within_celsius_of_slowdown")
    if heat is not None and limit is not None and heat >= limit - margin:
        found.append((Status.WARNING, f"{heat} °C, slows down at {limit} °C"))
    return found


def _match(facts: GpuFacts, judging: Judging) -> CheckResult:
    skipped = _without_devices("GPU-07", facts, judging)
    if skipped:
        return skipped
    assert facts.nvml is not None
    runtime = facts.nvml.cuda_driver_version
    offers: list[str] = []
    for device in _devices(facts):
        parts = [part.memory_bytes for part in device.mig_instances] or [device.memory_total_bytes]
        offers += [
            f"{memory_bytes // MIB} MiB, capability {device.compute_capability}, runtime {runtime}"
            for memory_bytes in parts
            if memory_bytes is not None and device.compute_capability and runtime
        ]
    if not offers:
        return judging.unknown("GPU-07", "no device tells its memory, its capability and the CUDA version")
    kinds = sorted(set(offers))
    text = "; ".join(f"{offers.count(kind)} × {kind}" for kind in kinds)
    return judging.ok("GPU-07", text[:500], value=len(offers), unit="1")


def _other(facts: GpuFacts, judging: Judging) -> CheckResult:
    if facts.pci is None:
        return judging.unknown(
            "GPU-08", f"the PCI bus cannot be read: {facts.absent.get('pci', 'no reason kept')}"
        )
    if not facts.other:
        return judging.skip("GPU-08", "no AMD or Intel accelerator on the PCI bus")
    texts = []
    for gpu in facts.other:
        memory = gpu.memory_total_bytes
        words = (gpu.vendor.value, gpu.target, f"{memory // MIB} MiB" if memory else None)
        texts.append(" ".join(word for word in words if word))
    text = "; ".join(f"{texts.count(kind)} × {kind}" for kind in sorted(set(texts)))
    return judging.ok(
        "GPU-08", text[:500], value=len(texts), unit="1", evidence=[gpu.slot for gpu in facts.other]
    )
