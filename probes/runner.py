"""Runs probes side by side in children that are killed at their deadline, and judges what came back.

A probe that crashes, hangs, floods its pipe or eats memory costs only itself. A child that does not even die (it sleeps
uninterruptibly in the kernel) is named and left, and the next run does not start a second one.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import random
import selectors
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ValidationError

from probes import child
from probes.descendants import descendants
from probes.fact_cache import FactCache
from probes.fork import reap
from probes.lock import find_stuck, remember_stuck
from probes.running import MAX_REPORT_BYTES, Running
from probes.settings import NO_OUTBOUND, Settings
from probes.spec import Probe
from probes.verdicts import verdicts
from profiles.base import Facts
from profiles.checks import CheckResult
from profiles.profile import ProbeRun

PARALLEL = 4
"""Children at a time: a node under test must not notice us."""

NETWORK_PARALLEL = 8
"""Children at a time that ask other hosts: they only wait, and side by side they all fit into one time-out."""


@dataclass
class Outcome:
    """What a run of probes gave."""

    facts: dict[str, Facts] = field(default_factory=dict)
    runs: list[ProbeRun] = field(default_factory=list)
    checks: list[CheckResult] = field(default_factory=list)
    interrupted_by: str | None = None
    out_of_budget: bool = False
    recording_failure: str | None = None


class Runner:
    """Runs probes once.

    Args:
        open_door: gives the host door of one probe, called in the child.
        settings: of the site.
        budget_s: bound on the whole run.
        state: private directory for notes of children that could not be killed; None = there is none.
        on_finish: called after each probe, for progress.
        on_wait: called with the names that the run waits for, every two seconds.
        cache: facts of earlier runs that network probes may use instead of asking; None = they ask.
        jitter_s: network probes begin after a random time up to this. Their deadlines begin when they do, and so does
            the budget: it is not eaten by waiting.
    """

    def __init__(
        self,
        open_door: child.OpenDoor,
        settings: Settings,
        *,
        budget_s: float,
        state: Path | None,
        on_finish: Callable[[ProbeRun], None] = lambda _: None,
        on_wait: Callable[[list[str]], None] = lambda _: None,
        cache: FactCache | None = None,
        jitter_s: float = 0.0,
    ) -> None:
        self._open_door = open_door
        self._settings = settings
        self._budget_s = budget_s
        self._state = state
        self._on_finish = on_finish
        self._on_wait = on_wait
        self._cache = cache
        self._jitter_s = jitter_s
        self._signal: str | None = None
        self._outcome = Outcome()

    def interrupt(self, signal_name: str) -> None:
        """Ask the run to end now with what it has; safe to call from a signal handler."""
        self._signal = signal_name

    def run(self, probes: Sequence[Probe]) -> Outcome:
        """Gather facts with every probe, then judge them in the order given."""
        for probe in probes:
            # Built here once, before the forks: else each child builds its own, and this process all of them again.
            probe.facts_model.model_rebuild()
        # No child has to look through what is loaded by now, and copy its pages by that.
        gc.freeze()
        waiting = [probe for probe in probes if not self._left_out(probe) and not self._known(probe)]
        outside = any(probe.uses_network for probe in waiting)
        network_from = time.monotonic() + (random.uniform(0, self._jitter_s) if outside else 0.0)  # noqa: S311
        end = network_from + self._budget_s
        running: dict[int, Running] = {}
        with selectors.DefaultSelector() as selector:
            last_word = time.monotonic()
            while (waiting or running) and self._signal is None and time.monotonic() < end:
                network = time.monotonic() >= network_from
                while (number := _startable(waiting, running, network=network)) is not None:
                    one = self._start(waiting.pop(number))
                    if one is not None:
                        running[one.pipe] = one
                        selector.register(one.pipe, selectors.EVENT_READ)
                soonest = min([end, *(one.deadline for one in running.values())])
                for key, _ in selector.select(max(0.0, min(soonest - time.monotonic(), 0.5))):
                    if running[key.fd].read():
                        selector.unregister(key.fd)
                        self._finish(running.pop(key.fd))
                for one in [one for one in running.values() if time.monotonic() >= one.deadline]:
                    selector.unregister(one.pipe)
                    del running[one.pipe]
                    self._kill(one, "timeout", f"no answer within {one.probe.deadline_s:g} s")
                if (running or waiting) and time.monotonic() - last_word > 2.0:
                    last_word = time.monotonic()
                    self._on_wait(_names([one.probe for one in running.values()] or waiting))
        self._end_early(list(running.values()), waiting)
        gc.unfreeze()
        order = {probe.name: number for number, probe in enumerate(probes)}
        self._outcome.runs.sort(key=lambda run: order[run.name])
        runs = {run.name: run for run in self._outcome.runs}
        for probe in probes:
            self._outcome.checks += verdicts(probe, runs[probe.name], self._outcome.facts, self._settings)
        return self._outcome

    def _left_out(self, probe: Probe) -> bool:
        stuck = find_stuck(self._state, probe.name) if self._state else None
        if stuck is None:
            return False
        reason = (
            f"process {stuck.pid} of an earlier run still hangs in {stuck.question} and cannot be killed; "
            "no second one is started"
        )
        self._done(ProbeRun(name=probe.name, outcome="stuck", reason=reason))
        return True

    def _known(self, probe: Probe) -> bool:
        if probe.uses_network and self._settings.site_profile == "no-outbound":
            self._outcome.facts[probe.name] = probe.facts_model.nothing(NO_OUTBOUND)
            self._done(ProbeRun(name=probe.name, outcome="finished", reason="nothing was asked"))
            return True
        found = self._cache.get(probe) if self._cache is not None and probe.uses_network else None
        if found is None:
            return False
        self._outcome.facts[probe.name] = found.facts
        self._done(ProbeRun(name=probe.name, outcome="finished", reason=found.reason))
        return True

    def _start(self, probe: Probe) -> Running | None:
        began = time.monotonic()
        try:
            pid, pipe = child.start(probe, self._open_door, self._settings)
        except OSError as error:
            reason = f"no process could be started for it: {error.strerror}"
            self._done(ProbeRun(name=probe.name, outcome="crashed", reason=reason))
            return None
        return Running(probe, pid, pipe, began, began + probe.deadline_s)

    def _finish(self, one: Running) -> None:
        if one.flooded:
            self._kill(one, "flooded", f"it sent more than {MAX_REPORT_BYTES} bytes")
            return
        os.close(one.pipe)
        took_s = time.monotonic() - one.began
        # A child may close its pipe and live on, so it is not waited for without bound.
        status = reap(one.pid)
        lines = one.lines()
        for line in lines:
            if line.startswith("#"):
                self._outcome.recording_failure = line[1:]
        verdict = next((line for line in reversed(lines) if line[:1] in "=!"), "")
        if verdict.startswith("="):
            try:
                facts = one.probe.facts_model.model_validate_json(verdict[1:])
            except ValidationError as error:
                first = error.errors(include_url=False, include_input=False)[0]
                reason = f"its facts break the contract: {'.'.join(map(str, first['loc']))}: {first['msg']}"
            else:
                self._outcome.facts[one.probe.name] = facts
                if self._cache is not None and one.probe.uses_network:
                    self._cache.put(one.probe, facts)
                self._done(ProbeRun(name=one.probe.name, outcome="finished", duration_s=took_s))
                return
        elif verdict.startswith("!"):
            reason = str(json.loads(verdict[1:]))
        elif status is not None and os.WIFSIGNALED(status):
            name = signal.Signals(os.WTERMSIG(status)).name
            where = f" in {one.last_question()}" if one.last_question() else ""
            reason = f"it was killed by {name}{where}"
        else:
            reason = "it ended without a word"
        self._done(ProbeRun(name=one.probe.name, outcome="crashed", duration_s=took_s, reason=reason))

    def _kill(self, one: Running, outcome: str, reason: str) -> None:
        below = [(os.kill, pid) for pid in descendants(one.pid)]
        for kill, target in ((os.killpg, one.pid), (os.kill, one.pid), *below):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                kill(target, signal.SIGKILL)
        one.drain()
        os.close(one.pipe)
        question = one.last_question() or "an unnamed question"
        if one.last_question():
            reason = f"{reason}; it was asking {question}"
        if reap(one.pid) is None:
            reason = f"{reason}; process {one.pid} cannot be killed and is left behind"
            outcome = "stuck"
            if self._state is not None:
                with contextlib.suppress(OSError):
                    remember_stuck(self._state, one.probe.name, one.pid, question)
        took_s = time.monotonic() - one.began
        self._done(
            ProbeRun.model_validate(
                {"name": one.probe.name, "outcome": outcome, "duration_s": took_s, "reason": reason}
            )
        )

    def _end_early(self, running: list[Running], waiting: list[Probe]) -> None:
        if not running and not waiting:
            return
        if self._signal:
            self._outcome.interrupted_by = self._signal
            reason = f"interrupted by {self._signal}"
        else:
            self._outcome.out_of_budget = True
            reason = f"the whole run may take {self._budget_s:g} s"
        for one in running:
            self._kill(one, "interrupted" if self._signal else "timeout", reason)
        for probe in waiting:
            self._done(ProbeRun(name=probe.name, outcome="interrupted", reason=f"{reason}, before it began"))

    def _done(self, run: ProbeRun) -> None:
        self._outcome.runs.append(run)
        self._on_finish(run)


def _names(probes: Sequence[Probe]) -> list[str]:
    return [probe.name for probe in probes]


def _startable(waiting: Sequence[Probe], running: Mapping[int, Running], *, network: bool) -> int | None:
    """Position of the first waiting probe for which there is room; `network`: those that ask other hosts may begin."""
    for number, probe in enumerate(waiting):
        if probe.uses_network and not network:
            continue
        same = sum(one.probe.uses_network is probe.uses_network for one in running.values())
        if same < (NETWORK_PARALLEL if probe.uses_network else PARALLEL):
            return number
    return None
