"""Profiles to render: small ones made to measure, and one whose every text wants to break out of its format."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from profiles.checks import CheckResult, Status, Threshold
from profiles.node_facts import NodeFacts
from profiles.profile import AgentInfo, CapabilityProfile, NodeInfo, ProbeRun, RunLimits, Scope

HOSTILE = "a\nb\r\x1b[2J \"c\" 'd' <script>alert(1)</script> | e=1;;; ]]> &amp; \\ `f` @all #1 \u202e\u2028 $(g) \ufffe"


def check(check_id: str, status: Status = Status.OK, summary: str = "it is so", **more: Any) -> CheckResult:
    if status in (Status.UNKNOWN, Status.SKIPPED):
        more.setdefault("reason", summary)
    return CheckResult(id=check_id, status=status, probe=more.pop("probe", "memory"), summary=summary, **more)


def bound(name: str, value: float, origin: str = "a document") -> Threshold:
    return Threshold(name=name, value=value, origin=origin)


def make(
    *checks: CheckResult, facts: NodeFacts | None = None, partial: str | None = None
) -> CapabilityProfile:
    return CapabilityProfile(
        id="01890a5d-ac96-774b-bcce-b302099a8057",
        created_at=datetime(2026, 11, 22, 18, 0, tzinfo=UTC),
        agent=AgentInfo(version="0.1.0"),
        node=NodeInfo(id="0" * 32, id_basis=("machine-id",)),
        scope=Scope(kind="slot", cores_granted=8, cores_present=64),
        facts=facts or NodeFacts(),
        checks=checks,
        limits=RunLimits(
            budget_s=60,
            duration_s=1.25,
            partial=partial is not None,
            reason=partial,
            probes=(ProbeRun(name="memory", outcome="timeout", reason="killed after 5 s"),)
            if partial
            else (),
        ),
    )


def hostile() -> CapabilityProfile:
    """Every text that a node's files can put into a profile is HOSTILE."""
    texts: dict[str, Any] = {"evidence": (HOSTILE,), "hint": HOSTILE}
    return make(
        check("CPU-04", Status.CRITICAL, HOSTILE, value=HOSTILE, unit=HOSTILE, **texts),
        check("NET-02", Status.WARNING, HOSTILE, value=1.5, unit="s", **texts),
        check("MEM-01", Status.UNKNOWN, HOSTILE, **texts),
        partial=HOSTILE,
    )
