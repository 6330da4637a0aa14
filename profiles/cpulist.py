"""The kernel's notation for sets of CPUs and NUMA nodes, "0-3,8" (cpuset(7), List format)."""

from __future__ import annotations

import re
from collections.abc import Iterable

MAX_CPU = 65_535
"""Beyond the largest NR_CPUS that any distribution builds; a larger number is damage."""

_RANGE = re.compile(r"([0-9]{1,9})(?:-([0-9]{1,9}))?")


def parse(text: str) -> frozenset[int] | None:
    """CPU numbers of a list; empty for an empty list, None if this is not one."""
    cpus: set[int] = set()
    for part in text.strip().split(",") if text.strip() else ():
        match = _RANGE.fullmatch(part.strip())
        if match is None:
            return None
        first, last = int(match[1]), int(match[2] or match[1])
        if last < first or last > MAX_CPU:
            return None
        cpus.update(range(first, last + 1))
    return frozenset(cpus)


def text_of(cpus: Iterable[int]) -> str:
    """The shortest list of some CPU numbers, e.g. "0-3,8"."""
    runs: list[list[int]] = []
    for cpu in sorted(set(cpus)):
        if runs and cpu == runs[-1][-1] + 1:
            runs[-1][-1:] = [cpu] if len(runs[-1]) > 1 else [runs[-1][0], cpu]
        else:
            runs.append([cpu])
    return ",".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)
