"""Profile → what is drawn of a node: packages, NUMA nodes, last-level caches, cores, threads, GPUs.

The profile has counts and CPU lists, not the place of every thread, so the drawing follows the usual
numbering: packages and caches take the NUMA nodes' CPUs in order, and where a node's CPUs come in as many
equal runs as a core has threads, run N holds the N-th threads of its cores; in one run, neighbours share a core.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

from agent.render.plain import cores_text, number_text
from profiles import cpulist
from profiles.facts.cores import CoresFacts
from profiles.facts.cpu import CpuFacts
from profiles.facts.cpu import NumaNode as NumaFacts
from profiles.facts.gpu import GpuFacts
from profiles.profile import CapabilityProfile

T = TypeVar("T")

MAX_THREADS = 4096
"""More than any node of the grid has by far; a larger count comes from a damaged profile and is not drawn."""

GIB = 1024**3
MIB = 1024**2


@dataclass(frozen=True)
class Thread:
    """One hardware thread; `granted` is None where the job has a share of its time, not all of it."""

    label: str
    granted: bool | None


@dataclass(frozen=True)
class Core:
    """One core with its threads."""

    label: str
    threads: tuple[Thread, ...]


@dataclass(frozen=True)
class CacheGroup:
    """Cores that share a last-level cache."""

    label: str
    cores: tuple[Core, ...]


@dataclass(frozen=True)
class NumaNode:
    """One memory domain."""

    label: str
    groups: tuple[CacheGroup, ...]


@dataclass(frozen=True)
class Package:
    """One or more sockets."""

    label: str
    nodes: tuple[NumaNode, ...]


@dataclass(frozen=True)
class Gpu:
    """One accelerator: what it is, and lines of detail."""

    label: str
    details: tuple[str, ...]


@dataclass(frozen=True)
class Topology:
    """A node as it is drawn."""

    caption: str
    packages: tuple[Package, ...]
    gpus: tuple[Gpu, ...]


def topology(profile: CapabilityProfile) -> Topology | None:
    """What to draw; None where the profile does not know its processors."""
    cpu = profile.facts.cpu
    gpus = tuple(_gpus(profile.facts.gpu)) if profile.facts.gpu else ()
    if cpu is None:
        return None
    nodes = _numa_cpus(cpu)
    count = sum(len(cpus) for _, cpus in nodes)
    if not 0 < count <= MAX_THREADS:
        return None
    granted = _Granted(profile.facts.cores)
    drawn = [_numa(facts, cpus, cpu, granted) for facts, cpus in nodes]
    return Topology(
        caption=f"{cores_text(profile)}. {granted.caption}",
        packages=tuple(_packages(cpu, drawn, nodes)),
        gpus=gpus,
    )


class _Granted:
    """Which CPUs the job may use, by what the kernel enforces."""

    def __init__(self, cores: CoresFacts | None) -> None:
        self._cpus: frozenset[int] | None = None
        for source in cores.sources if cores else ():
            found = cpulist.parse(source.cpus) if source.kind == "enforced" and source.cpus else None
            if found:
                self._cpus = found if self._cpus is None else self._cpus & found
        effective = cores.effective_cores if cores else None
        host = cores.host_cpus if cores else None
        pool = len(self._cpus) if self._cpus is not None else host
        self._shared = effective is not None and pool is not None and effective < pool
        if effective is None:
            self.caption = "What of it is granted is not known."
        elif self._shared:
            self.caption = f"Pale: {number_text(effective)} cores' worth of time on any of these {pool}."
        else:
            self.caption = "Filled: granted to the job."

    def of(self, cpu: int) -> bool | None:
        """Whether a CPU is granted: True alone, None as part of a pool, False not at all."""
        if self._cpus is not None and cpu not in self._cpus:
            return False
        return None if self._shared or self.caption.startswith("What") else True


def _numa_cpus(cpu: CpuFacts) -> list[tuple[NumaFacts | None, list[int]]]:
    """CPUs by NUMA node; without NUMA facts one group per package, numbered from 0."""
    nodes: list[tuple[NumaFacts | None, list[int]]] = []
    for node in cpu.numa_nodes or ():
        cpus = cpulist.parse(node.cpus)
        if cpus is not None:
            nodes.append((node, sorted(cpus)))
    if any(cpus for _, cpus in nodes):
        return nodes
    online = min(cpu.online_cpus or 0, MAX_THREADS + 1)
    sockets = cpu.packages if cpu.packages and online % cpu.packages == 0 else 1
    return [(None, list(part)) for part in _chunks(list(range(online)), online // sockets or 1)]


def _packages(
    cpu: CpuFacts, drawn: list[NumaNode], nodes: list[tuple[NumaFacts | None, list[int]]]
) -> Iterable[Package]:
    name = cpu.model_name or cpu.archspec_name or cpu.machine or "processor of unknown name"
    with_cpus = [node for node, (_, cpus) in zip(drawn, nodes, strict=True) if cpus]
    memory_only = [node for node, (_, cpus) in zip(drawn, nodes, strict=True) if not cpus]
    sockets = cpu.packages
    if not sockets or len(with_cpus) % sockets:
        label = f"{sockets} packages, {name}" if sockets and sockets > 1 else f"Package 0, {name}"
        yield Package(label, tuple(drawn))
        return
    for number, part in enumerate(_chunks(with_cpus, len(with_cpus) // sockets)):
        yield Package(f"Package {number}, {name}", tuple(part))
    if memory_only:
        yield Package("Memory without processors", tuple(memory_only))


def _numa(facts: NumaFacts | None, cpus: list[int], cpu: CpuFacts, granted: _Granted) -> NumaNode:
    threads = max(cpu.threads_per_core or 1, 1)
    cores = [
        Core(
            f"core of CPUs {cpulist.text_of(core)}",
            tuple(Thread(f"CPU {number}", granted.of(number)) for number in core),
        )
        for core in _cores(cpus, threads)
    ]
    last = max(
        (cache for cache in cpu.caches or () if cache.kind != "instruction"),
        key=lambda one: one.level,
        default=None,
    )
    size = max(last.shared_by_cpus // threads, 1) if last and last.level > 2 else max(len(cores), 1)
    label = (
        f"L{last.level} {number_text(round(last.size_bytes / MIB, 1))} MiB"
        if last and last.level > 2
        else "cores"
    )
    groups = tuple(CacheGroup(label, tuple(part)) for part in _chunks(cores, size))
    if facts is None:
        return NumaNode("memory", groups)
    memory = f", {facts.memory_bytes / GIB:.0f} GiB" if facts.memory_bytes is not None else ""
    return NumaNode(f"NUMA {facts.node}{memory}, CPUs {facts.cpus or 'none'}", groups)


def _cores(cpus: list[int], threads: int) -> list[list[int]]:
    runs = cpulist.text_of(cpus).count(",") + 1 if cpus else 0
    if threads > 1 and runs == threads and len(cpus) % threads == 0:
        per_run = len(cpus) // threads
        return [cpus[place::per_run] for place in range(per_run)]
    return [list(part) for part in _chunks(cpus, threads)]


def _chunks(items: list[T], size: int) -> Iterable[list[T]]:
    return (items[start : start + size] for start in range(0, len(items), size))


def _gpus(facts: GpuFacts) -> Iterable[Gpu]:
    for device in facts.nvml.devices if facts.nvml else ():
        details = []
        if device.memory_total_bytes is not None:
            details.append(f"{device.memory_total_bytes / GIB:.0f} GiB")
        if device.compute_capability:
            details.append(f"compute capability {device.compute_capability}")
        details += [f"MIG {slice_.profile or 'instance'}" for slice_ in device.mig_instances]
        yield Gpu(f"GPU {device.index}: {device.name or 'NVIDIA, name not readable'}", tuple(details))
    for other in facts.other:
        details = (
            [f"{other.memory_total_bytes / GIB:.0f} GiB"] if other.memory_total_bytes is not None else []
        )
        details += [other.target] if other.target else []
        yield Gpu(f"GPU {other.slot}: {other.vendor.value}", tuple(details))
