"""Probes of the tests' own: each does one thing wrong, or right."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from pydantic import Field

from probes.host import MIB, Host
from probes.judging import Judging
from probes.live import LiveDoor
from probes.runner import Outcome, Runner
from probes.settings import Settings
from probes.spec import Check, Probe
from profiles.base import Facts, Text
from profiles.checks import CheckResult
from profiles.profile import ProbeRun

Gather = Callable[[Host, Settings], Facts]


class WordFacts(Facts):
    """One word."""

    word: Text | None = Field(description="what was found")


def judge_word(facts: WordFacts, judging: Judging) -> list[CheckResult]:
    """OK, whatever the word."""
    return [judging.ok("TST-01", f"the word is {facts.word}")]


def gather_word(host: Host, settings: Settings) -> WordFacts:
    """Reads nothing."""
    return WordFacts(word="fine")


def a_check(check_id: str = "TST-01", *, critical_on_hang: bool = False) -> Check:
    return Check(
        id=check_id, title="t", rule="r", origin="o", hint="h", why="w", critical_on_hang=critical_on_hang
    )  # fmt: skip


def a_probe(
    gather: Gather = gather_word,
    *,
    name: str = "small",
    judge: Callable[[WordFacts, Judging], Sequence[CheckResult]] = judge_word,
    deadline_s: float = 60.0,
    memory_bytes: int = 1024 * MIB,
    check: Check | None = None,
) -> Probe:
    return Probe(
        name=name,
        title="small",
        section="Slot",
        facts_model=WordFacts,
        gather=gather,
        judge=judge,
        summarise=str,
        checks=(check or a_check(),),
        deadline_s=deadline_s,
        memory_bytes=memory_bytes,
    )


def a_runner(state: Path, *, budget_s: float = 120.0, **more: Callable[..., None]) -> Runner:
    live = LiveDoor()
    return Runner(lambda _: live, Settings(), budget_s=budget_s, state=state, **more)


def run_one(probe: Probe, state: Path, *, budget_s: float = 120.0) -> tuple[ProbeRun, CheckResult, Outcome]:
    """The run of the probe, the verdict of its one check, and all the rest."""
    outcome = a_runner(state, budget_s=budget_s).run([probe])
    assert len(outcome.runs) == len(outcome.checks) == 1
    return outcome.runs[0], outcome.checks[0], outcome
