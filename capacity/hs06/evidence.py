"""From a capability profile to what the estimation reads: typed, bounded, without anything else of the profile."""

from __future__ import annotations

import re

from capacity.hs06.model import CpuDescription, GpuDevice, LoadedCpus, NodeEvidence, PayloadScore
from profiles import device_run
from profiles.facts.cpu import CpuFacts
from profiles.facts.gpu import GpuFacts
from profiles.payload_result import PayloadResult
from profiles.profile import CapabilityProfile

_CLOCK = re.compile(r"@\s*([0-9]{1,2}(?:\.[0-9]{1,3})?)\s*GHz", re.IGNORECASE)
_GRANTING = ("cpuset", "affinity")
MIN_CORES = 0.01
"""Least CPU that a container engine grants (`docker --cpus`, Kubernetes' 10m)."""
MAX_CORES = 65_536
"""More than any node has: Linux is built for at most 8,192 CPUs."""


def evidence_of(profile: CapabilityProfile) -> NodeEvidence:
    """What one profile says of the speed of its node.

    Payloads count only if their physics was right and they have a throughput.
    """
    facts = profile.facts
    cores = facts.cores
    granted = None
    if cores is not None and profile.scope.kind == "slot":
        granted = next((s.cpus for s in cores.sources if s.name in _GRANTING and s.cpus), None)
    return NodeEvidence(
        cpu=_cpu(profile, facts.cpu),
        scope=profile.scope.kind,
        cores_granted=_plausible(profile.scope.cores_granted),
        cores_present=profile.scope.cores_present or None,
        in_batch_slot=facts.batch is not None and facts.batch.batch_system is not None,
        container=facts.context is not None and (facts.context.runtime or "none") != "none",
        cpus=granted,
        load_1min=facts.context.load_1min if facts.context else None,
        scores=tuple(score for payload in profile.payloads if (score := _score(payload)) is not None),
        gpus=_gpus(facts.gpu),
        profile_ids=(profile.id,),
    )


def _plausible(cores: float | None) -> float | None:
    """A grant that a machine can give; None otherwise, because 1e-300 or 1e308 cores of one node break every sum."""
    return cores if cores is not None and MIN_CORES <= cores <= MAX_CORES else None


def _cpu(profile: CapabilityProfile, cpu: CpuFacts | None) -> CpuDescription:
    memory = profile.facts.memory
    host_bytes = memory.host_bytes if memory else None
    if cpu is None:
        return CpuDescription(logical_cpus=profile.scope.cores_present or None, memory_bytes=host_bytes)
    l3 = [cache for cache in cpu.caches or () if cache.level == 3 and cache.instances]
    clock = _CLOCK.search(cpu.model_name or "")
    return CpuDescription(
        model_name=cpu.model_name,
        arch=cpu.machine,
        vendor=cpu.vendor,
        microarchitecture=cpu.archspec_name,
        x86_family=cpu.family,
        x86_model=cpu.model,
        packages=cpu.packages or None,
        physical_cores=cpu.physical_cores or None,
        logical_cpus=cpu.online_cpus or None,
        threads_per_core=cpu.threads_per_core or None,
        clock_ghz=float(clock.group(1)) if clock else None,
        max_clock_ghz=cpu.frequency_max_mhz / 1000 if cpu.frequency_max_mhz else None,
        l3_bytes=sum(cache.size_bytes * (cache.instances or 0) for cache in l3) or None,
        memory_bytes=host_bytes or None,
        numa_nodes=len(cpu.numa_nodes) if cpu.numa_nodes else None,
        virtualised=cpu.virtualised,
    )


def _score(payload: PayloadResult) -> PayloadScore | None:
    if payload.events_per_s is None or not payload.physics.right or payload.copies < 1:
        return None
    during, run = payload.during, payload.device_run
    return PayloadScore(
        kernel=payload.kernel,
        version=payload.version,
        backend=payload.backend,
        device=payload.device,
        events_per_s=payload.events_per_s,
        low=payload.events_per_s_low,
        high=payload.events_per_s_high,
        baseline_events_per_s=payload.baseline_events_per_s or _own_baseline(payload),
        one_copy_events_per_s=payload.one_copy_events_per_s,
        copies=payload.copies,
        steal_share=during.steal_share if during else None,
        others_cpus=during.others_cpus if during else None,
        throttled=payload.after.throttled if payload.after else None,
        loaded_cpus=_loaded_cpus(run.cpus) if run and run.cpus else None,
        beside_others_events_per_s=run.together.own.events_per_s if run and run.together else None,
    )


def _loaded_cpus(found: device_run.LoadedCpus) -> LoadedCpus | None:
    if found.copies < 1:
        return None
    return LoadedCpus(events_per_s=found.events_per_s, low=found.low, high=found.high, copies=found.copies)


_SHIPPED_BY_CMSSW = frozenset({"x86_64_v2", "neon", "power8"})
"""Variants of a kernel that are compiled for what CMSSW ships to every site."""


def _own_baseline(payload: PayloadResult) -> float | None:
    """Where the widest instruction set is the one that CMSSW ships, its rate is told once, as the best."""
    return payload.events_per_s if payload.variant in _SHIPPED_BY_CMSSW else None


def _gpus(gpu: GpuFacts | None) -> tuple[GpuDevice, ...]:
    if gpu is None:
        return ()
    found: list[GpuDevice] = []
    for device in gpu.nvml.devices if gpu.nvml else ():
        whole = GpuDevice(
            name=device.name or "NVIDIA device without a name",
            vendor="nvidia",
            memory_bytes=device.memory_total_bytes,
            compute_capability=device.compute_capability,
            uuid_hash=device.uuid_hash,
        )
        if not device.mig_instances:
            found.append(whole)
            continue
        found += [
            whole.model_copy(
                update={
                    "mig_profile": one.profile or "unnamed",
                    "memory_bytes": one.memory_bytes,
                    "uuid_hash": one.uuid_hash,
                    "mig_of": device.uuid_hash,
                }
            )
            for one in device.mig_instances
        ]
    found += [
        GpuDevice(
            name=other.target or f"{other.vendor.value} device",
            vendor=other.vendor.value,
            memory_bytes=other.memory_total_bytes,
        )
        for other in gpu.other
    ]
    return tuple(found)
