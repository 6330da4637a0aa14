"""One line per probe of what it found, as the probes themselves put it."""

from __future__ import annotations

from dataclasses import dataclass

from agent.render.plain import one_line
from probes.registry import builtin_probes
from profiles.checks import CheckResult, Status, worst
from profiles.profile import CapabilityProfile


@dataclass(frozen=True, kw_only=True)
class Summary:
    """One probe in one line.

    Attributes:
        name: of the probe.
        title: what it finds out.
        section: heading under which it belongs.
        status: the worst verdict of its checks.
        text: what it found, or why it found nothing.
        checks: its verdicts, in the catalogue's order.
    """

    name: str
    title: str
    section: str
    status: Status
    text: str
    checks: tuple[CheckResult, ...]


def summaries(profile: CapabilityProfile) -> list[Summary]:
    """The probes that ran or were meant to, in the registry's order; without probes from outside."""
    runs = {run.name: run for run in profile.limits.probes}
    found = []
    for probe in builtin_probes():
        facts = getattr(profile.facts, probe.name, None)
        checks = tuple(check for check in profile.checks if check.probe == probe.name)
        run = runs.get(probe.name)
        if facts is None and run is None and not checks:
            continue
        if facts is not None:
            text = probe.summarise(facts)
        else:
            text = f"{run.outcome}: {run.reason or 'no reason given'}" if run else "did not run"
        found.append(
            Summary(
                name=probe.name,
                title=probe.title,
                section=probe.section,
                status=worst([check.status for check in checks]),
                text=one_line(text, 200),
                checks=checks,
            )
        )
    return found
