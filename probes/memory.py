"""Memory granted: host, control groups, claims and address space side by side; pressure and /dev/shm."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from probes import claims
from probes.cgroup_limits import CgroupReader
from probes.errors import HostError
from probes.host import KIB, Host
from probes.memory_checks import CHECKS, judge, summarise
from probes.settings import Settings
from probes.spec import Probe
from profiles.facts.batch import SlotClaim
from profiles.facts.memory import MemoryFacts, MemorySource, SharedMemory

MEMINFO = "/proc/meminfo"
PRESSURE = "/proc/pressure/memory"
SHM = "/dev/shm"  # noqa: S108 - the path that is asked about
SHM_TRIAL_BYTES = 4096

MAX_BYTES = 2**62
MAX_COUNT = 2**31 - 1

_MEMINFO_LINE = re.compile(r"(\w+):\s+([0-9]{1,18}) kB")
_PSI_LINE = re.compile(r"(some|full) avg10=([0-9]{1,3}(?:\.[0-9]{1,4})?) ")


def gather(host: Host, settings: Settings) -> MemoryFacts:
    """Ask every source; never raises. What cannot be read is a reason in `absent`."""
    reader = CgroupReader(host)
    slots = claims.read_all(host, settings)
    absent: dict[str, str] = {}
    meminfo = _meminfo(host, absent)
    address_space_bytes = _address_space(host, absent)
    sources = [
        MemorySource(name="host", kind="host", limit_bytes=meminfo["host_bytes"], evidence=(MEMINFO,)),
        _cgroup(reader),
        MemorySource(
            name="RLIMIT_AS",
            kind="enforced",
            limit_bytes=address_space_bytes,
            evidence=("getrlimit(2)",),
            note=absent.get("address_space_bytes", "of address space, which is more than what is in memory"),
        ),
        *(_claim(slot) for slot in slots),
    ]
    problems = (
        *reader.problems,
        *(problem for slot in slots if slot.memory_bytes is None for problem in slot.problems),
    )[:128]
    return MemoryFacts(
        **meminfo,
        **_reconciled(sources, absent),
        sources=tuple(sources[:64]),
        address_space_bytes=address_space_bytes,
        **_oom(reader, absent),
        **_pressure(host, reader.memory_pressure_path() or PRESSURE, absent),
        shared_memory=_shared_memory(host, absent),
        problems=problems,
        absent=absent,
    )


def _meminfo(host: Host, absent: dict[str, str]) -> dict[str, int | None]:
    """MemTotal, MemAvailable, SwapTotal, SwapFree of proc_meminfo(5); its kB are 1024 bytes."""
    reason = None
    text = ""
    try:
        text = host.read_text(MEMINFO, limit_bytes=64 * KIB)
    except HostError as error:
        reason = f"{MEMINFO}: {error.text}"[:4096]
    said = {
        match[1]: int(match[2]) * KIB for line in text.splitlines() if (match := _MEMINFO_LINE.match(line))
    }
    fields = {
        "host_bytes": "MemTotal",
        "available_bytes": "MemAvailable",
        "swap_total_bytes": "SwapTotal",
        "swap_free_bytes": "SwapFree",
    }
    found: dict[str, int | None] = {}
    for field, name in fields.items():
        value = said.get(name)
        found[field] = value if value is not None and value < MAX_BYTES else None
        if found[field] is None:
            absent[field] = reason or f"{MEMINFO} has no plausible {name}"
    return found


def _address_space(host: Host, absent: dict[str, str]) -> int | None:
    try:
        soft = host.limit("AS").soft
    except HostError as error:
        absent["address_space_bytes"] = error.text[:4096]
        return None
    if soft is None or soft >= MAX_BYTES or soft < 0:
        absent["address_space_bytes"] = "RLIMIT_AS is not set"
        return None
    return soft


def _cgroup(reader: CgroupReader) -> MemorySource:
    limits = sorted(reader.memory_limits(), key=lambda limit: limit.value)
    if not limits:
        note = "no level of the cgroup limits memory"
        return MemorySource(name="cgroup", kind="enforced", limit_bytes=None, note=note)
    return MemorySource(
        name="cgroup",
        kind="enforced",
        limit_bytes=limits[0].value,
        evidence=tuple(f"{limit.path}: {limit.value}"[:4096] for limit in limits[:64]),
    )


def _claim(slot: SlotClaim) -> MemorySource:
    return MemorySource(
        name=slot.source.value,
        kind="claim",
        limit_bytes=slot.memory_bytes,
        evidence=slot.evidence,
        note=None if slot.memory_bytes is not None else "does not say how much memory it granted",
    )


def _reconciled(sources: Sequence[MemorySource], absent: dict[str, str]) -> dict[str, Any]:
    enforced = _least(source for source in sources if source.kind == "enforced")
    claimed = _least(source for source in sources if source.kind == "claim")
    effective = _least(sources)
    if enforced is None:
        absent["enforced_bytes"] = "neither a cgroup nor RLIMIT_AS limits memory"
    if claimed is None:
        absent["claimed_bytes"] = "no batch system says how much memory it granted"
    if effective is None:
        absent["effective_bytes"] = absent["limited_by"] = "no source gave an amount of memory"
    return {
        "enforced_bytes": enforced and enforced.limit_bytes,
        "claimed_bytes": claimed and claimed.limit_bytes,
        "effective_bytes": effective and effective.limit_bytes,
        "limited_by": effective and effective.name,
    }


def _least(sources: Iterable[MemorySource]) -> MemorySource | None:
    known = [source for source in sources if source.limit_bytes is not None]
    return min(known, key=lambda source: source.limit_bytes or 0, default=None)


def _oom(reader: CgroupReader, absent: dict[str, str]) -> dict[str, Any]:
    kills = reader.oom_kills()
    if kills is None or kills.value > MAX_COUNT:
        reason = (
            "no memory controller that counts OOM kills" if kills is None else f"{kills.path}: implausible"
        )
        absent["oom_kills"] = absent["oom_kills_path"] = reason
        return {"oom_kills": None, "oom_kills_path": None}
    return {"oom_kills": kills.value, "oom_kills_path": kills.path}


def _pressure(host: Host, path: str, absent: dict[str, str]) -> dict[str, Any]:
    """Pressure stall information, kernel documentation accounting/psi."""
    found: dict[str, float] = {}
    reason = f"{path} has no plausible avg10"
    try:
        text = host.read_text(path, limit_bytes=4 * KIB)
        found = {match[1]: float(match[2]) for line in text.splitlines() if (match := _PSI_LINE.match(line))}
    except HostError as error:
        reason = f"{path}: {error.text}"[:4096]
    shares = {kind: share for kind, share in found.items() if share <= 100}
    said: dict[str, Any] = {
        "pressure_some_percent": shares.get("some"),
        "pressure_full_percent": shares.get("full"),
        "pressure_path": path if shares else None,
    }
    absent.update({name: reason for name, value in said.items() if value is None})
    return said


def _shared_memory(host: Host, absent: dict[str, str]) -> SharedMemory | None:
    try:
        space = host.space(SHM)
        trial = host.try_write(SHM, SHM_TRIAL_BYTES)
        return SharedMemory(
            total_bytes=space.total_bytes,
            available_bytes=space.available_bytes,
            writable=trial.works and trial.verified,
            detail=None if trial.works else (trial.detail or trial.errno_name),
        )
    except HostError as error:
        absent["shared_memory"] = error.text[:4096]
    except ValueError:
        absent["shared_memory"] = f"{SHM}: the file system gives implausible numbers"
    return None


PROBE = Probe(
    name="memory",
    title="memory granted, by every source; pressure and shared memory",
    section="Slot",
    facts_model=MemoryFacts,
    gather=gather,
    judge=judge,
    summarise=summarise,
    checks=CHECKS,
    # A claim may have to be fetched from a batch daemon or a metadata service that is slow to answer.
    deadline_s=10.0,
)
