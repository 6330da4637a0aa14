"""The page of one node: what it is, what it computed, what it is worth and how that was derived."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from pydantic import Field

from capacity.fleet.model import CheckView, Gate, Interval, NodeState, SlotView
from capacity.hs06.gpu import Columns, columns
from capacity.hs06.mix import shipped_mixes
from capacity.hs06.model import Estimate, Finding, GpuDevice, Method, NodeEvidence, Rung
from capacity.service.views.common import METHOD_TITLES, Fact, View, age_s, log_interval, scaled
from capacity.service.views.machine import CacheRow, CoreSourceRow, NumaRow, machine_facts, topology
from capacity.service.views.payloads import PayloadRow, payload_rows
from capacity.store.nodes import NodeSummary
from profiles.profile import CapabilityProfile


class LadderRow(View):
    """One rung of the ladder, used or not."""

    method: Method
    title: str
    hs23_per_core: Interval | None = Field(description="68 % interval; null = see reason")
    sigma: float | None = Field(description="standard deviation of the natural logarithm")
    leads: bool = Field(description="the rung with the greatest weight")
    says: str
    inputs: tuple[str, ...]
    reason: str | None


class SlotRow(View):
    """One slot (or the whole node) as it was seen last."""

    key: str
    kind: str
    profile_id: str
    seen_at: datetime
    seen_ago_s: float
    cores_granted: float | None
    cpus: str | None = Field(description="which CPUs, kernel notation")
    container: bool
    agent_version: str | None


class HistoryRow(View):
    """What the node was said to be worth from a moment on."""

    at: datetime
    method: Method
    hs23_per_core: Interval
    hs23_granted: float | None
    granted_cores: float | None
    catalogue_version: str
    calibration_version: str | None
    profile_id: str | None


class MixColumns(View):
    """Pledgeable CPU, GPU inventory and effective equivalent, for one named workload mix."""

    mix: str
    mix_title: str
    columns: Columns


class NodeView(View):
    """Everything the page of a node shows."""

    generated_at: datetime
    site: str
    node_id: str
    hostname: str | None
    first_seen_at: datetime
    last_seen_at: datetime
    last_seen_ago_s: float
    profiles: int
    stale: bool
    usable: bool | None
    unusable_reason: str | None
    granted_cores: float | None
    hs23_granted: Interval | None = Field(description="pledgeable capacity, 68 % interval")
    constant_10_hs23: float | None = Field(description="what the constant 10 per core would say")
    estimate: Estimate | None
    ladder: tuple[LadderRow, ...]
    processor: tuple[Fact, ...]
    machine: tuple[Fact, ...]
    cores_why: str | None
    core_sources: tuple[CoreSourceRow, ...]
    numa: tuple[NumaRow, ...]
    caches: tuple[CacheRow, ...]
    payloads: tuple[PayloadRow, ...]
    payloads_reason: str | None = Field(description="why there are none")
    gates: tuple[Gate, ...]
    checks: tuple[CheckView, ...]
    slots: tuple[SlotRow, ...]
    history: tuple[HistoryRow, ...]
    findings: tuple[Finding, ...]
    gpus: tuple[GpuDevice, ...]
    gpu_columns: tuple[MixColumns, ...] = Field(
        description="one for each workload mix; empty = no GPU was granted"
    )
    latest_profile_id: str | None

    @property
    def name(self) -> str:
        """Host name if it was given, else the beginning of the pseudonym."""
        return self.hostname or self.node_id[:12]

    @property
    def provisional(self) -> bool:
        """Whether the figure hangs on a provisional calibration."""
        return self.estimate is not None and self.estimate.provisional


def node_view(
    state: NodeState,
    history: Sequence[HistoryRow],
    profile: CapabilityProfile | None,
    now: datetime,
) -> NodeView:
    """Compose the page of a node.

    Args:
        state: the node as its profiles were merged.
        history: its estimates, latest first.
        profile: the latest document; None if it is no longer in the table.
        now: for ages.
    """
    estimate = state.estimate
    latest = state.slots[0] if state.slots else None
    shape = topology(profile)
    return NodeView(
        generated_at=now,
        site=state.site,
        node_id=state.node_id,
        hostname=state.hostname,
        first_seen_at=state.first_seen_at,
        last_seen_at=state.last_seen_at,
        last_seen_ago_s=age_s(state.last_seen_at, now),
        profiles=state.profiles,
        stale=state.stale,
        usable=state.usable,
        unusable_reason=state.unusable_reason,
        granted_cores=state.granted_cores,
        hs23_granted=scaled(estimate, state.hs23_granted) if estimate and state.hs23_granted else None,
        constant_10_hs23=10 * state.granted_cores if state.granted_cores else None,
        estimate=estimate,
        ladder=ladder(estimate),
        processor=processor_facts(state.evidence or (latest.evidence if latest else None)),
        machine=machine_facts(profile),
        cores_why=shape.why,
        core_sources=shape.sources,
        numa=shape.numa,
        caches=shape.caches,
        payloads=payload_rows(profile),
        payloads_reason=_no_payloads(profile),
        gates=state.gates,
        checks=latest.checks if latest else (),
        slots=tuple(_slot(slot, now) for slot in state.slots),
        history=tuple(history),
        findings=(*state.findings, *(estimate.findings if estimate else ())),
        gpus=state.gpus,
        gpu_columns=gpu_columns(state),
        latest_profile_id=latest.profile_id if latest else None,
    )


def waiting_view(summary: NodeSummary, now: datetime) -> NodeView:
    """The page of a node whose first profile waits to be evaluated."""
    state = NodeState(
        site=summary.site,
        node_id=summary.node_id,
        first_seen_at=summary.first_seen_at,
        last_seen_at=summary.last_seen_at,
        profiles=summary.profiles,
    )
    return node_view(state, (), None, now)


def gpu_columns(state: NodeState) -> tuple[MixColumns, ...]:
    """The three columns of a node with GPUs, for each mix that ships with the package."""
    estimate = state.estimate
    if state.evidence is None or estimate is None or not state.gpus:
        return ()
    # One slot may see some of the devices only; the node has those of all its slots.
    evidence = state.evidence.model_copy(update={"gpus": state.gpus})
    return tuple(
        MixColumns(
            mix=mix.name,
            mix_title=mix.title,
            columns=columns(
                evidence, estimate, mix, usable=state.usable, unusable_reason=state.unusable_reason
            ),
        )
        for mix in shipped_mixes().values()
    )


def ladder(estimate: Estimate | None) -> tuple[LadderRow, ...]:
    """The rungs, best method first, each with its own interval."""
    if estimate is None:
        return ()
    return tuple(_rung(rung, estimate.method) for rung in estimate.rungs)


def _rung(rung: Rung, leading: Method) -> LadderRow:
    return LadderRow(
        method=rung.method,
        title=METHOD_TITLES[rung.method],
        hs23_per_core=log_interval(rung.hs23_per_core, rung.sigma) if rung.hs23_per_core else None,
        sigma=rung.sigma,
        leads=rung.method is leading,
        says=rung.says,
        inputs=rung.inputs,
        reason=rung.reason,
    )


def processor_facts(evidence: NodeEvidence | None) -> tuple[Fact, ...]:
    """The processor as the estimation reads it."""
    if evidence is None:
        return ()
    cpu = evidence.cpu
    smt = None if cpu.smt_on is None else "on" if cpu.smt_on else "off or absent"
    virtual = None if cpu.virtualised is None else "yes" if cpu.virtualised else "no"
    rows: tuple[tuple[str, str | float | int | None, str | None], ...] = (
        ("CPU model", cpu.model_name, None),
        ("Architecture", cpu.arch, None),
        ("Micro-architecture", cpu.microarchitecture, None),
        ("Sockets", cpu.packages, None),
        ("Physical cores", cpu.physical_cores, None),
        ("Logical CPUs", cpu.logical_cpus, None),
        ("SMT", smt, None),
        ("Nominal clock", cpu.clock_ghz, "GHz"),
        ("L3 caches together", cpu.l3_bytes, "B"),
        ("Memory", cpu.memory_bytes, "B"),
        ("NUMA nodes", cpu.numa_nodes, None),
        ("Virtual machine", virtual, None),
    )
    return tuple(
        Fact(
            label=label,
            value=value,
            unit=unit,
            reason=None if value is not None else "the profile does not say",
        )
        for label, value, unit in rows
    )


def _slot(slot: SlotView, now: datetime) -> SlotRow:
    return SlotRow(
        key=slot.key,
        kind=slot.kind,
        profile_id=slot.profile_id,
        seen_at=slot.seen_at,
        seen_ago_s=age_s(slot.seen_at, now),
        cores_granted=slot.evidence.cores_granted,
        cpus=slot.evidence.cpus,
        container=slot.evidence.container,
        agent_version=slot.agent_version,
    )


def _no_payloads(profile: CapabilityProfile | None) -> str | None:
    if profile is None:
        return "the latest profile is not in the database, only what was merged from it"
    if profile.payloads:
        return None
    if profile.bench is None:
        return "the latest profile has no payload scores: run `agent bench` or `agent pilot` on the node"
    return profile.bench.reason or "no payload was run within its budget"
