"""What control groups allow: the limits of every level from the own group to the top, each with its file.

A library for probes. A limit that is not set ("max", -1, a number near 2^63) is not in the answer at all;
a file that is not there is not an error, because a controller may be enabled on some levels only.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from probes import cgroups
from probes.errors import HostError
from probes.host import KIB, Host
from profiles import cpulist

UNLIMITED_FROM: Final = 2**62
"""cgroup v1 says "none" by LONG_MAX rounded down to a page, 9223372036854771712 with 4 KiB pages."""

MAX_CORES: Final = 2**20

_WHOLE = re.compile(r"-?[0-9]{1,20}")
_COUNTER = re.compile(r"(\S+) ([0-9]{1,19})")


class Quota(NamedTuple):
    """CPU time per wall time that one level allows, in cores."""

    cores: float
    path: str


class Amount(NamedTuple):
    """A size or number that one level allows."""

    value: int
    path: str


class Pids(NamedTuple):
    """Processes and threads that one level allows and has."""

    limit: int
    used: int | None
    path: str


class CpuSet(NamedTuple):
    """CPUs that the own group may use; the kernel has already intersected it with those of its parents."""

    cpus: frozenset[int]
    path: str


class CgroupReader:
    """Reads limits; what could not be understood is a sentence in `problems`."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self.groups = cgroups.read(host)
        self._problems = list(self.groups.problems)

    @property
    def problems(self) -> tuple[str, ...]:
        """One sentence for each file that could not be used, at most 64."""
        return tuple(dict.fromkeys(self._problems))[:64]

    def cpu_quotas(self) -> tuple[Quota, ...]:
        """Quotas of all levels: v2 cpu.max, v1 cpu.cfs_quota_us over cpu.cfs_period_us."""
        found = []
        for tree in self.groups.of("cpu"):
            for level in tree.levels:
                quota = self._quota_v2(level) if tree.version == 2 else self._quota_v1(level)
                if quota is not None:
                    found.append(quota)
        return tuple(found)

    def memory_limits(self) -> tuple[Amount, ...]:
        """Limits of all levels, in bytes: v2 memory.max and memory.high, v1 memory.limit_in_bytes.

        v1 also tells the least limit of all ancestors, even of those outside the mount, in memory.stat
        (hierarchical_memory_limit, kernel documentation cgroup-v1/memory, section 5.2).
        """
        found: list[Amount] = []
        for tree in self.groups.of("memory"):
            names = ("memory.max", "memory.high") if tree.version == 2 else ("memory.limit_in_bytes",)
            read = [self._amount(f"{level}/{name}") for level in tree.levels for name in names]
            found += [amount for amount in read if amount is not None]
            if tree.version == 1:
                path = f"{tree.levels[0]}/memory.stat"
                least = self._counters(path).get("hierarchical_memory_limit", UNLIMITED_FROM)
                if least < min((amount.value for amount in found), default=UNLIMITED_FROM):
                    found.append(Amount(least, path))
        return tuple(found)

    def pids(self) -> tuple[Pids, ...]:
        """pids.max of all levels, with how many are in use there."""
        found = []
        for tree in self.groups.of("pids"):
            for level in tree.levels:
                limit = self._amount(f"{level}/pids.max")
                if limit is not None:
                    used = self._amount(f"{level}/pids.current")
                    found.append(Pids(limit.value, None if used is None else used.value, limit.path))
        return tuple(found)

    def cpuset(self) -> CpuSet | None:
        """CPUs of the nearest level that says; levels without the controller have those of their parent."""
        for tree in self.groups.of("cpuset"):
            names = (
                ("cpuset.cpus.effective",) if tree.version == 2 else ("cpuset.effective_cpus", "cpuset.cpus")
            )
            for path in (f"{level}/{name}" for level in tree.levels for name in names):
                text = self._read(path)
                if not text:
                    continue
                cpus = cpulist.parse(text)
                if cpus:
                    return CpuSet(cpus, path)
                self._problem(path, text, "a list of CPUs such as 0-3,8")
        return None

    def oom_kills(self) -> Amount | None:
        """Processes killed for memory in the nearest group that counts them, and those below it, ever."""
        for tree in self.groups.of("memory"):
            name = "memory.events" if tree.version == 2 else "memory.oom_control"
            for level in tree.levels:
                path = f"{level}/{name}"
                count = self._counters(path).get("oom_kill")
                if count is not None:
                    return Amount(count, path)
        return None

    def memory_pressure_path(self) -> str | None:
        """The own group's memory.pressure, the nearest level that has it below the top of the v2 tree."""
        for tree in self.groups.of("memory"):
            for level in tree.levels[:-1] if tree.version == 2 else ():
                if self._host.exists(f"{level}/memory.pressure"):
                    return f"{level}/memory.pressure"
        return None

    # -- files -------------------------------------------------------------------------------------------

    def _quota_v2(self, level: str) -> Quota | None:
        path = f"{level}/cpu.max"
        text = self._read(path)
        if text is None:
            return None
        quota, _, period = text.partition(" ")
        if quota == "max":
            return None
        return self._quota(path, text, quota, period or "100000")

    def _quota_v1(self, level: str) -> Quota | None:
        path = f"{level}/cpu.cfs_quota_us"
        quota = self._read(path)
        if quota is None or quota == "-1":
            return None
        period = self._read(f"{level}/cpu.cfs_period_us")
        if period is None:
            self._problems.append(f"{path} is set, but {level}/cpu.cfs_period_us cannot be read")
            return None
        return self._quota(path, f"{quota} over {period}", quota, period)

    def _quota(self, path: str, text: str, quota: str, period: str) -> Quota | None:
        if _WHOLE.fullmatch(quota) and _WHOLE.fullmatch(period) and int(quota) > 0 and int(period) > 0:
            cores = int(quota) / int(period)
            if cores <= MAX_CORES:
                return Quota(cores, path)
        self._problem(path, text, "a quota and a period in microseconds")
        return None

    def _amount(self, path: str) -> Amount | None:
        text = self._read(path)
        if text is None or text == "max":
            return None
        if not _WHOLE.fullmatch(text) or int(text) < 0:
            self._problem(path, text, 'a whole number or "max"')
            return None
        return Amount(int(text), path) if int(text) < UNLIMITED_FROM else None

    def _counters(self, path: str) -> dict[str, int]:
        text = self._read(path) or ""
        return {match[1]: int(match[2]) for line in text.splitlines() if (match := _COUNTER.fullmatch(line))}

    def _read(self, path: str) -> str | None:
        try:
            return self._host.read_text(path, limit_bytes=64 * KIB).strip()
        except HostError as error:
            if not error.is_absent:
                self._problems.append(f"{path} could not be read: {error.text}")
            return None

    def _problem(self, path: str, text: str, wanted: str) -> None:
        shown = repr(text if len(text) <= 60 else f"{text[:57]}...")
        self._problems.append(f"{path} says {shown}, not {wanted}: it was not used")
