"""Many looks, one node: profiles of slots, pilots and daemons absorbed into the state of their machine.

The order in which profiles arrive makes no difference: what is newest by its own time counts, a spooled profile that
comes late changes nothing newer.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from capacity.fleet import gates, identity, scores, slots, staleness
from capacity.fleet.model import FleetSettings, NodeState, SlotView
from capacity.hs06.evidence import evidence_of
from capacity.hs06.model import Estimate, Finding, GpuDevice, MeasuredScore, NodeEvidence
from profiles.profile import CapabilityProfile


class Key(NamedTuple):
    """What a node is kept under."""

    site: str
    node_id: str


def absorb(
    state: NodeState | None,
    profile: CapabilityProfile,
    seen_at: datetime,
    now: datetime,
    settings: FleetSettings,
    key: Key | None = None,
) -> NodeState:
    """The node's state after one more look at it; its estimate has to be made again.

    Args:
        state: what was known; None = the first look.
        profile: the look.
        seen_at: the earlier of written and received; a moment after `now` is taken for `now`.
        now: by the service's clock.
        settings: thresholds.
        key: what the node is kept under; needed only for the first look, where the profile's own names may be others.

    Raises:
        ValueError: the first look, a profile without site, and no key.
    """
    seen_at = min(seen_at, now)
    if state is None:
        if key is None and profile.site is None:
            raise ValueError("a profile without a site: say which node it belongs to")
        key = key or Key(profile.site.name if profile.site else "", profile.node.id)
        state = NodeState(site=key.site, node_id=key.node_id, first_seen_at=seen_at, last_seen_at=seen_at)
    elif any(slot.profile_id == profile.id for slot in state.slots):
        return state
    look = _look(profile, seen_at, settings)
    newest = seen_at >= state.last_seen_at
    hostname = profile.node.hostname[:255] if profile.node.hostname else None
    grown = state.model_copy(
        update={
            "profiles": state.profiles + 1,
            "first_seen_at": min(state.first_seen_at, seen_at),
            "last_seen_at": max(state.last_seen_at, seen_at),
            "hostname": (hostname or state.hostname) if newest else (state.hostname or hostname),
            "slots": _with_look(state.slots, look, settings),
            "boots": identity.note_boot(state.boots, profile.node.boot_key, seen_at),
        }
    )
    return _derive(grown, now, settings)


def rejudged(state: NodeState, now: datetime, settings: FleetSettings) -> NodeState:
    """The state derived again from the looks that it keeps, as after a change of the rules or of the clock."""
    return _derive(state, now, settings)


def with_estimate(state: NodeState, estimate: Estimate | None) -> NodeState:
    """The state with what its node is worth: per core under full load × cores granted, never more."""
    worth = None
    if estimate is not None and state.granted_cores:
        worth = estimate.hs23_per_core * state.granted_cores
    return state.model_copy(update={"estimate": estimate, "hs23_granted": worth})


def with_measured(state: NodeState, measured: Sequence[MeasuredScore]) -> NodeState:
    """The state with imported benchmark runs of this very node among its evidence."""
    if state.evidence is None:
        return state
    return state.model_copy(
        update={"evidence": state.evidence.model_copy(update={"measured": tuple(measured)})}
    )


def with_findings(state: NodeState, more: Sequence[Finding]) -> NodeState:
    """The state with findings that only a view over several nodes gives (another site has the same machine)."""
    merged = {finding.says: finding for finding in (*state.findings, *more)}
    return state.model_copy(update={"findings": tuple(merged.values())})


def _look(profile: CapabilityProfile, seen_at: datetime, settings: FleetSettings) -> SlotView:
    evidence = evidence_of(profile)
    on_cpus = any(score.backend == "cpu" for score in evidence.scores)
    on_gpus = any(score.backend != "cpu" for score in evidence.scores)
    ahead_s = (profile.created_at - seen_at).total_seconds()
    return SlotView(
        key=slots.key_of(profile, evidence),
        kind=profile.scope.kind,
        profile_id=profile.id,
        seen_at=seen_at,
        evidence=evidence,
        gates=gates.gates_of(profile),
        checks=gates.checks_of(profile),
        agent_version=profile.agent.version[:64],
        reported_node_id=profile.node.id,
        boot_key=profile.node.boot_key,
        clock_ahead_s=ahead_s if ahead_s > settings.clock_tolerance_s else None,
        scores_profile_id=profile.id if on_cpus else None,
        scores_seen_at=seen_at if on_cpus else None,
        gpu_scores_profile_id=profile.id if on_gpus else None,
        gpu_scores_seen_at=seen_at if on_gpus else None,
    )


def _with_look(known: Sequence[SlotView], look: SlotView, settings: FleetSettings) -> tuple[SlotView, ...]:
    # Two machines under one name have slots of one name: they stay apart, so that the contradiction is seen.
    views = list(known)
    for place, old in enumerate(views):
        if old.key == look.key and identity.contradicts(old.evidence, look.evidence) is None:
            views[place] = scores.newer_of(old, look, settings.scores_kept_for)
            break
    else:
        views.append(look)
    latest_first = sorted(views, key=lambda slot: (slot.seen_at, slot.profile_id), reverse=True)
    horizon = latest_first[0].seen_at - settings.slot_kept_for
    return tuple(slot for slot in latest_first if slot.seen_at >= horizon)[: settings.slots_kept]


def _derive(state: NodeState, now: datetime, settings: FleetSettings) -> NodeState:
    """All that follows from the looks."""
    concurrent = slots.fresh(state.slots, settings)
    ours = identity.like_the_newest(concurrent)
    counted = slots.speaking(ours)
    logical = _logical_cpus(ours)
    grant = slots.granted(counted, logical)
    node_gates = gates.of_node(ours)
    usable, reason = gates.verdict(node_gates)
    measured = state.evidence.measured if state.evidence else ()
    return state.model_copy(
        update={
            "evidence": _merged(ours, counted, grant, measured),
            "estimate": None,
            "granted_cores": grant.cores,
            "hs23_granted": None,
            "gates": node_gates,
            "usable": usable,
            "unusable_reason": reason,
            "stale": staleness.is_stale(state.last_seen_at, now, settings),
            "gpus": _gpus(ours),
            "findings": _findings(state, concurrent, ours, grant, settings),
        }
    )


def _logical_cpus(views: Sequence[SlotView]) -> int | None:
    """Online CPUs of the machine by the newest look that knows."""
    for slot in views:
        known = slot.evidence.cpu.logical_cpus or slot.evidence.cores_present
        if known and known <= slots.MAX_CORES:
            return known
    return None


def _merged(
    ours: Sequence[SlotView],
    counted: Sequence[SlotView],
    grant: slots.Grant,
    measured: tuple[MeasuredScore, ...],
) -> NodeEvidence | None:
    """One evidence for the machine: the newest description, its gaps filled, and the scores that count."""
    if not ours:
        return None
    newest = ours[0].evidence
    described = newest.cpu.model_dump()
    for slot in ours[1:]:
        for name, value in slot.evidence.cpu.model_dump().items():
            if described[name] is None:
                described[name] = value
    counting, scored = scores.merged(ours)
    speaks = counted or ours
    return newest.model_copy(
        update={
            "cpu": newest.cpu.model_validate(described),
            "scope": "node" if any(slot.kind == "node" for slot in speaks) else "slot",
            "cores_granted": grant.cores,
            "cores_present": _logical_cpus(ours),
            "in_batch_slot": any(slot.evidence.in_batch_slot for slot in speaks),
            "container": all(slot.evidence.container for slot in speaks),
            "cpus": grant.cpus,
            "scores": counting,
            "measured": measured,
            "profile_ids": _ids(ours, scored),
        }
    )


def _ids(ours: Sequence[SlotView], scored: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys([*(slot.profile_id for slot in ours), *scored]))[:64]


def _gpus(views: Sequence[SlotView]) -> tuple[GpuDevice, ...]:
    """Devices of the machine: by their identity; those without one as many as a single look saw."""
    by_identity: dict[str, GpuDevice] = {}
    nameless: dict[GpuDevice, int] = {}
    for slot in views:
        seen: dict[GpuDevice, int] = {}
        for device in slot.evidence.gpus:
            if device.uuid_hash is not None:
                by_identity.setdefault(device.uuid_hash, device)
            else:
                seen[device] = seen.get(device, 0) + 1
        for device, number in seen.items():
            nameless[device] = max(number, nameless.get(device, 0))
    sliced = {device.mig_of for device in by_identity.values() if device.mig_of is not None}
    whole = [device for name, device in sorted(by_identity.items()) if name not in sliced]
    return (*whole, *(device for device, number in nameless.items() for _ in range(number)))


def _findings(
    state: NodeState,
    concurrent: Sequence[SlotView],
    ours: Sequence[SlotView],
    grant: slots.Grant,
    settings: FleetSettings,
) -> tuple[Finding, ...]:
    found = list(identity.findings(concurrent, state.boots, settings))
    ahead = [slot for slot in concurrent if slot.clock_ahead_s is not None]
    if ahead:
        worst = max(slot.clock_ahead_s or 0.0 for slot in ahead)
        found.append(
            Finding(
                code="clock-ahead",
                level="warning",
                says=f"the node's clock was {worst:.0f} s ahead of the service's; the time of receipt counts instead",
                hint="start chronyd; tokens and proxies fail with a wrong clock",
            )
        )
    if grant.excess_cores >= 0.5:
        found.append(
            Finding(
                code="slots-exceed-node",
                says=f"slots seen within {settings.slot_window.total_seconds() / 3600:g} h add up to "
                f"{grant.excess_cores:g} cores more than there are CPUs: {grant.cores or 0:g} are counted",
                hint="normal if slots were renewed in another size; else the batch system grants CPUs twice",
            )
        )
    found += [
        Finding(
            code="gate-disagrees",
            level="warning",
            says=f"{name}: open in one slot and closed in another; the newest look decides",
            hint="compare the slots: binds of the container, the batch system's mounts",
        )
        for name in gates.disagreements(ours)
    ]
    return tuple(found)
