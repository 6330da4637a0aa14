"""The machine as its latest profile describes it: processor topology, who grants which cores, memory, system."""

from __future__ import annotations

from typing import NamedTuple

from pydantic import Field

from capacity.service.views.common import Fact, View
from profiles.profile import CapabilityProfile

MAX_NUMA_ROWS = 64
"""More memory domains than this are not listed; the raw profile has them."""


class CoreSourceRow(View):
    """What one source says of the number of cores."""

    name: str
    kind: str
    cores: float | None
    cpus: str | None
    note: str | None
    limits: bool = Field(description="the source that gave the number of cores that count")


class NumaRow(View):
    """One memory domain."""

    node: int
    cpus: str
    memory_bytes: int | None


class CacheRow(View):
    """All caches of one level and kind."""

    level: int
    kind: str
    size_bytes: int
    instances: int | None
    shared_by_cpus: int


class Topology(NamedTuple):
    """How the cores of a machine hang together and which of them are granted."""

    why: str | None
    sources: tuple[CoreSourceRow, ...]
    numa: tuple[NumaRow, ...]
    caches: tuple[CacheRow, ...]


def topology(profile: CapabilityProfile | None) -> Topology:
    """Cores, memory domains and caches of the latest profile; empty without one."""
    if profile is None:
        return Topology(None, (), (), ())
    cores, cpu = profile.facts.cores, profile.facts.cpu
    return Topology(
        why=cores.why if cores else None,
        sources=tuple(
            CoreSourceRow(
                name=source.name,
                kind=source.kind,
                cores=source.cores,
                cpus=source.cpus,
                note=source.note,
                limits=source.name == cores.limited_by,
            )
            for source in cores.sources
        )
        if cores
        else (),
        numa=tuple(
            NumaRow.model_validate(one, from_attributes=True)
            for one in ((cpu.numa_nodes or ()) if cpu else ())[:MAX_NUMA_ROWS]
        ),
        caches=tuple(
            CacheRow.model_validate(one, from_attributes=True) for one in ((cpu.caches or ()) if cpu else ())
        ),
    )


def machine_facts(profile: CapabilityProfile | None) -> tuple[Fact, ...]:
    """Operating system, container, batch system, memory and scratch space of the latest profile."""
    if profile is None:
        return ()
    context, batch = profile.facts.context, profile.facts.batch
    memory, disk = profile.facts.memory, profile.facts.disk
    scratch = disk.scratch if disk else None
    rows: tuple[tuple[str, str | float | int | None, str | None, str | None], ...] = (
        (
            "Operating system",
            context.os_pretty_name if context else None,
            None,
            _why(context, "os_pretty_name"),
        ),
        ("Kernel", context.kernel_release if context else None, None, _why(context, "kernel_release")),
        ("C library", context.libc if context else None, None, _why(context, "libc")),
        ("Container", _runtime(profile), None, _why(context, "runtime")),
        ("Batch system", batch.batch_system if batch else None, None, _why(batch, "batch_system")),
        ("Load, 1 min", context.load_1min if context else None, None, _why(context, "load_1min")),
        (
            "Memory for the job",
            memory.effective_bytes if memory else None,
            "B",
            _why(memory, "effective_bytes"),
        ),
        ("Memory limited by", memory.limited_by if memory else None, None, _why(memory, "limited_by")),
        ("Scratch free", scratch.available_bytes if scratch else None, "B", _why(disk, "scratch")),
        ("Scope of the profile", profile.scope.kind, None, None),
        ("Agent", profile.agent.version, None, None),
    )
    return tuple(Fact(label=a, value=b, unit=c, reason=d if b is None else None) for a, b, c, d in rows)


def _runtime(profile: CapabilityProfile) -> str | None:
    context = profile.facts.context
    if context is None or context.runtime is None:
        return None
    return context.runtime.value


def _why(part: object, name: str) -> str:
    absent: dict[str, str] = getattr(part, "absent", {})
    return absent.get(name, "the profile does not say")
