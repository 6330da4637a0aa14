"""Which processors copies are pinned to: one copy a physical core first, then the cores' other hardware threads."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection
from pathlib import Path

CPUS = Path("/sys/devices/system/cpu")
_RANGE = re.compile(r"([0-9]{1,5})(?:-([0-9]{1,5}))?")


def copies_granted(cpus: Collection[int], cores: float | None) -> int:
    """How many copies run without waiting for one another: whole cores of the quota, of the processors allowed.

    Args:
        cpus: that we may run on.
        cores: granted by quota or by a batch system, with fractions; None = nobody says.
    """
    if cores is None:
        return max(1, len(cpus))
    # 1e-6: a quota of 8 cores may come as 7.9999999
    return max(1, min(len(cpus), math.floor(cores + 1e-6)))


def order(cpus: Collection[int], siblings: Callable[[int], Collection[int]] | None = None) -> tuple[int, ...]:
    """All processors, in the order in which copies take them.

    Args:
        cpus: that we may run on.
        siblings: hardware threads of the core of a processor; None = as sysfs says.
    """
    ask = siblings or thread_siblings
    rank: dict[int, int] = {}
    for cpu in sorted(cpus):
        if cpu not in rank:
            threads = sorted(other for other in {*ask(cpu), cpu} if other in cpus and other not in rank)
            rank |= {thread: place for place, thread in enumerate(threads)}
    return tuple(sorted(rank, key=lambda cpu: (rank[cpu], cpu)))


def physical_cores(cpus: Collection[int], siblings: Callable[[int], Collection[int]] | None = None) -> int:
    """How many different cores the processors belong to."""
    ask = siblings or thread_siblings
    return len({min(other for other in {*ask(cpu), cpu} if other in cpus) for cpu in cpus})


def thread_siblings(cpu: int) -> frozenset[int]:
    """Hardware threads of the core of a processor; only itself where sysfs does not say (cpuset(7), List format)."""
    try:
        text = (CPUS / f"cpu{cpu}" / "topology" / "thread_siblings_list").read_text("ascii").strip()
    except (OSError, UnicodeDecodeError):
        return frozenset({cpu})
    found: set[int] = set()
    for part in text.split(","):
        match = _RANGE.fullmatch(part)
        if match is None:
            return frozenset({cpu})
        found.update(range(int(match[1]), int(match[2] or match[1]) + 1))
    return frozenset(found)


def curve(copies: int) -> tuple[int, ...]:
    """How many copies a scaling curve is measured with: one, the powers of two below all of them, and all."""
    return tuple(sorted({1, copies, *(2**power for power in range(1, 17) if 2**power < copies)}))
