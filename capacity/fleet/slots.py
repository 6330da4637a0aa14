"""Slots of a node: how they are told apart, which of them speak for it now, and how many cores they have together.

What cannot be told apart counts once, so a node is rather too small than counted double.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from capacity.fleet.model import FleetSettings, SlotView
from capacity.hs06.model import NodeEvidence
from profiles import cpulist
from profiles.profile import CapabilityProfile

MAX_CORES = cpulist.MAX_CPU + 1
"""Of one machine; a look that claims more is told and not counted."""

_CORE_TOLERANCE = 0.01  # quotas are kept in units of 1/100 of a core


class Grant(NamedTuple):
    """Cores that jobs may use at once.

    Attributes:
        cores: without double counting; None = no look said how many.
        cpus: which ones, kernel notation; None = not all slots name theirs.
        excess_cores: what the slots add up to beyond the machine; 0 = they fit.
        says: by which rule.
    """

    cores: float | None
    cpus: str | None
    excess_cores: float
    says: str


def key_of(profile: CapabilityProfile, evidence: NodeEvidence) -> str:
    """What a slot of a node is told from its neighbours by.

    The batch system's name for it; else the CPUs that are its own; else, for want of better, its size; "node" for a look
    at the whole machine. HTCondor gives the name of a slot that ended to the next one, so a renewed pilot replaces the old.
    """
    batch = profile.facts.batch
    if batch is not None and batch.slot_name:
        return f"slot {batch.slot_name}"[:120]
    if evidence.scope == "node":
        return "node"
    own = _own_cpus(evidence)
    if own is not None:
        return f"cpus {cpulist.text_of(own)}"[:120]
    return "slot" if evidence.cores_granted is None else f"slot of {evidence.cores_granted:g} cores"


def fresh(slots: Sequence[SlotView], settings: FleetSettings) -> tuple[SlotView, ...]:
    """Looks that count as concurrent with the newest one.

    The window hangs on the newest look and not on the clock, so the same profiles always give the same node.
    """
    if not slots:
        return ()
    newest = max(slot.seen_at for slot in slots)
    return tuple(slot for slot in slots if newest - slot.seen_at <= settings.slot_window)


def speaking(slots: Sequence[SlotView]) -> tuple[SlotView, ...]:
    """Which of the fresh looks say what is granted.

    Slots of a batch system first: that is what jobs get. A look at the whole machine from outside one (daemon, by hand)
    counts while none is seen, and container slots outside any batch system only while there is neither.
    """
    batch = tuple(slot for slot in slots if slot.evidence.in_batch_slot)
    whole = tuple(slot for slot in slots if slot.kind == "node" and slot.evidence.cores_granted is not None)
    return batch or whole or tuple(slots)


def granted(slots: Sequence[SlotView], logical_cpus: int | None) -> Grant:
    """Cores of slots that exist at the same time.

    Union of the CPU lists where a slot owns its CPUs; plus the sizes of slots that only have a share of CPU time;
    never more than the CPUs that they may run on, nor than the machine has.

    Args:
        slots: looks from inside different slots of one machine.
        logical_cpus: online CPUs of the machine; None = not known.
    """
    known = [slot.evidence for slot in slots if 0 < (slot.evidence.cores_granted or 0) <= MAX_CORES]
    if not known:
        return Grant(None, None, 0.0, "no look says how many cores were granted")
    lists = [cpulist.parse(evidence.cpus or "") or None for evidence in known]
    union = frozenset().union(*(cpus for cpus in lists if cpus is not None))
    owned: frozenset[int] = frozenset().union(*(own for own in map(_own_cpus, known) if own is not None))
    shared = sum(evidence.cores_granted or 0.0 for evidence in known if _own_cpus(evidence) is None)
    total = len(owned) + shared
    bounds = [total]
    all_named = all(cpus is not None for cpus in lists)
    if all_named:
        bounds.append(float(len(union)))
    if logical_cpus is not None:
        bounds.append(float(logical_cpus))
    cores = min(bounds)
    says = f"{len(known)} slot{'s' * (len(known) != 1)}: {len(owned)} CPUs of their own"
    if shared:
        says += f" and {shared:g} cores of CPU time"
    if cores < total:
        says += f", no more than the {cores:g} CPUs that there are"
    named = cpulist.text_of(union) if all_named else None
    return Grant(cores, named, total - cores, says)


def _own_cpus(evidence: NodeEvidence) -> frozenset[int] | None:
    """CPUs that are the slot's alone: its list, unless a quota gives it less time than that."""
    cpus = cpulist.parse(evidence.cpus or "") or None
    if cpus is None or evidence.cores_granted is None:
        return None
    return cpus if len(cpus) <= evidence.cores_granted + _CORE_TOLERANCE else None
