"""Accelerators as the kernel shows them: PCI functions, KFD topology, local memory, device nodes."""

from __future__ import annotations

import re
from typing import Any

from probes.errors import HostError
from probes.host import Host
from profiles.facts.gpu import DeviceNode, GpuVendor, OtherGpu, PciGpu

PCI = "/sys/bus/pci/devices"
KFD = "/sys/class/kfd/kfd/topology/nodes"

VENDORS = {"0x10de": GpuVendor.NVIDIA, "0x1002": GpuVendor.AMD, "0x8086": GpuVendor.INTEL}
"""PCI vendor numbers, from the PCI ID repository."""

MAX_GPUS = 256
MAX_BYTES = 2**63 - 1

_MODULE = re.compile(r"Kernel Module\s+(?:for \S+\s+)?(\d+(?:\.\d+)+)")
_NVIDIA_NODE = re.compile(r"nvidia\d+$")


def whole(text: str | None, largest: int = MAX_BYTES) -> int | None:
    """A number between 0 and `largest` in decimal or 0x notation, None if it is anything else."""
    text = (text or "").strip()
    if not re.fullmatch(r"\d{1,20}|0[xX][0-9a-fA-F]{1,16}", text):
        return None
    number = int(text, 16 if text[:2].lower() == "0x" else 10)
    return number if number <= largest else None


def pci_gpus(host: Host) -> tuple[PciGpu, ...]:
    """Graphics and accelerator functions of the three vendors.

    Class 0x03 is a display controller, 0x12 a processing accelerator: so AMD's MI300 calls itself. Intel's
    0x12 are neural units of desktop processors, which are not meant here.

    Raises:
        HostError: the PCI bus cannot be listed.
    """
    found: list[PciGpu] = []
    for slot in host.list_dir(PCI):
        path = f"{PCI}/{slot}"
        code = (host.read_text_or_none(f"{path}/class") or "").strip()
        vendor = VENDORS.get((host.read_text_or_none(f"{path}/vendor") or "").strip())
        accelerator = code.startswith("0x12") and vendor is not GpuVendor.INTEL
        if vendor is None or not (code.startswith("0x03") or accelerator) or len(found) == MAX_GPUS:
            continue
        absent: dict[str, str] = {}
        device_id = (host.read_text_or_none(f"{path}/device") or "").strip()
        if not re.fullmatch(r"0x[0-9a-f]{4}", device_id):
            absent["device_id"] = f"{path}/device holds no device number"
        driver = _driver(host, path)
        if driver is None:
            absent["driver"] = "no kernel driver is bound to it"
        found.append(
            PciGpu(
                slot=slot,
                vendor=vendor,
                device_id=None if "device_id" in absent else device_id,
                class_code=code[:16],
                driver=driver,
                absent=absent,
            )
        )
    return tuple(found)


def _driver(host: Host, path: str) -> str | None:
    try:
        return host.read_link(f"{path}/driver").rpartition("/")[2]
    except HostError:
        return None


def other_gpus(host: Host, pci: tuple[PciGpu, ...]) -> tuple[OtherGpu, ...]:
    """AMD and Intel devices with what their kernel drivers export."""
    kfd = _kfd_nodes(host)
    found = []
    for gpu in pci:
        if gpu.vendor is GpuVendor.NVIDIA:
            continue
        if gpu.vendor is GpuVendor.AMD:
            found.append(_amd(host, gpu, kfd.get(gpu.slot)))
        else:
            found.append(_intel(host, gpu))
    return tuple(found)


def _amd(host: Host, gpu: PciGpu, node: dict[str, int] | None) -> OtherGpu:
    absent: dict[str, str] = {}
    total = _number(host, f"{PCI}/{gpu.slot}/mem_info_vram_total", "memory_total_bytes", absent)
    used = _number(host, f"{PCI}/{gpu.slot}/mem_info_vram_used", "memory_used_bytes", absent)
    target, units = None, None
    if node is None:
        absent["target"] = absent["compute_units"] = "not in the KFD topology (no /dev/kfd driver, or hidden)"
    else:
        target = _gfx(node.get("gfx_target_version"))
        per_unit = node.get("simd_per_cu", 0)
        units = node["simd_count"] // per_unit if per_unit else None
        if target is None:
            absent["target"] = "KFD gives no gfx_target_version (kernel before 5.16)"
        if units is None:
            absent["compute_units"] = "KFD gives no simd_per_cu"
    return OtherGpu(
        vendor=gpu.vendor, slot=gpu.slot, memory_total_bytes=total, memory_used_bytes=used, target=target,
        compute_units=units, absent=absent,
    )  # fmt: skip


