"""Whether this is a moment for a benchmark, and whether a running one is in somebody's way. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from agent.daemon.settings import BenchGateSettings


class Situation(NamedTuple):
    """What the gate looks at.

    Attributes:
        now: UTC.
        last: when the last benchmark began; None = there is no note of one.
        watched_since: when the daemon first looked for that note and found none.
        load_1min: load average of the node; None = not readable.
        load_5min: likewise.
        cpus: processors of the node, in the sense of the load averages.
        busy_share: of the node's CPU time since the last turn, by all processes; None = not known yet.
    """

    now: datetime
    last: datetime | None
    watched_since: datetime
    load_1min: float | None
    load_5min: float | None
    cpus: int
    busy_share: float | None


def refusal(at: Situation, settings: BenchGateSettings) -> str | None:
    """Why no benchmark may begin now; None = it may."""
    if not settings.allowed:
        return "daemon.bench.allowed is off"
    if not in_hours(at.now, settings.quiet_hours_utc):
        return f"it is {at.now.astimezone(UTC):%H:%M} UTC, outside the quiet hours {settings.quiet_hours_utc}"
    if at.last is not None and at.last <= at.now:
        next_one = at.last + timedelta(days=settings.every_days)
        if at.now < next_one:
            return f"the last one began {at.last:%Y-%m-%d %H:%M} UTC, the next may on {next_one:%Y-%m-%d %H:%M} UTC"
    else:
        # A note of the future is of a clock that was set back: as good as none.
        next_one = at.watched_since + timedelta(days=settings.first_after_days)
        if at.now < next_one:
            return f"there is no note of the last one, so it waits until {next_one:%Y-%m-%d %H:%M} UTC"
    if at.load_1min is None or at.load_5min is None or at.busy_share is None:
        return "how busy the node is cannot be read"
    bound = settings.idle_load_per_cpu * at.cpus
    if max(at.load_1min, at.load_5min) > bound:
        return f"the node works: load averages {at.load_1min:.2f} and {at.load_5min:.2f}, idle is up to {bound:.2f}"
    if at.busy_share > settings.idle_load_per_cpu:
        return f"the node works: {at.busy_share:.0%} of its CPU time is used"
    return None


def in_hours(now: datetime, hours: str) -> bool:
    """Whether a moment is within "HH:MM-HH:MM" UTC, which may go over midnight; equal ends mean the whole day."""
    begin, end = (int(part[:2]) * 60 + int(part[3:]) for part in hours.split("-"))
    now = now.astimezone(UTC)
    minute = now.hour * 60 + now.minute
    return begin <= minute < end if begin < end else minute >= begin or minute < end


class CpuTimes(NamedTuple):
    """CPU seconds since the node was started, at one moment.

    Attributes:
        at_s: of a monotonic clock.
        busy_s: used by all processes of the node.
        own_s: of them by the benchmark.
    """

    at_s: float
    busy_s: float
    own_s: float = 0.0


def others_share(before: CpuTimes, after: CpuTimes, cpus: int) -> float | None:
    """Share of the node's CPU time between two moments that others used; None if no time went by."""
    whole_s = (after.at_s - before.at_s) * cpus
    if whole_s <= 0:
        return None
    others_s = (after.busy_s - before.busy_s) - (after.own_s - before.own_s)
    return min(max(others_s / whole_s, 0.0), 1.0)
