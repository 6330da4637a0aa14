"""The instruction set of an AMD GPU, as the kernel's driver tells it: HIP says it only in a record whose shape changes with ROCm.

`/sys/class/kfd/kfd/topology/nodes/N/properties` has `domain` and `location_id`, the place on the bus, and `gfx_target_version`,
major · 10000 + minor · 100 + stepping in decimal (Linux, Documentation/ABI/testing/sysfs-class-kfd and drivers/gpu/drm/amd/amdkfd).
"""

from __future__ import annotations

import re
from pathlib import Path

NODES = "sys/class/kfd/kfd/topology/nodes"
MAX_BYTES = 64 * 1024
MAX_NODES = 256

_BUS_ID = re.compile(r"([0-9a-f]{4,8}):([0-9a-f]{2}):([0-9a-f]{2})\.([0-7])", re.IGNORECASE)


def architecture_at(bus_id: str, root: Path = Path("/")) -> str | None:
    """``gfx90a`` for the GPU at a place on the bus; None where the kernel does not tell.

    Args:
        bus_id: ``0000:3b:00.0``.
        root: of the file tree, for tests.
    """
    found = _BUS_ID.fullmatch(bus_id)
    if found is None:
        return None
    domain, bus, device, function = (int(part, 16) for part in found.groups())
    place = bus << 8 | device << 3 | function
    try:
        nodes = sorted((root / NODES).iterdir())[:MAX_NODES]
    except OSError:
        return None
    for node in nodes:
        told = _properties(node / "properties")
        if (told.get("domain", 0), told.get("location_id")) == (domain, place) and told.get(
            "gfx_target_version"
        ):
            return _name(told["gfx_target_version"])
    return None


def _name(version: int) -> str:
    return f"gfx{version // 10_000}{version // 100 % 100:x}{version % 100:x}"


def _properties(path: Path) -> dict[str, int]:
    try:
        with path.open("rb") as file:
            text = file.read(MAX_BYTES).decode("ascii", "replace")
    except OSError:
        return {}
    found = {}
    for line in text.splitlines():
        name, _, value = line.partition(" ")
        if value.isascii() and value.isdigit() and len(value) < 20:
            found[name] = int(value)
    return found
