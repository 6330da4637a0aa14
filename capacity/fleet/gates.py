"""Conditions of usable capacity, read from the verdicts of a profile's checks.

A gate fails on CRITICAL: the catalogue gives that verdict where jobs of CMS fail (docs/reference/checks.md). Checks of
credentials are no gate: they belong to whoever runs the agent, not to the node.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from capacity.fleet.model import CheckView, Gate, SlotView
from profiles.checks import CheckResult, Status
from profiles.profile import CapabilityProfile

_TEXT = 300  # characters of a foreign sentence that are kept


class GateRule(NamedTuple):
    """Which checks decide a gate.

    Attributes:
        name: of the gate.
        check_ids: any CRITICAL one closes it.
        instead: asked only if none of check_ids gave a verdict.
        needed: without an answer nobody can say that the node is usable.
        question: what is asked, for when nobody looked.
    """

    name: str
    check_ids: tuple[str, ...]
    question: str
    instead: tuple[str, ...] = ()
    needed: bool = False


RULES = (
    GateRule("cvmfs", ("CVM-13", "CVM-01"), "whether cms.cern.ch is mounted and can be read", needed=True),
    GateRule("architecture", ("CPU-03", "CPU-04"), "whether CMSSW is built for this processor"),
    GateRule("container", ("CNT-01", "CNT-04"), "whether a payload's container starts"),
    GateRule("memory", ("MEM-02",), "how much memory there is for each core"),
    GateRule("scratch", ("DSK-01",), "how much scratch there is for each core"),
    GateRule("siteconf", ("CFG-01", "CFG-02", "CFG-03"), "whether SITECONF leads to the site's files"),
    GateRule("squid", ("SQD-01", "SQD-04"), "whether a squid of the site answers"),
    GateRule("xrootd", ("XRD-01", "XRD-02", "XRD-03"), "whether the site's files can be read", ("DAV-01",)),
    GateRule("network", ("NET-02",), "whether the essential services can be reached"),
    GateRule("clock", ("CTX-03",), "whether the clock is right"),
)
"""Worst first: the first one that fails is named as the reason."""

_VERDICTS = (Status.OK, Status.WARNING, Status.CRITICAL)


def gates_of(profile: CapabilityProfile) -> tuple[Gate, ...]:
    """All gates as one look saw them, in the order of `RULES`."""
    checks = {check.id: check for check in profile.checks}
    return tuple(_gate(rule, checks) for rule in RULES)


def checks_of(profile: CapabilityProfile) -> tuple[CheckView, ...]:
    """WARNING and CRITICAL checks of a look, CRITICAL first."""
    shown = [check for check in profile.checks if check.status in (Status.WARNING, Status.CRITICAL)]
    shown.sort(key=lambda check: (check.status != Status.CRITICAL, check.id))
    return tuple(
        CheckView(
            id=check.id, status=check.status.value, summary=check.summary[:_TEXT], hint=_cut(check.hint)
        )
        for check in shown
    )


def _gate(rule: GateRule, checks: Mapping[str, CheckResult]) -> Gate:
    asked = _verdicts(rule.check_ids, checks) or _verdicts(rule.instead, checks)
    failed = next((check for check in asked if check.status == Status.CRITICAL), None)
    if failed is not None:
        return Gate(
            name=rule.name,
            passed=False,
            says=failed.summary[:_TEXT],
            check_ids=(failed.id,),
            hint=_cut(failed.hint),
        )
    if asked:
        ids = tuple(check.id for check in asked)
        return Gate(name=rule.name, passed=True, says=asked[0].summary[:_TEXT], check_ids=ids)
    there = [checks[name] for name in (*rule.check_ids, *rule.instead) if name in checks]
    why = there[0].reason if there else None
    return Gate(
        name=rule.name,
        passed=None,
        says=f"nobody could tell {rule.question}: {why[:_TEXT]}" if why else f"nobody looked {rule.question}",
        check_ids=tuple(check.id for check in there),
        hint=None if there else "let the agent run its probes on this node (`agent probe`)",
    )


def _verdicts(ids: Iterable[str], checks: Mapping[str, CheckResult]) -> list[CheckResult]:
    return [checks[name] for name in ids if name in checks and checks[name].status in _VERDICTS]


def of_node(slots: Sequence[SlotView]) -> tuple[Gate, ...]:
    """Gates of a node from the looks that are fresh: the newest one that has an answer decides each."""
    newest_first = sorted(slots, key=lambda slot: (slot.seen_at, slot.profile_id), reverse=True)
    decided: list[Gate] = []
    for rule in RULES:
        views = [gate for slot in newest_first for gate in slot.gates if gate.name == rule.name]
        answered = next((gate for gate in views if gate.passed is not None), None)
        if answered or views:
            decided.append(answered or views[0])
    return tuple(decided)


def disagreements(slots: Sequence[SlotView]) -> tuple[str, ...]:
    """Gates that are open in one fresh slot and closed in another: a matter of one slot, not of the node."""
    answers: dict[str, set[bool]] = {}
    for slot in slots:
        for gate in slot.gates:
            if gate.passed is not None:
                answers.setdefault(gate.name, set()).add(gate.passed)
    return tuple(rule.name for rule in RULES if len(answers.get(rule.name, ())) == 2)


def verdict(gates: Sequence[Gate]) -> tuple[bool | None, str | None]:
    """Whether capacity behind these gates is usable, and if not, or if nobody can say, why.

    Returns:
        False as soon as one gate is closed; None as long as a needed one has no answer.
    """
    by_name = {gate.name: gate for gate in gates}
    for rule in RULES:
        gate = by_name.get(rule.name)
        if gate is not None and gate.passed is False:
            return False, f"{gate.name}: {gate.says}"
    for rule in RULES:
        gate = by_name.get(rule.name)
        if rule.needed and (gate is None or gate.passed is None):
            return None, f"{rule.name}: {gate.says if gate else 'nobody looked ' + rule.question}"
    return True, None


def _cut(text: str | None) -> str | None:
    return None if text is None else text[:_TEXT]
