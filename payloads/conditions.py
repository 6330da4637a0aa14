"""The state of the machine while something is measured: load, clock, heat, quota, and who else uses it.

What a machine does not tell is None. Counters (since boot) are only used as differences.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

MAX_ASKED = 64
"""Processors whose clock and heat are looked at, evenly spread: enough to see what a whole node does."""

MAX_BYTES = 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """One moment.

    Attributes:
        at: monotonic clock, s.
        load_1min: run queue as the kernel averages it.
        cpu_mhz: median clock of the processors used.
        throttle_events: thermal throttling of cores and packages since boot.
        busy_s: CPU time that the whole machine has spent since boot, without idling and without steal.
        steal_s: CPU time that the hypervisor gave to others while we wanted it.
        throttled_periods: in which our CPU quota stopped us, since our cgroup or the nearest above with a quota was made.
        throttled_s: CPU time that this quota withheld.
    """

    at: float
    load_1min: float | None
    cpu_mhz: float | None
    throttle_events: int | None
    busy_s: float | None
    steal_s: float | None
    throttled_periods: int | None
    throttled_s: float | None


class Watcher:
    """Looks at the machine. `root` is where its file tree is, for tests."""

    def __init__(self, cpus: Collection[int], root: Path = Path("/")) -> None:
        ordered = sorted(cpus)
        self._cpus = ordered[:: max(1, -(-len(ordered) // MAX_ASKED))]
        self._root = root
        self._quota = _quota_file(root)

    def look(self) -> Snapshot:
        """The machine now."""
        busy_s, steal_s = self._times()
        periods, throttled_s = self._throttling()
        return Snapshot(
            at=time.monotonic(),
            load_1min=self._load(),
            cpu_mhz=self._clock(),
            throttle_events=self._heat(),
            busy_s=busy_s,
            steal_s=steal_s,
            throttled_periods=periods,
            throttled_s=throttled_s,
        )

    def _read(self, path: str) -> str | None:
        return _text(self._root / path)

    def _load(self) -> float | None:
        text = self._read("proc/loadavg")
        try:
            return float(text.split()[0]) if text else None
        except (ValueError, IndexError):
            return None

    def _clock(self) -> float | None:
        base = "sys/devices/system/cpu"
        found = [self._number(f"{base}/cpu{cpu}/cpufreq/scaling_cur_freq") for cpu in self._cpus]
        khz = [value for value in found if value]
        if khz:
            return statistics.median(khz) / 1000
        # virtual machines have no cpufreq; x86 says something here
        lines = (self._read("proc/cpuinfo") or "").splitlines()
        mhz = []
        for line in lines:
            if line.startswith("cpu MHz"):
                try:
                    mhz.append(float(line.split(":")[1]))
                except (ValueError, IndexError):
                    continue
        return statistics.median(mhz) if mhz else None

    def _heat(self) -> int | None:
        cores, packages = [], []
        for cpu in self._cpus:
            directory = f"sys/devices/system/cpu/cpu{cpu}/thermal_throttle"
            core = self._number(f"{directory}/core_throttle_count")
            if core is None:
                return None
            cores.append(core)
            packages.append(self._number(f"{directory}/package_throttle_count") or 0)
        return sum(cores) + max(packages) if cores else None

    def _times(self) -> tuple[float | None, float | None]:
        """proc_stat(5): user nice system idle iowait irq softirq steal; guests are within user."""
        line = (self._read("proc/stat") or "").partition("\n")[0].split()
        try:
            ticks = [int(field) for field in line[1:9]]
        except ValueError:
            return None, None
        if len(ticks) < 8 or line[0] != "cpu" or sum(ticks) == 0:
            return None, None
        hertz = os.sysconf("SC_CLK_TCK")
        user, nice, system, _, _, irq, softirq, steal = ticks
        return (user + nice + system + irq + softirq) / hertz, steal / hertz

    def _throttling(self) -> tuple[int | None, float | None]:
        fields = dict(
            line.split() for line in (_text(self._quota) or "").splitlines() if len(line.split()) == 2
        ) if self._quota else {}  # fmt: skip
        try:
            periods = int(fields["nr_throttled"])
            seconds = (
                int(fields["throttled_usec"]) / 1e6
                if "throttled_usec" in fields
                else int(fields["throttled_time"]) / 1e9
            )
        except (KeyError, ValueError):
            return None, None
        return periods, seconds

    def _number(self, path: str) -> int | None:
        text = (self._read(path) or "").strip()
        return int(text) if text.isascii() and text.isdigit() and len(text) <= 15 else None


def _quota_file(root: Path) -> Path | None:
    """`cpu.stat` of our own cgroup or the nearest above that we can see (cgroups(7)); v2 first, then v1's cpu."""
    for line in (_text(root / "proc/self/cgroup") or "").splitlines():
        number, _, rest = line.partition(":")
        names, _, path = rest.partition(":")
        if number == "0":
            bases = [root / "sys/fs/cgroup", root / "sys/fs/cgroup/unified"]
        elif "cpu" in names.split(","):
            bases = [root / "sys/fs/cgroup" / names, root / "sys/fs/cgroup/cpu"]
        else:
            continue
        parts = [part for part in path.split("/") if part not in ("", "..")]
        for base in bases:
            for depth in range(len(parts), -1, -1):
                place = base.joinpath(*parts[:depth], "cpu.stat")
                if "nr_throttled" in (_text(place) or ""):
                    return place
    return None


