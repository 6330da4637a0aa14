"""The kernel's notation for sets of CPUs, "0-3,8" (cpuset(7), list format), as profiles carry it."""

from __future__ import annotations

import re
from collections.abc import Iterable

MAX_CPU = 65_535
"""Beyond the largest NR_CPUS that any distribution builds; a larger number is damage."""

_RANGE = re.compile(r"([0-9]{1,5})(?:-([0-9]{1,5}))?")


def parse(text: str | None) -> frozenset[int] | None:
    """CPU numbers of a list; None if it names none or is not one."""
    cpus: set[int] = set()
    for part in (text or "").split(","):
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
    runs: list[tuple[int, int]] = []
    for cpu in sorted(set(cpus)):
        if runs and cpu == runs[-1][1] + 1:
            runs[-1] = (runs[-1][0], cpu)
        else:
            runs.append((cpu, cpu))
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in runs)
