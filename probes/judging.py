"""The judge's desk: other probes' facts, thresholds with their origin, and a way to write a verdict down."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeVar

from probes.settings import Settings
from probes.spec import Check, Probe
from profiles.base import Facts
from profiles.checks import CheckResult, Scalar, Status, Threshold

F = TypeVar("F", bound=Facts)


class Judging:
    """What a pure `judge` function may look at besides its own facts.

    Args:
        probe: whose checks are judged.
        settings: for thresholds.
        facts: all facts gathered in this run, by probe name; a probe that failed is missing.
    """

    def __init__(self, probe: Probe, settings: Settings, facts: Mapping[str, Facts]) -> None:
        self._checks: dict[str, Check] = {check.id: check for check in probe.checks}
        self._probe = probe
        self._facts = facts
        self.settings = settings

    def facts_of(self, name: str, model: type[F]) -> F | None:
        """Facts of another probe of this run, None if it failed or was not asked for."""
        found = self._facts.get(name)
        return found if isinstance(found, model) else None

    def bound(self, check_id: str, name: str) -> Threshold:
        """A threshold of a check: the site's own value if it set one, else the catalogue's."""
        default = next(bound for bound in self._checks[check_id].bounds if bound.name == name)
        moved = self.settings.thresholds.get(check_id, {}).get(name)
        if moved is not None:
            return Threshold(name=name, value=moved, origin=f"site configuration (default {default.default})")
        return Threshold(name=name, value=default.default, origin=default.origin)

    def number(self, check_id: str, name: str) -> float:
        """The value of a numeric threshold. The agent has checked the type of the site's value."""
        return float(self.bound(check_id, name).value)

    def result(
        self,
        check_id: str,
        status: Status,
        summary: str,
        *,
        value: Scalar | None = None,
        unit: str | None = None,
        evidence: Iterable[str] = (),
        hint: str | None = None,
        reason: str | None = None,
    ) -> CheckResult:
        """Write a verdict down, with all thresholds of the check and the catalogue's hint if it is bad.

        The catalogue's hint mends a node, so an UNKNOWN has only a hint of its own.
        """
        check = self._checks[check_id]
        bad = status in (Status.WARNING, Status.CRITICAL)
        return CheckResult(
            id=check_id,
            status=status,
            probe=self._probe.name,
            summary=summary,
            value=value,
            unit=unit,
            evidence=tuple(text[:4096] for text in evidence)[:64],
            thresholds=tuple(self.bound(check_id, bound.name) for bound in check.bounds),
            hint=hint or (check.hint if bad else None),
            reason=reason,
        )

    def ok(self, check_id: str, summary: str, **more: object) -> CheckResult:
        """Verdict OK."""
        return self.result(check_id, Status.OK, summary, **more)  # type: ignore[arg-type]

    def warn(self, check_id: str, summary: str, **more: object) -> CheckResult:
        """Verdict WARNING."""
        return self.result(check_id, Status.WARNING, summary, **more)  # type: ignore[arg-type]

    def critical(self, check_id: str, summary: str, **more: object) -> CheckResult:
        """Verdict CRITICAL."""
        return self.result(check_id, Status.CRITICAL, summary, **more)  # type: ignore[arg-type]

    def unknown(self, check_id: str, reason: str, **more: object) -> CheckResult:
        """No verdict because something that should be known is not."""
        return self.result(check_id, Status.UNKNOWN, reason, reason=reason, **more)  # type: ignore[arg-type]

    def skip(self, check_id: str, reason: str) -> CheckResult:
        """No verdict because the question does not arise here."""
        return self.result(check_id, Status.SKIPPED, reason, reason=reason)
