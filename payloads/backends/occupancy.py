"""How many blocks of an entry a multiprocessor holds at a time, and what it is that allows no more.

Limits by compute capability from NVIDIA's "CUDA C++ Programming Guide" (12.9), table "Technical specifications per compute
capability"; what is given out in which units, as in NVIDIA's occupancy calculator (cuda_occupancy.h): registers by 256 a warp, from
the share of each of a multiprocessor's parts; shared memory by 256 bytes up to Turing, by 128 later, where the system takes 1 KB a block.
"""

from __future__ import annotations

from typing import NamedTuple

from payloads.backends.cubin import EntryCode

WARP = 32
REGISTERS = 65_536
"""Of a multiprocessor, on all of them."""

_REGISTER_UNIT = 256
_PARTS = {"sm_60": 2}
"""Of a multiprocessor, each with schedulers and registers of its own: four on all others."""


class Limits(NamedTuple):
    """What a multiprocessor has."""

    threads: int
    blocks: int
    shared_bytes: int
    shared_unit_bytes: int
    reserved_bytes: int


_KB = 1024
LIMITS = {
    "sm_60": Limits(2048, 32, 64 * _KB, 256, 0),
    "sm_61": Limits(2048, 32, 96 * _KB, 256, 0),
    "sm_70": Limits(2048, 32, 96 * _KB, 256, 0),
    "sm_75": Limits(1024, 16, 64 * _KB, 256, 0),
    "sm_80": Limits(2048, 32, 164 * _KB, 128, _KB),
    "sm_86": Limits(1536, 16, 100 * _KB, 128, _KB),
    "sm_87": Limits(1536, 16, 164 * _KB, 128, _KB),
    "sm_89": Limits(1536, 24, 100 * _KB, 128, _KB),
    "sm_90": Limits(2048, 32, 228 * _KB, 128, _KB),
    "sm_100": Limits(2048, 32, 228 * _KB, 128, _KB),
    "sm_103": Limits(2048, 32, 228 * _KB, 128, _KB),
    "sm_120": Limits(1536, 24, 100 * _KB, 128, _KB),
}


class Occupancy(NamedTuple):
    """Blocks that a multiprocessor holds at a time, the share of its threads that they are, and the bound that allows no more."""

    blocks: int
    share: float
    limited_by: str


def occupancy(entry: EntryCode, threads: int, architecture: str) -> Occupancy | None:
    """Of an entry launched in blocks of so many threads; None for an architecture that is not in the table.

    Raises:
        ValueError: a block has no threads.
    """
    if threads < 1:
        raise ValueError("a block has at least one thread")
    limits = LIMITS.get(architecture)
    if limits is None:
        return None
    warps = _up(threads, WARP) // WARP
    of_warp = _up(entry.registers * WARP, _REGISTER_UNIT)
    parts = _PARTS.get(architecture, 4)
    warps_by_registers = parts * (REGISTERS // parts // max(of_warp, 1))
    shared = _up(entry.shared_bytes + limits.reserved_bytes, limits.shared_unit_bytes)
    bounds = {
        "threads": limits.threads // WARP // warps,
        "blocks": limits.blocks,
        "registers": warps_by_registers // warps if entry.registers else limits.blocks,
        "shared memory": limits.shared_bytes // shared if shared else limits.blocks,
    }
    limited_by = min(bounds, key=lambda bound: bounds[bound])
    blocks = bounds[limited_by]
    return Occupancy(blocks, blocks * warps * WARP / limits.threads, limited_by)


def _up(number: int, unit: int) -> int:
    return -(-number // unit) * unit
