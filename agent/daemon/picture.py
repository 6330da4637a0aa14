"""What the daemon knows of the node: the last look of each probe, put together and judged as one profile."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from agent.config import Config
from agent.daemon.hysteresis import Steady
from probes.runner import Outcome
from probes.spec import Probe
from probes.verdicts import verdicts
from profiles.base import Facts
from profiles.checks import CheckResult
from profiles.profile import ProbeRun

NOT_RUN = ("interrupted",)
"""How a run of a probe ends that says nothing about the node."""


class Seen(NamedTuple):
    """The last look of one probe; no facts where it did not finish."""

    facts: Facts | None
    run: ProbeRun
    at: datetime


@dataclass
class Picture:
    """What is known, and which verdicts are shown.

    Attributes:
        seen: by probe.
        steady: hysteresis of the verdicts.
        results: the shown result of each check: the latest one that has the shown status.
    """

    seen: dict[str, Seen] = field(default_factory=dict)
    steady: Steady = field(default_factory=Steady)
    results: dict[str, CheckResult] = field(default_factory=dict)

    def add(self, outcome: Outcome, at: datetime) -> frozenset[str]:
        """Take in one turn's look; the probes that ran."""
        ran = [run for run in outcome.runs if run.outcome not in NOT_RUN]
        for run in ran:
            self.seen[run.name] = Seen(outcome.facts.get(run.name), run, at)
        return frozenset(run.name for run in ran)

    def judge(self, probes: Sequence[Probe], config: Config, ran: frozenset[str]) -> tuple[CheckResult, ...]:
        """Judge all facts together; the results whose shown status has turned.

        The first look at a check is no turn.
        """
        facts = self.facts()
        fresh = {
            check.id: check
            for probe in probes
            if probe.name in self.seen
            for check in verdicts(probe, self.seen[probe.name].run, facts, config)
        }
        before = self.steady.shown
        self.steady = self.steady.seen({name: str(check.status) for name, check in fresh.items()}, ran)
        shown = self.steady.shown
        self.results = {
            name: check if shown[name] == check.status else self.results[name]
            for name, check in fresh.items()
        }
        return tuple(
            self.results[name] for name, status in shown.items() if before.get(name, status) != status
        )

    def facts(self) -> dict[str, Facts]:
        """Facts by probe."""
        return {name: seen.facts for name, seen in self.seen.items() if seen.facts is not None}

    def outcome(self, probes: Sequence[Probe], now: datetime) -> Outcome:
        """All looks as one, as `agent.run.assemble` wants it; facts of an earlier turn say of when they are."""
        runs = [_dated(self.seen[probe.name], now) for probe in probes if probe.name in self.seen]
        return Outcome(facts=self.facts(), runs=runs, checks=list(self.results.values()))

    def forget_verdicts(self) -> None:
        """After another configuration: what is seen next is shown at once."""
        self.steady = Steady()
        self.results = {}

    def keep_only(self, names: Mapping[str, object]) -> None:
        """Drop probes that are no longer asked."""
        self.seen = {name: seen for name, seen in self.seen.items() if name in names}


def _dated(seen: Seen, now: datetime) -> ProbeRun:
    age_s = (now - seen.at).total_seconds()
    if seen.run.outcome != "finished" or seen.run.reason or age_s < 1:
        return seen.run
    reason = f"facts of {seen.at:%Y-%m-%d %H:%M:%S}Z, asked {age_s:.0f} s ago"
    return seen.run.model_copy(update={"reason": reason})