def _intel(host: Host, gpu: PciGpu) -> OtherGpu:
    path = f"{PCI}/{gpu.slot}"
    absent = {
        "memory_used_bytes": "Intel's drivers do not export it in sysfs",
        "target": "a notion of AMD devices",
        "compute_units": "Intel's drivers do not export it in sysfs",
    }
    # i915 puts it beside the card, xe into each tile (stack) of the device.
    places = [f"{path}/drm/{card}/lmem_total_bytes" for card in host.list_dir_or_empty(f"{path}/drm")]
    tiles = [name for name in host.list_dir_or_empty(path) if re.fullmatch(r"tile\d+", name)]
    total = next((size for size in (whole(host.read_text_or_none(place)) for place in places) if size), None)
    if total is None:
        sizes = [whole(host.read_text_or_none(f"{path}/{tile}/physical_vram_size_bytes")) for tile in tiles]
        total = sum(size for size in sizes if size) if sizes and all(sizes) else None
    if total is None:
        absent["memory_total_bytes"] = "no local memory, or a driver that does not export it in sysfs"
    return OtherGpu(
        vendor=gpu.vendor, slot=gpu.slot, memory_total_bytes=total, memory_used_bytes=None, target=None,
        compute_units=None, absent=absent,
    )  # fmt: skip


def _number(host: Host, path: str, field: str, absent: dict[str, str]) -> int | None:
    try:
        text = host.read_text(path, limit_bytes=4096)
    except HostError as error:
        absent[field] = str(error)
        return None
    number = whole(text)
    if number is None:
        absent[field] = f"{path} holds no size"
    return number


def _kfd_nodes(host: Host) -> dict[str, dict[str, int]]:
    """Properties of the KFD nodes that are GPUs, by PCI slot."""
    nodes: dict[str, dict[str, int]] = {}
    for name in host.list_dir_or_empty(KFD)[: 2 * MAX_GPUS]:
        properties: dict[str, int] = {}
        for line in (host.read_text_or_none(f"{KFD}/{name}/properties") or "").splitlines():
            key, _, value = line.partition(" ")
            number = whole(value, 2**64 - 1)
            if number is not None:
                properties[key] = number
        place = properties.get("location_id")
        if properties.get("simd_count") and place is not None:
            # location_id is bus << 8 | device << 3 | function (kfd_topology.c).
            bus, device, function = place >> 8 & 0xFF, place >> 3 & 0x1F, place & 7
            nodes[f"{properties.get('domain', 0):04x}:{bus:02x}:{device:02x}.{function}"] = properties
    return nodes


def _gfx(version: int | None) -> str | None:
    """90010 → gfx90a: major, minor and stepping with two decimals each, the latter in hexadecimal."""
    if not version:
        return None
    return f"gfx{version // 10_000}{version // 100 % 100:x}{version % 100:x}"


def kernel_module_version(host: Host) -> str:
    """Version of NVIDIA's kernel module that is loaded.

    Raises:
        HostError: it is not loaded (or not shown in this container), or the file has no version.
    """
    text = host.read_text("/proc/driver/nvidia/version", limit_bytes=65_536)
    found = _MODULE.search(text)
    if found is None:
        raise HostError("EBADANSWER", "/proc/driver/nvidia/version names no version")
    return found[1]


def device_nodes(host: Host, *, try_nvidia: bool) -> tuple[DeviceNode, ...]:
    """Device nodes, each opened for reading and writing, as the drivers' libraries do.

    `try_nvidia`: False leaves NVIDIA's closed, because a driver that hangs in NVML hangs in open(2) as well.
    """
    names = host.list_dir_or_empty("/dev")
    wanted: list[tuple[str, GpuVendor | None]] = [
        (f"/dev/{name}", GpuVendor.NVIDIA) for name in names if _NVIDIA_NODE.match(name)
    ]
    wanted += [("/dev/kfd", GpuVendor.AMD)] if "kfd" in names else []
    wanted += [
        (f"/dev/dri/{name}", None) for name in host.list_dir_or_empty("/dev/dri") if name.startswith("render")
    ]
    nodes: list[DeviceNode] = []
    for path, vendor in wanted[:MAX_GPUS]:
        if vendor is GpuVendor.NVIDIA and not try_nvidia:
            nodes.append(DeviceNode(path=path, vendor=vendor, opens=None, error="not tried: NVML hangs"))
            continue
        nodes.append(_tried(host, path, vendor))
    return tuple(nodes)


def _tried(host: Host, path: str, vendor: GpuVendor | None) -> DeviceNode:
    outcome: dict[str, Any]
    try:
        trial = host.try_open(path, write=True)
        outcome = {"opens": trial.works, "error": trial.errno_name}
    except HostError as error:
        outcome = {"opens": None, "error": str(error)}
    return DeviceNode(path=path, vendor=vendor, **outcome)
