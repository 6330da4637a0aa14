"""What a node with accelerators does effectively, in HS23, for a given workload. Never pledgeable, never added to HS23.

Notation: B = CPU score of the node; φ = share of a workload's CPU time that an algorithm takes; E = CPU score of as many nodes
as would do that algorithm as fast as the GPUs; F = sum of φ over what is offloaded; G = score of the GPUs for that
mixture; ε = CPU time for transfers and launches, as a share of the workload.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import NamedTuple


class Offload(NamedTuple):
    """What of a workload goes to the GPUs of a node.

    Attributes:
        share: F, of the workload's CPU time, in [0, 1).
        gpu_hs23: G, HS23 for the offloaded mixture.
    """

    share: float
    gpu_hs23: float


class Node(NamedTuple):
    """A node of a pool.

    Attributes:
        cpu_hs23: B.
        equivalents: algorithm → E, HS23.
    """

    cpu_hs23: float
    equivalents: Mapping[str, float]


class Step(NamedTuple):
    """A step of a workload.

    Attributes:
        work_share: m, of all work in HS23 s.
        overhead: ε.
        cpu_shares: algorithm → φ.
    """

    work_share: float
    overhead: float
    cpu_shares: Mapping[str, float]


def equivalent(gpu_per_s: float, cpu_node_per_s: float, cpu_hs23: float, usable_share: float = 1.0) -> float:
    """E = T_gpu / T_cpu × B × a: the GPU is worth T_gpu / T_cpu such nodes for this algorithm.

    Args:
        gpu_per_s: throughput of the device.
        cpu_node_per_s: throughput of the whole loaded node on the same input.
        cpu_hs23: B, of that node.
        usable_share: a, share of the device times its availability, in [0, 1].

    Raises:
        ValueError: a throughput or score is not above 0, or the share is outside [0, 1].
    """
    if min(gpu_per_s, cpu_node_per_s, cpu_hs23) <= 0 or not 0 <= usable_share <= 1:
        raise ValueError("throughputs and scores must be above 0, the usable share between 0 and 1")
    return gpu_per_s / cpu_node_per_s * cpu_hs23 * usable_share


def offload(cpu_shares: Mapping[str, float], equivalents: Mapping[str, float]) -> Offload:
    """F and G over the algorithms that are ported and were measured on the node's GPUs.

    G = F / sum(φ/E): the GPUs spend their time on the mixture, the slow algorithms most.
    """
    ported = {name: share for name, share in cpu_shares.items() if share > 0 and equivalents.get(name, 0) > 0}
    share = math.fsum(ported.values())
    if not ported:
        return Offload(0.0, 0.0)
    return Offload(share, share / math.fsum(part / equivalents[name] for name, part in ported.items()))


def effective(cpu_hs23: float, part: Offload, overhead: float) -> float:
    """C = min(B / (1 - F + ε), B + G × (1 - ε/F)): left to the CPU by Amdahl, or bound by the GPUs.

    What the GPUs cannot take falls back to the CPU. A GPU that costs more CPU than it saves is not used: C is never below B.

    Args:
        cpu_hs23: B.
        part: F and G.
        overhead: ε, below F.

    Raises:
        ValueError: F is not in [0, 1), or ε is negative or not below F.
    """
    if part.share == 0:
        return cpu_hs23
    if not 0 < part.share < 1 or not 0 <= overhead < part.share:
        raise ValueError(f"needs 0 ≤ overhead < offloaded share < 1, not {overhead} and {part.share}")
    left_to_cpu = cpu_hs23 / (1 - part.share + overhead)
    gpu_bound = cpu_hs23 + part.gpu_hs23 * (1 - overhead / part.share)
    return min(left_to_cpu, gpu_bound)


def node_mix(node: Node, steps: Iterable[Step]) -> float:
    """C of a node that does all steps itself: 1 / sum(m/C)."""
    return 1 / math.fsum(step.work_share / _of_step(node, step) for step in steps)


def pool(nodes: Iterable[Node], steps: Iterable[Step]) -> tuple[float, float]:
    """Lower and upper bound of a pool, HS23.

    Lower: every node does every step. Upper: a scheduler steers the work that can be offloaded to the GPUs, so that all of
    them are shared: min(ΣB / (1 - F + ε), ΣB + ΣG × (1 - ε/F)) with F and ε of the whole mix.
    """
    all_nodes, all_steps = list(nodes), list(steps)
    lower = math.fsum(node_mix(node, all_steps) for node in all_nodes)
    names = {name for step in all_steps for name in step.cpu_shares}
    whole = {name: math.fsum(s.work_share * s.cpu_shares.get(name, 0.0) for s in all_steps) for name in names}
    parts = [offload(whole, node.equivalents) for node in all_nodes]
    share = max((part.share for part in parts), default=0.0)
    if not share:
        return lower, lower
    # Overhead is paid by the steps that offload at all.
    overhead = math.fsum(s.work_share * s.overhead for s in all_steps if any(s.cpu_shares.values()))
    shared = Offload(share, math.fsum(part.gpu_hs23 for part in parts))
    upper = (
        effective(math.fsum(node.cpu_hs23 for node in all_nodes), shared, overhead)
        if overhead < share
        else lower
    )
    return lower, max(lower, upper)


def _of_step(node: Node, step: Step) -> float:
    part = offload(step.cpu_shares, node.equivalents)
    return effective(node.cpu_hs23, part, step.overhead) if step.overhead < part.share else node.cpu_hs23
