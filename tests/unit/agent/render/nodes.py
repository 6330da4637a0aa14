"""Nodes to draw: the CPU numbering that Linux gives to machines of these shapes."""

from __future__ import annotations

from profiles.facts.cores import CoresFacts, CoreSource
from profiles.facts.cpu import Cache, CpuFacts, NumaNode
from profiles.facts.gpu import GpuFacts, MigInstance, NvidiaGpu, NvmlFacts, NvmlStatus
from profiles.node_facts import NodeFacts

GIB = 1024**3
MIB = 1024**2


def cores(effective: float | None, cpus: str | None, *, host: int) -> CoresFacts:
    absent = {"limited_by": "not asked", "cgroup_version": "not asked", "enforced_cores": "not asked"}
    absent |= {"claimed_cores": "not asked"} | (
        {} if effective is not None else {"effective_cores": "not asked"}
    )
    return CoresFacts(
        host_cpus=host,
        enforced_cores=None,
        claimed_cores=None,
        effective_cores=effective,
        limited_by=None,
        cgroup_version=None,
        why="by the test",
        sources=(CoreSource(name="affinity", kind="enforced", cores=effective, cpus=cpus),),
        absent=absent,
    )


EPYC_9654_X2 = CpuFacts(
    machine="x86_64",
    model_name="AMD EPYC 9654 96-Core Processor",
    online_cpus=384,
    packages=2,
    physical_cores=192,
    threads_per_core=2,
    numa_nodes=(
        NumaNode(node=0, cpus="0-95,192-287", memory_bytes=384 * GIB),
        NumaNode(node=1, cpus="96-191,288-383", memory_bytes=384 * GIB),
    ),
    caches=(
        Cache(level=1, kind="instruction", size_bytes=32 * 1024, shared_by_cpus=2, instances=192),
        Cache(level=3, kind="unified", size_bytes=32 * MIB, shared_by_cpus=16, instances=24),
    ),
)

POWER9 = CpuFacts(
    machine="ppc64le",
    model_name="POWER9",
    online_cpus=8,
    packages=1,
    threads_per_core=4,
    numa_nodes=(NumaNode(node=0, cpus="0-7"), NumaNode(node=8, cpus="", memory_bytes=16 * GIB)),
)

ONE_CORE_VM = CpuFacts(
    machine="x86_64", model_name="Common KVM processor", online_cpus=1, packages=1, threads_per_core=1
)

H100_MIG = GpuFacts(
    pci=None,
    kernel_module_version=None,
    slot_of=None,
    nvml=NvmlFacts(
        status=NvmlStatus.OK,
        devices=(
            NvidiaGpu(
                index=0,
                name="NVIDIA H100 80GB HBM3",
                memory_total_bytes=80 * GIB,
                compute_capability="9.0",
                mig_enabled=True,
                mig_instances=(
                    MigInstance(uuid_hash="0" * 8, profile="1g.10gb", memory_bytes=10 * GIB),
                    MigInstance(uuid_hash="1" * 8, profile="2g.20gb", memory_bytes=20 * GIB),
                ),
                absent=dict.fromkeys(NvidiaGpu.model_fields, "not asked"),
            ),
        ),
    ),
    absent={"pci": "not asked", "kernel_module_version": "not asked", "slot_of": "not asked"},
)


def node(cpu: CpuFacts, granted: CoresFacts | None = None, gpu: GpuFacts | None = None) -> NodeFacts:
    return NodeFacts(cpu=cpu, cores=granted, gpu=gpu)
