"""What processes cost: CPU seconds and memory of a program with all its children, by /proc; what others keep busy."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import NamedTuple

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def _stat(pid: int | str) -> list[str]:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def family(root: int) -> list[int]:
    """A process and all that descend from it."""
    parents = {}
    for path in Path("/proc").glob("[0-9]*"):
        fields = _stat(path.name)
        if fields:
            parents[int(path.name)] = int(fields[1])
    found = [root]
    for pid in found:
        found += [child for child, parent in parents.items() if parent == pid]
    return found


def cpu_s(root: int) -> float:
    """CPU time of a process, of its children, and of those of them that have ended."""
    fields = [one for one in map(_stat, family(root)) if one]
    return sum(int(one[place]) for one in fields for place in (11, 12, 13, 14)) / _TICKS_PER_S


def gentler(root: int) -> int | None:
    """A descendant of a process that runs with a lower priority than it."""
    fields = {pid: _stat(pid) for pid in family(root)}
    return next((pid for pid, one in fields.items() if one and int(one[16]) > int(fields[root][16])), None)


def memory_mib(root: int) -> float:
    """Memory of a process and its children; what they share is divided among them (PSS)."""
    total_kib = 0
    for pid in family(root):
        try:
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        total_kib += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total_kib / 1024


def _machine_busy_s() -> float:
    fields = [int(one) for one in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    return (sum(fields) - fields[3] - fields[4]) / _TICKS_PER_S  # without idle and waiting for a disk


class Cost(NamedTuple):
    """CPU milliseconds a unit of work, and how many CPUs other programs (and the hypervisor) kept busy meanwhile."""

    client_ms: float
    parts_ms: dict[str, float]
    others_cpus: float

    @property
    def total_ms(self) -> float:
        """Of all together."""
        return self.client_ms + sum(self.parts_ms.values())


class Meter:
    """Runs from when it is made.

    Args:
        roots: name → process that is counted with its children; without those of them that have a name of their own.
    """

    def __init__(self, roots: dict[str, int]) -> None:
        self._roots = roots
        self._before = self._spent_s()
        self._busy_s = _machine_busy_s()
        self._client_s = time.process_time()
        self._began_s = time.perf_counter()

    def _spent_s(self) -> dict[str, float]:
        whole = {name: cpu_s(pid) for name, pid in self._roots.items()}
        families = {name: family(pid) for name, pid in self._roots.items()}
        return {
            name: whole[name]
            - sum(whole[other] for other in whole if other != name and self._roots[other] in families[name])
            for name in whole
        }

    def cost(self, units: int) -> Cost:
        """What was spent since then on so many units, of which this process is the client."""
        client_s = time.process_time() - self._client_s
        wall_s = time.perf_counter() - self._began_s
        parts_s = {name: spent_s - self._before[name] for name, spent_s in self._spent_s().items()}
        others_s = _machine_busy_s() - self._busy_s - client_s - sum(parts_s.values())
        return Cost(
            client_s / units * 1e3,
            {name: seconds / units * 1e3 for name, seconds in parts_s.items()},
            max(0.0, others_s / wall_s),
        )
