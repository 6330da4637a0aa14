"""Payload scores of the latest profile, each beside the physics verdict of the same run."""

from __future__ import annotations

from pydantic import Field

from capacity.fleet.model import Interval
from capacity.service.views.common import View
from profiles.payload_result import PayloadResult
from profiles.profile import CapabilityProfile


class MetricRow(View):
    """One figure of physics beside what it may be."""

    name: str
    means: str | None
    value: float | None
    low: float | None
    high: float | None
    unit: str
    right: bool


class PayloadRow(View):
    """One kernel on one device."""

    kernel: str
    title: str | None
    version: str
    backend: str
    device: str
    isa: str | None
    place: str | None = Field(description="which GPU: cuda:0, hip:1; null = CPUs, or not told")
    copies: int
    events_per_s: Interval | None = Field(description="all copies together, 68 % interval; null = see reason")
    one_copy_events_per_s: float | None
    baseline_events_per_s: float | None = Field(description="of the instruction set that CMSSW ships")
    kernel_only_events_per_s: float | None = Field(description="of a GPU, events and results left on it")
    worth_cpus: float | None = Field(
        description="of a GPU: so many of this node's CPUs, all loaded; this kernel only"
    )
    counts: bool = Field(description="the score may be used: physics right and a throughput")
    physics_right: bool
    physics_reason: str | None
    metrics: tuple[MetricRow, ...]
    reason: str | None
    remarks: tuple[str, ...]


def payload_rows(profile: CapabilityProfile | None) -> tuple[PayloadRow, ...]:
    """All payloads of a profile, in its order."""
    return tuple(_row(payload) for payload in (profile.payloads if profile else ()))


def _row(payload: PayloadResult) -> PayloadRow:
    rate, run = payload.events_per_s, payload.device_run
    shown = None
    if rate is not None:
        shown = Interval(
            value=rate, low=payload.events_per_s_low or rate, high=payload.events_per_s_high or rate
        )
    return PayloadRow(
        kernel=payload.kernel,
        title=payload.title,
        version=payload.version,
        backend=payload.backend,
        device=payload.device,
        isa=payload.isa,
        place=run.place if run else None,
        copies=payload.copies,
        events_per_s=shown,
        one_copy_events_per_s=payload.one_copy_events_per_s,
        baseline_events_per_s=payload.baseline_events_per_s,
        kernel_only_events_per_s=run.kernel_only.events_per_s if run and run.kernel_only else None,
        worth_cpus=run.worth_cpus if run else None,
        counts=rate is not None and payload.physics.right,
        physics_right=payload.physics.right,
        physics_reason=payload.physics.reason,
        metrics=tuple(
            MetricRow.model_validate(metric, from_attributes=True) for metric in payload.physics.metrics
        ),
        reason=payload.reason,
        remarks=payload.remarks,
    )
