"""Is what carries one name one machine? Contradictions become findings on the node; nothing is guessed away.

Two machines under one name happen: hosts called localhost, cloned machine ids, a profile replayed under another id.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from hashlib import sha256

from capacity.fleet.model import Boot, FleetSettings, SlotView
from capacity.hs06.model import Finding, NodeEvidence
from profiles.cpulist import MAX_CPU

BOOTS_KEPT = 16
"""Per node: enough to see an interleaving, too few to grow."""

_CORE_TOLERANCE = 0.01
_APPLICATION = "sitecap node identity 1"


def ids_of_host(hostname: str) -> frozenset[str]:
    """Node ids that agents give a host of that name where they know nothing but the name, as in batch slots and containers.

    The agent hashes its application's name, then the host's (agent/identity.py); a test holds the two together.
    """
    names = {hostname, hostname.lower(), hostname.partition(".")[0], hostname.lower().partition(".")[0]}
    return frozenset(sha256(f"{_APPLICATION}\0{name}".encode()).hexdigest()[:32] for name in names)


def note_boot(boots: Sequence[Boot], key: str | None, seen_at: datetime) -> tuple[Boot, ...]:
    """The runs of a machine with one more look, latest first."""
    if key is None:
        return tuple(boots)
    known = {boot.key: boot for boot in boots}
    old = known.get(key)
    known[key] = Boot(
        key=key,
        first_seen_at=min(seen_at, old.first_seen_at) if old else seen_at,
        last_seen_at=max(seen_at, old.last_seen_at) if old else seen_at,
    )
    latest_first = sorted(known.values(), key=lambda boot: (boot.last_seen_at, boot.key), reverse=True)
    return tuple(latest_first[:BOOTS_KEPT])


def contradicts(one: NodeEvidence, other: NodeEvidence) -> str | None:
    """Why two looks cannot be of one machine at one time; None = they can. What one of them does not say is no contradiction."""
    pairs = (
        ("architecture", one.cpu.arch, other.cpu.arch),
        ("CPU model", one.cpu.model_name, other.cpu.model_name),
        ("number of sockets", one.cpu.packages, other.cpu.packages),
        ("number of physical cores", one.cpu.physical_cores, other.cpu.physical_cores),
    )
    for what, left, right in pairs:
        if left is not None and right is not None and left != right:
            return f"{what} {str(left)[:80]!r} and {str(right)[:80]!r}"
    return None


def like_the_newest(slots: Sequence[SlotView]) -> tuple[SlotView, ...]:
    """Those of some looks that can be of the same machine as the newest one."""
    if not slots:
        return ()
    newest = max(slots, key=lambda slot: (slot.seen_at, slot.profile_id))
    return tuple(slot for slot in slots if contradicts(newest.evidence, slot.evidence) is None)


def findings(
    slots: Sequence[SlotView], boots: Sequence[Boot], settings: FleetSettings
) -> tuple[Finding, ...]:
    """What speaks against one machine behind one name.

    Args:
        slots: looks that count as concurrent.
        boots: runs of the machine.
        settings: how exact clocks are taken to be.
    """
    found = [*_hardware(slots), *_boots(boots, settings)]
    for slot in slots:
        found += _counts(slot)
    return tuple({finding.says: finding for finding in found}.values())


def across_sites(kind: str, sites: Iterable[str]) -> Finding | None:
    """The same machine reported by several sites.

    Args:
        kind: "boot" or "id", the name that they share.
        sites: who reported it.
    """
    names = sorted(set(sites))
    if len(names) < 2:
        return None
    what = "run of a machine (boot key)" if kind == "boot" else "node id"
    return Finding(
        code="identity-collision",
        level="problem",
        says=f"the same {what} is reported by {', '.join(names[:5])}: it is counted at each of them",
        hint="let only one site submit for this machine; if they are different machines, give them different host names",
    )


def _hardware(slots: Sequence[SlotView]) -> list[Finding]:
    newest = max(slots, key=lambda slot: (slot.seen_at, slot.profile_id), default=None)
    if newest is None:
        return []
    for slot in sorted(slots, key=lambda slot: slot.key):
        why = contradicts(newest.evidence, slot.evidence)
        if why is not None:
            return [
                Finding(
                    code="identity-collision",
                    level="problem",
                    says=f"looks under this name saw different hardware ({why}): only what is like the newest is counted",
                    hint="two machines share a name, or the id of one was used for another: give each node its own host name "
                    "and machine id; if the hardware was replaced, this passes within a day",
                )
            ]
    return []


def _boots(boots: Sequence[Boot], settings: FleetSettings) -> list[Finding]:
    """A machine never goes back to an earlier boot: a look of one run inside another run is of another machine."""
    if not any(_inside(boot, other, settings) for boot in boots for other in boots if boot.key != other.key):
        return []
    return [
        Finding(
            code="identity-collision",
            level="problem",
            says="looks under this name come in turn from two running systems: two machines are counted as one",
            hint="give each node its own host name and machine id (nodes called localhost, cloned images)",
        )
    ]


def _inside(boot: Boot, other: Boot, settings: FleetSettings) -> bool:
    margin = timedelta(seconds=settings.clock_tolerance_s)
    looks = (boot.first_seen_at, boot.last_seen_at)
    return any(other.first_seen_at + margin < look < other.last_seen_at - margin for look in looks)


def _counts(slot: SlotView) -> list[Finding]:
    evidence = slot.evidence
    present = evidence.cores_present or evidence.cpu.logical_cpus
    problems: list[str] = []
    claimed = max(present or 0, evidence.cores_granted or 0, evidence.cpu.logical_cpus or 0)
    if claimed > MAX_CPU + 1:
        problems.append(f"{claimed:g} CPUs in one machine")
    if (
        present is not None
        and evidence.cores_granted is not None
        and evidence.cores_granted > present + _CORE_TOLERANCE
    ):
        problems.append(f"{evidence.cores_granted:g} cores granted of {present}")
    physical, logical = evidence.cpu.physical_cores, evidence.cpu.logical_cpus
    if physical is not None and logical is not None and physical > logical:
        problems.append(f"{physical} physical cores in {logical} logical CPUs")
    return [
        Finding(
            code="core-count-impossible",
            level="warning",
            says=f"{slot.key[:60]}: {problem}; what cannot be is not counted",
            hint="record the node (`agent probe --record DIR`) and report it: the agent or the profile is wrong",
        )
        for problem in problems
    ]
