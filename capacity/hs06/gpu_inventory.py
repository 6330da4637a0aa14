"""Which GPUs there are, as decimal shares of devices: a MIG instance is a part of one, and nothing is counted twice."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable

from pydantic import Field

from capacity.hs06.model import GpuDevice, Part

_PROFILE = re.compile(
    r"^(?:MIG )?(?:(?P<compute>[1-7])c\.)?(?P<slices>[1-7])g\.[0-9]{1,4}gb(?:\+[a-z.]+|-[a-z]+)?$"
)
_SLICES = 7
_SLICES_OF = (("A30", 4),)
"""Compute slices of a device by what its name holds; all others that know MIG have seven (NVIDIA MIG user guide)."""


class GpuLine(Part):
    """Devices of one kind."""

    name: str
    mig_profile: str | None = None
    instances: int = Field(description="whole devices or MIG instances")
    devices: float | None = Field(description="as shares of whole devices; None = the profile is not known")
    memory_bytes: int | None = Field(default=None, description="of one")


class GpuInventory(Part):
    """The GPU column: a number of devices, no score."""

    lines: tuple[GpuLine, ...] = ()
    remarks: tuple[str, ...] = ()


def share_of(device: GpuDevice) -> float | None:
    """Share of the whole device's compute that this is; None = its MIG profile is not known."""
    if device.mig_profile is None:
        return 1.0
    found = _PROFILE.match(device.mig_profile.strip())
    if found is None:
        return None
    slices = next((number for part, number in _SLICES_OF if part in device.name), _SLICES)
    return min(int(found["compute"] or found["slices"]) / slices, 1.0)


def distinct(devices: Iterable[GpuDevice]) -> tuple[tuple[GpuDevice, ...], tuple[str, ...]]:
    """Devices without those that were seen twice, and what was noticed.

    A device of which instances are there is not there itself: whoever sees both sees the same silicon twice.
    """
    seen = list(devices)
    cut = {device.mig_of for device in seen if device.mig_of}
    kept: list[GpuDevice] = []
    ids: set[str] = set()
    twice = covered = nameless = 0
    for device in seen:
        if device.uuid_hash is None:
            nameless += 1
        elif device.uuid_hash in ids:
            twice += 1
            continue
        else:
            ids.add(device.uuid_hash)
        if device.mig_profile is None and device.uuid_hash in cut:
            covered += 1
            continue
        kept.append(device)
    remarks = []
    if twice:
        remarks.append(f"{twice} device(s) were seen by several slots and count once.")
    if covered:
        remarks.append(f"{covered} device(s) are cut into MIG instances and count as those.")
    if nameless > 1:
        remarks.append(
            f"{nameless} devices have no identity, so slots that share one cannot be told from two devices."
        )
    return tuple(kept), tuple(remarks)


def inventory(devices: Iterable[GpuDevice]) -> GpuInventory:
    """The devices of a node or of many, by kind."""
    kept, remarks = distinct(devices)
    groups: dict[tuple[str, str], list[GpuDevice]] = defaultdict(list)
    for device in kept:
        groups[device.name, device.mig_profile or ""].append(device)
    overfull = _overfull(kept)
    lines = []
    for (name, profile), group in sorted(groups.items()):
        share = share_of(group[0])
        lines.append(
            GpuLine(
                name=name,
                mig_profile=profile or None,
                instances=len(group),
                devices=None if share is None else round(share * len(group), 6),
                memory_bytes=group[0].memory_bytes,
            )
        )
    return GpuInventory(lines=tuple(lines), remarks=(*remarks, *overfull))


def _overfull(devices: Iterable[GpuDevice]) -> tuple[str, ...]:
    """Instances of one device that are more than the device: it was cut anew, and old slots still tell of the old cut."""
    sums: dict[str, float] = defaultdict(float)
    for device in devices:
        if device.mig_of:
            sums[device.mig_of] += share_of(device) or 0.0
    return tuple(
        f"Instances of device {parent} add up to {total:.2f} devices: it was cut anew while old slots were still known."
        for parent, total in sorted(sums.items())
        if total > 1 + 1e-9
    )
