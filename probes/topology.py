"""Packages, cores, SMT threads, NUMA nodes and caches from sysfs. A library for probes.

A node of 768 CPUs has some ten thousand topology files. Every list of siblings read says the same for all its
members, so only one file is read for each group, and never more than MAX_READS in all.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from probes.errors import HostError
from probes.host import KIB, Host
from profiles import cpulist

CPUS: Final = "/sys/devices/system/cpu"
NODES: Final = "/sys/devices/system/node"

MAX_READS: Final = 4096
"""More groups than any node has cores; beyond it the count is given up, not guessed."""

MAX_NODES: Final = 1024
"""CONFIG_NODES_SHIFT is at most 10."""

_CACHE_KINDS: Final = {"Data": "data", "Instruction": "instruction", "Unified": "unified"}
_SIZE = re.compile(r"([0-9]{1,9})([KMG]?)")
_MEM_TOTAL = re.compile(r"MemTotal:\s+([0-9]{1,15}) kB")
_UNITS: Final = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30}


@dataclass(frozen=True, kw_only=True)
class Node:
    """One NUMA node; memory None = not readable."""

    number: int
    cpus: frozenset[int]
    memory_bytes: int | None


@dataclass(frozen=True, kw_only=True)
class CacheKind:
    """All caches of one level and kind; instances None = not countable."""

    level: int
    kind: str
    size_bytes: int
    shared_by: int
    instances: int | None


@dataclass(kw_only=True)
class Topology:
    """What sysfs says; a part is None if it cannot be read, with the reason in `problems` under its name."""

    online: frozenset[int] | None = None
    packages: int | None = None
    cores: int | None = None
    threads_per_core: int | None = None
    nodes: tuple[Node, ...] | None = None
    caches: tuple[CacheKind, ...] | None = None
    problems: dict[str, str] = field(default_factory=dict)


class _TopologyError(Exception):
    """Something in sysfs is missing or damaged; the text says what."""


def read(host: Host) -> Topology:
    """Read the topology of the node. Never raises for missing or damaged files."""
    found = Topology()
    try:
        found.online = _cpus(host, f"{CPUS}/online")
    except _TopologyError as error:
        found.problems["online"] = str(error)
        for name in ("packages", "cores", "caches"):
            found.problems[name] = "the online CPUs are not known"
    if found.online is not None:
        cores = _read_cores(host, found.online, found)
        try:
            found.caches = _caches(host, found.online, cores)
        except _TopologyError as error:
            found.problems["caches"] = str(error)
    try:
        found.nodes = _nodes(host)
    except _TopologyError as error:
        found.problems["nodes"] = str(error)
    return found


def _read_cores(host: Host, online: frozenset[int], found: Topology) -> list[frozenset[int]]:
    try:
        packages = _groups(host, online, ("package_cpus_list", "core_siblings_list"))
        found.packages = len(packages)
    except _TopologyError as error:
        found.problems["packages"] = str(error)
    try:
        cores = _groups(host, online, ("core_cpus_list", "thread_siblings_list"))
        found.cores = len(cores)
        found.threads_per_core = max(len(core) for core in cores)
    except _TopologyError as error:
        found.problems["cores"] = str(error)
        return []
    return cores


def _text(host: Host, path: str) -> str:
    try:
        return host.read_text(path, limit_bytes=64 * KIB).strip()
    except HostError as error:
        raise _TopologyError(error.text) from error


def _cpus(host: Host, path: str) -> frozenset[int]:
    cpus = cpulist.parse(_text(host, path))
    if not cpus:
        raise _TopologyError(f"{path} is not a list of CPUs")
    return cpus


def _groups(host: Host, online: frozenset[int], names: tuple[str, ...]) -> list[frozenset[int]]:
    """Divide the online CPUs by a sibling list of sysfs; `names` are its new and its old name (Linux 5.3)."""
    first = min(online)
    name = next((name for name in names if host.exists(f"{CPUS}/cpu{first}/topology/{name}")), names[-1])
    return _divide(host, online, lambda cpu: f"{CPUS}/cpu{cpu}/topology/{name}")


def _divide(host: Host, online: frozenset[int], path_of: Callable[[int], str]) -> list[frozenset[int]]:
    left = set(online)
    groups: list[frozenset[int]] = []
    for cpu in sorted(online):
        if cpu not in left:
            continue
        if len(groups) >= MAX_READS:
            raise _TopologyError(f"more than {MAX_READS} groups of CPUs")
        group = (_cpus(host, path_of(cpu)) | {cpu}) & left
        left -= group
        groups.append(group)
    return groups


def _nodes(host: Host) -> tuple[Node, ...]:
    try:
        names = host.list_dir(NODES)
    except HostError as error:
        raise _TopologyError(error.text) from error
    numbers = sorted(int(name[4:]) for name in names if re.fullmatch(r"node[0-9]{1,5}", name))[:MAX_NODES]
    if not numbers:
        raise _TopologyError(f"{NODES} has no nodes")
    found = []
    for number in numbers:
        cpus = cpulist.parse(_text(host, f"{NODES}/node{number}/cpulist"))
        if cpus is None:
            raise _TopologyError(f"{NODES}/node{number}/cpulist is not a list of CPUs")
        total = _MEM_TOTAL.search(host.read_text_or_none(f"{NODES}/node{number}/meminfo") or "")
        found.append(Node(number=number, cpus=cpus, memory_bytes=int(total[1]) * KIB if total else None))
    return tuple(found)


def _caches(host: Host, online: frozenset[int], cores: list[frozenset[int]]) -> tuple[CacheKind, ...]:
    base = f"{CPUS}/cpu{min(online)}/cache"
    try:
        indexes = sorted(name for name in host.list_dir(base) if re.fullmatch(r"index[0-9]{1,2}", name))
    except HostError as error:
        raise _TopologyError(error.text) from error
    found = [cache for index in indexes if (cache := _cache(host, online, cores, f"{base}/{index}"))]
    if not found:
        raise _TopologyError(f"{base} describes no cache")
    return tuple(sorted(found, key=lambda cache: (cache.level, cache.kind)))


def _cache(
    host: Host, online: frozenset[int], cores: list[frozenset[int]], directory: str
) -> CacheKind | None:
    try:
        kind = _CACHE_KINDS.get(_text(host, f"{directory}/type"))
        level = _text(host, f"{directory}/level")
        size = _SIZE.fullmatch(_text(host, f"{directory}/size"))
    except _TopologyError:
        return None  # virtual machines leave out files of caches that they do not model
    if kind is None or size is None or level not in "12345678" or len(level) != 1:
        return None
    groups: list[frozenset[int]] | None
    try:
        first = (_cpus(host, f"{directory}/shared_cpu_list") | {min(online)}) & online
        groups = cores if first in cores else _divide(host, online, _shared_list(directory))
    except _TopologyError:
        groups = None
    return CacheKind(
        level=int(level),
        kind=kind,
        size_bytes=int(size[1]) * _UNITS[size[2]],
        shared_by=max((len(group) for group in groups or ()), default=1),
        instances=len(groups) if groups else None,
    )


def _shared_list(directory: str) -> Callable[[int], str]:
    index = directory.rpartition("/")[2]
    return lambda cpu: f"{CPUS}/cpu{cpu}/cache/{index}/shared_cpu_list"
