"""The profile arranged for a reader: sections, one line a probe, its findings below, the worst last."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from agent.render.routes import routes_of
from probes.spec import Probe
from profiles.checks import SEVERITY, CheckResult, Status, worst
from profiles.facts.routes import Route
from profiles.profile import CapabilityProfile

PROBLEMS = (Status.CRITICAL, Status.WARNING, Status.UNKNOWN)


@dataclass(frozen=True)
class Line:
    """One probe on the screen."""

    section: str
    probe: str
    status: Status
    summary: str
    checks: tuple[CheckResult, ...]
    routes: tuple[Route, ...] = ()

    @property
    def problems(self) -> tuple[CheckResult, ...]:
        """Findings that need a reader, the worst last."""
        bad = [check for check in self.checks if check.status in PROBLEMS]
        return tuple(sorted(bad, key=lambda check: SEVERITY.index(check.status)))


def arrange(profile: CapabilityProfile, probes: Sequence[Probe]) -> list[Line]:
    """The lines of a screen: sections by their worst line, lines by severity, so that the worst stands at the bottom."""
    lines = []
    for probe in probes:
        run = next((run for run in profile.limits.probes if run.name == probe.name), None)
        if run is None:
            continue
        checks = tuple(check for check in profile.checks if check.probe == probe.name)
        facts = getattr(profile.facts, probe.name, None)
        if facts is not None:
            summary = probe.summarise(facts)
        elif run.outcome == "finished":
            summary = probe.title
        else:
            summary = f"{run.outcome}: {run.reason}"
        lines.append(
            Line(
                probe.section,
                probe.name,
                _status(checks, finished=run.outcome == "finished"),
                summary,
                checks,
                routes_of(facts),
            )
        )
    severity = {
        line.section: worst([other.status for other in lines if other.section == line.section])
        for line in lines
    }
    sections = list(dict.fromkeys(line.section for line in lines))
    sections.sort(key=lambda section: SEVERITY.index(severity[section]))
    return sorted(lines, key=lambda line: (sections.index(line.section), SEVERITY.index(line.status)))


def _status(checks: tuple[CheckResult, ...], *, finished: bool) -> Status:
    if not finished and not checks:
        return Status.UNKNOWN
    if not checks:
        return Status.OK
    return worst([check.status for check in checks])


def counts(profile: CapabilityProfile) -> str:
    """Such as 1 failed, 2 warnings, 30 ok, 4 skipped: what is zero is left out, but never all of it."""
    words = (
        (Status.CRITICAL, "failed", "failed"),
        (Status.WARNING, "warning", "warnings"),
        (Status.UNKNOWN, "unknown", "unknown"),
        (Status.OK, "ok", "ok"),
        (Status.SKIPPED, "skipped", "skipped"),
    )
    parts = []
    for status, one, many in words:
        number = sum(check.status is status for check in profile.checks)
        if number:
            parts.append(f"{number} {one if number == 1 else many}")
    return ", ".join(parts) or "nothing was checked"