def _text(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES).decode("utf-8", "replace")
    except OSError:
        return None


@dataclass(frozen=True, kw_only=True)
class Spell:
    """What happened between two moments.

    Attributes:
        wall_s: length.
        own_cpu_s: CPU time of the copies.
        others_cpus: processors that others kept busy, on average.
        steal_share: of the wall time of all copies, given to other virtual machines.
        throttle_events: thermal.
        throttled_periods: of our CPU quota.
        throttled_s: CPU time that the quota withheld.
        cpu_mhz_low: least median clock seen.
        cpu_mhz_high: greatest.
    """

    wall_s: float
    own_cpu_s: float
    others_cpus: float | None
    steal_share: float | None
    throttle_events: int | None
    throttled_periods: int | None
    throttled_s: float | None
    cpu_mhz_low: float | None
    cpu_mhz_high: float | None


def spell(before: Snapshot, after: Snapshot, own_cpu_s: float, copies: int) -> Spell:
    """The difference of two snapshots around a measurement of `copies` that used `own_cpu_s` of CPU time."""
    wall_s = max(after.at - before.at, 1e-9)
    busy = _difference(before.busy_s, after.busy_s)
    steal = _difference(before.steal_s, after.steal_s)
    clocks = [snapshot.cpu_mhz for snapshot in (before, after) if snapshot.cpu_mhz is not None]
    events = _difference(before.throttle_events, after.throttle_events)
    periods = _difference(before.throttled_periods, after.throttled_periods)
    return Spell(
        wall_s=wall_s,
        own_cpu_s=own_cpu_s,
        others_cpus=None if busy is None else max(0.0, busy - own_cpu_s) / wall_s,
        steal_share=None if steal is None else steal / (wall_s * max(copies, 1)),
        throttle_events=None if events is None else int(events),
        throttled_periods=None if periods is None else int(periods),
        throttled_s=_difference(before.throttled_s, after.throttled_s),
        cpu_mhz_low=min(clocks, default=None),
        cpu_mhz_high=max(clocks, default=None),
    )


def _difference(before: float | None, after: float | None) -> float | None:
    return None if before is None or after is None else max(0.0, after - before)


def together(spells: Collection[Spell]) -> Spell | None:
    """Several spells as one; None if there are none. Sums and time-weighted means; what one does not know, none does."""
    if not spells:
        return None
    wall_s = sum(one.wall_s for one in spells)
    lows = [one.cpu_mhz_low for one in spells if one.cpu_mhz_low is not None]
    highs = [one.cpu_mhz_high for one in spells if one.cpu_mhz_high is not None]
    events = _sum([one.throttle_events for one in spells])
    periods = _sum([one.throttled_periods for one in spells])
    others = _sum([None if one.others_cpus is None else one.others_cpus * one.wall_s for one in spells])
    steal = _sum([None if one.steal_share is None else one.steal_share * one.wall_s for one in spells])
    return Spell(
        wall_s=wall_s,
        own_cpu_s=sum(one.own_cpu_s for one in spells),
        others_cpus=None if others is None else others / wall_s,
        steal_share=None if steal is None else steal / wall_s,
        throttle_events=None if events is None else int(events),
        throttled_periods=None if periods is None else int(periods),
        throttled_s=_sum([one.throttled_s for one in spells]),
        cpu_mhz_low=min(lows, default=None),
        cpu_mhz_high=max(highs, default=None),
    )


def _sum(values: Collection[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if len(known) == len(values) else None


DISTURBED_SHARE = 0.02
"""Twice what a figure is meant to repeat to."""


def disturbed(found: Spell, own_share: float) -> bool:
    """Whether others had the copies' processors for more than 2 % of a repeat: other virtual machines or other processes.

    The criterion knows nothing of the rate that was measured. Our own CPU quota is no other: it is part of what is
    measured.

    Args:
        found: during the repeat.
        own_share: of the copies' wall time, in which they had a CPU.
    """
    if found.throttled_periods:
        return False
    return (found.steal_share or 0.0) > DISTURBED_SHARE or own_share < 1 - DISTURBED_SHARE


OTHERS_SHARE = 0.05
STEAL_SHARE = 0.01
OWN_SHARE = 0.97
CLOCK_FALL = 0.9


def remarks(found: Spell, copies: int, own_share: float) -> list[str]:
    """What a reader of the figures must know about how they came about, one sentence each.

    Args:
        found: while it was measured.
        copies: that were loaded.
        own_share: of their wall time, in which the copies had a CPU.
    """
    said = []
    if found.others_cpus is not None and found.others_cpus > max(OTHERS_SHARE * copies, 0.1):
        said.append(f"other processes kept {found.others_cpus:.1f} CPUs busy while it was measured")
    if found.steal_share is not None and found.steal_share > STEAL_SHARE:
        said.append(f"the hypervisor gave {found.steal_share:.0%} of the time to others (steal)")
    if found.throttle_events:
        said.append(f"the processor slowed itself down for heat {found.throttle_events} times")
    if found.throttled_periods:
        said.append(f"the CPU quota stopped us in {found.throttled_periods} periods")
    if found.cpu_mhz_low and found.cpu_mhz_high and found.cpu_mhz_low < CLOCK_FALL * found.cpu_mhz_high:
        said.append(f"the clock moved between {found.cpu_mhz_low:.0f} and {found.cpu_mhz_high:.0f} MHz")
    if own_share < OWN_SHARE:
        said.append(f"the copies had a CPU for only {own_share:.0%} of the time")
    return said
