"""Which finding of a node somebody should act on: the overview has room for few, and most findings only inform."""

from __future__ import annotations

from collections.abc import Iterable

from capacity.hs06.model import Finding

SEVERITY = {"notice": 1, "warning": 2, "problem": 3}
"""Of a finding's level; 0 = a node without findings."""

ALARMING = SEVERITY["warning"]
"""From here on somebody should look. A notice (part-of-node, virtual-machine) explains a wide interval: nothing is wrong."""


def worst(findings: Iterable[Finding]) -> Finding | None:
    """The most severe finding, the first of those that are equally so; None = there is none."""
    return max(findings, key=severity, default=None)


def severity(finding: Finding | None) -> int:
    """A number to order and to select by; 0 = no finding."""
    return SEVERITY[finding.level] if finding is not None else 0
