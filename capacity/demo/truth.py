"""What the synthetic fleet is: sites, their machines, what each is truly worth, and what is wrong with some.

Everything follows from the seed. Sites are made up (federation "Demo …"); processors and their HS23 are real rows of the
shipped catalogue, so that the mix of the fleet is one that the table could describe.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

COUNTRIES = ("BE", "BR", "CH", "DE", "ES", "FR", "IT", "PL", "UK", "US")
NODES_PER_SITE = 120
"""Mean; sites of the grid have from a few to some thousand nodes, so sizes are drawn log-normally around it."""

NODE_SPREAD = 0.015
"""Like nodes differ by 0.5-2.5 % in HS23 (benchmarks.md d: spread of identical nodes 0.48 %, HEPiX p90 2.5 %)."""


@dataclass(frozen=True)
class DemoCpu:
    """A processor of the catalogue: HS23 is of the whole node, all logical CPUs loaded."""

    model_name: str
    arch: str
    packages: int
    physical_cores: int
    logical_cpus: int
    hs23: float
    clock_ghz: float | None = None


@dataclass(frozen=True)
class DemoFault:
    """Something that is wrong with a node.

    Attributes:
        name: short name, for tests.
        share: of nodes that have it.
        slows_to: factor on what the node can compute.
        checks: check id → sentence of a CRITICAL verdict.
        throttled: whether the processor says that it was throttled while payloads ran.
    """

    name: str
    share: float
    slows_to: float = 1.0
    checks: tuple[tuple[str, str], ...] = ()
    throttled: bool = False


FAULTS = (
    DemoFault("no-cvmfs", 0.03, checks=(("CVM-01", "the mount of cms.cern.ch does not answer"),)),
    DemoFault("squid-down", 0.02, checks=(("SQD-01", "all 2 proxies fail"),)),
    DemoFault("no-file", 0.01, checks=(("XRD-05", "no server has the file of the test"),)),
    DemoFault("throttled", 0.02, slows_to=0.72, throttled=True),
    DemoFault("half-the-memory-channels", 0.02, slows_to=0.86),
)


@dataclass(frozen=True)
class DemoGpu:
    """A GPU.

    Attributes:
        hs23: of CPUs that do as much of a kernel; made up, for nobody has measured the kernels on them.
    """

    name: str
    compute_capability: str
    hs23: float


GPUS = (
    DemoGpu("NVIDIA A100-SXM4-80GB", "8.0", 900.0),
    DemoGpu("NVIDIA H100 80GB HBM3", "9.0", 1500.0),
    DemoGpu("NVIDIA L40S", "8.9", 700.0),
)
GPU_SHARE = 0.04


@dataclass(frozen=True)
class DemoNode:
    """One machine with its truth.

    Attributes:
        hs23: what a full HEPscore23 run on it would give, faults included.
        kernel_bias: kernel → factor between its throughput and what HS23 would suggest, of this CPU model.
        slots: cores of each slot that looks; one entry of all CPUs = looked at as a whole node.
    """

    site: str
    number: int
    cpu: DemoCpu
    hs23: float
    kernel_bias: dict[str, float]
    fault: DemoFault | None
    slots: tuple[int, ...]
    gpus: tuple[DemoGpu, ...]
    virtual: bool


def demo_nodes(count: int, cpus: Sequence[DemoCpu], kernels: Sequence[str], seed: int) -> Iterator[DemoNode]:
    """The first `count` nodes of the fleet of this seed, site by site.

    Raises:
        ValueError: no processor to choose from, or `count` below one.
    """
    if not cpus or count < 1:
        raise ValueError("a demo fleet needs one node and one processor at least")
    rng = random.Random(seed)  # noqa: S311 - a simulation
    bias = {(cpu.model_name, kernel): math.exp(rng.gauss(0, 0.06)) for cpu in cpus for kernel in kernels}
    made = sites = 0
    while made < count:
        site = f"T2_{COUNTRIES[sites % len(COUNTRIES)]}_Demo{sites // len(COUNTRIES) + 1}"
        sites += 1
        bought = rng.sample(list(cpus), k=min(len(cpus), rng.randint(1, 4)))
        size = max(3, round(NODES_PER_SITE * math.exp(rng.gauss(-0.3, 0.8))))
        for number in range(min(size, count - made)):
            cpu = rng.choice(bought)
            yield _node(rng, site, number, cpu, {k: bias[cpu.model_name, k] for k in kernels})
            made += 1


def _node(rng: random.Random, site: str, number: int, cpu: DemoCpu, bias: dict[str, float]) -> DemoNode:
    fault = next((one for one in FAULTS if rng.random() < one.share), None)
    slow = fault.slows_to if fault else 1.0
    whole = rng.random() < 0.5
    slots = (
        (cpu.logical_cpus,)
        if whole or cpu.logical_cpus <= 8
        else (8,) * rng.randint(1, cpu.logical_cpus // 8)
    )
    return DemoNode(
        site=site,
        number=number,
        cpu=cpu,
        hs23=cpu.hs23 * slow * math.exp(rng.gauss(0, NODE_SPREAD)),
        kernel_bias=bias,
        fault=fault,
        slots=slots,
        gpus=(rng.choice(GPUS),) * rng.choice((1, 2, 4)) if rng.random() < GPU_SHARE else (),
        virtual=rng.random() < 0.1,
    )
