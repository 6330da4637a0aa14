"""Three columns that are never mixed: pledgeable CPU · GPU inventory · effective equivalent for a named workload mix."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from pydantic import Field

from capacity.hs06.gpu_inventory import GpuInventory, distinct, inventory, share_of
from capacity.hs06.mix import Mix
from capacity.hs06.model import Estimate, GpuDevice, LoadedCpus, NodeEvidence, Part, PayloadScore, Positive
from capacity.hs06.offload import Node, equivalent, node_mix, offload, pool

ASSUMPTIONS = (
    "There is no agreed HS23 of a GPU: this figure holds for the named mix only, is not official and cannot be pledged.",
    "Kernels of sitecap stand for algorithms of CMS; what was not measured on the GPU stays on the CPU.",
    "Steady state; no two jobs share a GPU; what the GPU cannot take falls back to the CPU.",
    "Memory is not looked at: a job needs about 2 GB a core.",
    "The interval is that of the repeats on CPU and GPU; the choice of the mix is not in it.",
    "Gates (CVMFS, conditions, remote reading) are told apart and do not lower the figure.",
)


class Worth(Part):
    """E of one algorithm on the GPUs of a node."""

    algorithm: str
    proxy: str | None
    cpu_share: float = Field(description="φ, of the CPU time of the whole mix")
    equivalent_hs23: Positive | None = Field(default=None, description="E; None = see reason")
    reason: str | None = None


class Effective(Part):
    """Effective equivalent of a node or pool. Never added to pledgeable HS23."""

    mix: str
    title: str
    cpu_hs23: Positive = Field(description="B")
    offloaded_share: float = Field(description="F over what is ported and was measured")
    gpu_hs23: float = Field(description="G for the offloaded mixture")
    lower_hs23: Positive = Field(description="each node does all steps itself")
    upper_hs23: Positive = Field(description="work is steered to the GPUs; the same for one node of one step")
    low: Positive | None = Field(default=None, description="68 % by repeats, of lower_hs23")
    high: Positive | None = None
    algorithms: tuple[Worth, ...] = ()
    assumptions: tuple[str, ...] = ASSUMPTIONS
    source: str


class Columns(Part):
    """What is said of a node with GPUs."""

    pledgeable_hs23: Positive | None = Field(
        description="CPU only; the only figure for pledges and accounting"
    )
    inventory: GpuInventory
    effective: Effective | None = None
    reason: str | None = Field(default=None, description="why there is no effective equivalent")
    usable: bool | None = Field(default=None, description="health gates; not multiplied into any figure")
    unusable_reason: str | None = None


class _Throughputs(NamedTuple):
    cpu: float
    gpu: float


def columns(
    evidence: NodeEvidence,
    estimate: Estimate,
    mix: Mix,
    *,
    usable: bool | None = None,
    unusable_reason: str | None = None,
) -> Columns:
    """The three columns of one node.

    Args:
        evidence: with GPUs and payload scores on CPU (all CPUs of the node loaded) and on GPU.
        estimate: of the same node; B is the score of the whole node.
        mix: for which the equivalent is asked.
        usable: verdict of the gates, passed through.
        unusable_reason: passed through.
    """
    there = inventory(evidence.gpus)
    worth, node, reason = worth_of(evidence, estimate, mix)
    figure = None
    if node is not None and reason is None:
        bounds = [_node(evidence, estimate, mix, end) for end in (-1, 1)]
        figure = effective_of([node], mix, worth).model_copy(
            update={
                "low": node_mix(bounds[0], mix.offload_steps()),
                "high": node_mix(bounds[1], mix.offload_steps()),
            }
        )
    return Columns(
        pledgeable_hs23=estimate.hs23_scope or estimate.hs23_node,
        inventory=there,
        effective=figure,
        reason=reason,
        usable=usable,
        unusable_reason=unusable_reason,
    )


def effective_of(nodes: Sequence[Node], mix: Mix, worth: Iterable[Worth] = ()) -> Effective:
    """Of one node or of a pool of several.

    Raises:
        ValueError: no node.
    """
    if not nodes:
        raise ValueError("a pool needs at least one node")
    steps = mix.offload_steps()
    lower, upper = pool(nodes, steps)
    parts = [offload(mix.cpu_shares(), node.equivalents) for node in nodes]
    return Effective(
        mix=mix.name,
        title=mix.title,
        cpu_hs23=sum(node.cpu_hs23 for node in nodes),
        offloaded_share=max(part.share for part in parts),
        gpu_hs23=sum(part.gpu_hs23 for part in parts),
        lower_hs23=lower,
        upper_hs23=upper,
        algorithms=tuple(worth),
        source=mix.source,
    )


def worth_of(
    evidence: NodeEvidence, estimate: Estimate, mix: Mix
) -> tuple[tuple[Worth, ...], Node | None, str | None]:
    """E of each algorithm of a mix, the node as the formulas want it, and why there is nothing to compute."""
    if not evidence.gpus:
        return (), None, "the node granted no GPU"
    if estimate.hs23_node is None:
        return (), None, "only a part of the node was seen, so the score of the whole node is not known"
    node = _node(evidence, estimate, mix, 0)
    shares = mix.cpu_shares()
    found = tuple(
        Worth(
            algorithm=name,
            proxy=proxy,
            cpu_share=shares[name],
            equivalent_hs23=node.equivalents.get(name),
            reason=None if name in node.equivalents else _why_not(evidence, estimate, proxy),
        )
        for name, proxy in mix.proxies().items()
    )
    reason = None if node.equivalents else "no kernel of this mix was measured on CPU and GPU of this node"
    return found, node, reason


def _node(evidence: NodeEvidence, estimate: Estimate, mix: Mix, end: int) -> Node:
    base = estimate.hs23_node or 0.0
    rates = _rates(evidence, estimate.node_cores, end)
    return Node(
        base,
        {
            name: equivalent(rates[proxy].gpu, rates[proxy].cpu, base)
            for name, proxy in mix.proxies().items()
            if proxy is not None and proxy in rates
        },
    )


def _rates(evidence: NodeEvidence, cpus: int | None, end: int) -> Mapping[str, _Throughputs]:
    """Kernel → throughputs of the whole loaded node and of all its GPUs; at one end of the 68 % interval of their ratio."""
    devices, _ = distinct(evidence.gpus)
    found: dict[str, _Throughputs] = {}
    for kernel in sorted({score.kernel for score in evidence.scores}):
        scores = [score for score in evidence.scores if score.kernel == kernel]
        whole = _whole_node(scores, cpus)
        gpu = sum(_of_kind(scores, name, devices, end) for name in {d.name for d in devices})
        if whole and gpu:
            found[kernel] = _Throughputs(_at(whole, -end), gpu)
    return found


def _whole_node(scores: Iterable[PayloadScore], cpus: int | None) -> LoadedCpus | PayloadScore | None:
    """Of one kernel on all CPUs of the node: in the GPU's own run, or else in a run of the CPUs."""
    of_gpus = [score.loaded_cpus for score in scores if score.backend != "cpu" and score.loaded_cpus]
    of_cpus = [score for score in scores if score.backend == "cpu"]
    known: list[LoadedCpus | PayloadScore] = [*of_gpus, *of_cpus]
    return next((found for found in known if found.copies == cpus), None)


def _of_kind(scores: Iterable[PayloadScore], name: str, devices: Iterable[GpuDevice], end: int) -> float:
    """Throughput of all devices of a name: of each that was measured, of the others as of the first of those."""
    measured = [score for score in scores if score.backend != "cpu" and score.device == name]
    shares = [share for device in devices if device.name == name and (share := share_of(device))]
    if not measured or not shares:
        return 0.0
    rates = [_beside_others(score, end) for score in measured]
    # The benchmark takes the largest instance that it is given.
    largest = max(shares)
    if min(shares) < largest:
        return rates[0] * sum(shares) / largest
    return sum(rates[place] if place < len(rates) else rates[0] for place in range(len(shares)))


def _beside_others(score: PayloadScore, end: int) -> float:
    whole = score.beside_others_events_per_s
    return _at(score, end) * (1.0 if whole is None else whole / score.events_per_s)


def _at(found: LoadedCpus | PayloadScore, end: int) -> float:
    bound = found.low if end < 0 else found.high if end > 0 else None
    return bound or found.events_per_s


def _why_not(evidence: NodeEvidence, estimate: Estimate, proxy: str | None) -> str:
    if proxy is None:
        return "no kernel of sitecap stands for it"
    mine = [score for score in evidence.scores if score.kernel == proxy]
    if not any(score.backend != "cpu" for score in mine):
        return f"{proxy} was not measured on the GPU"
    if _whole_node(mine, estimate.node_cores) is None:
        return f"{proxy} was not measured on all CPUs of the node at once"
    return f"{proxy} was measured on a device that is not in the inventory"
