"""The loop: one thread that runs what is due, shows what has changed and tells whoever wants to be told."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from random import Random

from agent.config import ConfigError
from agent.daemon.bench_keeper import BenchKeeper
from agent.daemon.clock import Clock
from agent.daemon.figures import Figures, families
from agent.daemon.hysteresis import Steady
from agent.daemon.looker import Looker, reap
from agent.daemon.pages import Pages
from agent.daemon.picture import Picture
from agent.daemon.schedule import Schedule
from agent.daemon.source import Setting, Source
from agent.daemon.tidings import Tidings
from agent.daemon.wake import Wake
from agent.render import prometheus
from agent.run import Request, assemble
from probes.host import Host
from probes.live import LiveDoor
from probes.lock import LockError
from probes.runner import Outcome
from profiles.profile import CapabilityProfile

LONGEST_SLEEP_S = 30.0
"""Between two turns: the file of the configuration is looked at in each."""

SHORTEST_SLEEP_S = 0.05
BENCH_SLEEP_S = 1.0
METRICS_S = 300.0
"""The page is made anew at least this often, for what changes by itself."""

LOCKED_S = 60.0
"""A look that found another agent on the node is tried again after this."""

BENCH_END_S = 3.0

_log = logging.getLogger("agent.daemon")


class Loop:
    """The daemon's life, without what starts it.

    Args:
        source: of the configuration.
        setting: as it was first read.
        state: private directory.
        pages: that are told of each turn; None = none are served.
        clock: what time it is.
        chance: for jitter.
        wake: becomes readable when a signal came; None = nobody listens for signals.
        close_in_child: closes what children must not keep.
    """

    def __init__(
        self,
        source: Source,
        setting: Setting,
        state: Path,
        pages: Pages | None = None,
        *,
        clock: Clock | None = None,
        chance: Random | None = None,
        wake: Wake | None = None,
        close_in_child: Callable[[], None] = lambda: None,
    ) -> None:
        self.picture = Picture()
        self.figures = Figures()
        self.profile: CapabilityProfile | None = None
        self._source = source
        self._setting = setting
        self._pages = pages
        self._clock = clock or Clock()
        self._chance = chance or Random()  # noqa: S311 - spreads load, keeps no secret
        self._wake = wake
        self._looker = Looker(state, close_in_child, self._beat)
        self._bench = BenchKeeper(state, source.arguments)
        self.tidings = Tidings(self._chance, close_in_child, self.figures)
        self._schedule = self._begin()
        self._stopped_by: str | None = None
        self._reload = False
        self._metrics_at_s = float("-inf")

    def stop(self, signal_name: str) -> None:
        """End as soon as possible; safe to call from a signal handler."""
        self._stopped_by = signal_name
        self._looker.interrupt(signal_name)

    def reload(self) -> None:
        """Read the configuration again in the next turn; safe to call from a signal handler."""
        self._reload = True

    def run(self) -> str:
        """Turn until `stop`; the signal that came."""
        self.tidings.begin(self._setting.config)
        while self._stopped_by is None:
            self.turn()
            if self._stopped_by is None:
                self._clock.wait(self._descriptors(), self._sleep_s())
            if self._wake is not None:
                self._wake.drain()
        self._end()
        return self._stopped_by

    def turn(self) -> None:
        """One turn."""
        self.figures.turns += 1
        self._beat()
        news = self._read_again()
        if due := self._schedule.due(self._clock.monotonic()):
            news |= self._look(due)
        config = self._setting.config
        found = self._bench.turn(config.daemon.bench, self._clock.now())
        if found is not None:
            self.figures.benches = self._bench.ended
            self.tidings.hand_in(found, config)
        news |= self.tidings.turn(config, self._clock.now(), self._clock.monotonic())
        self._look_after_children()
        self._show(news=news)

    def _begin(self) -> Schedule:
        return Schedule.begin(
            self._setting.probes, self._setting.config.daemon, self._clock.monotonic(), self._chance
        )

    def _look(self, due: frozenset[str]) -> bool:
        try:
            outcome = self._looker.look(self._setting, due)
        except LockError as error:
            _log.warning("no look: %s", error)
            self._schedule = self._schedule.put_off(due, self._clock.monotonic() + LOCKED_S)
            return False
        now, now_s = self._clock.now(), self._clock.monotonic()
        ran = self.picture.add(outcome, now)
        self._schedule = self._schedule.ran(ran, now_s, self._chance)
        # Those that were cut off, by a signal or by the budget, have their turn next.
        self._schedule = self._schedule.put_off(due - ran, now_s + LOCKED_S)
        for name in ran:
            self.figures.looks[name] = self.figures.looks.get(name, 0) + 1
        self._note_stuck(outcome)
        config, probes = self._setting
        first = not self.picture.steady.shown
        turned = self.picture.judge(probes, config, ran)
        for check in turned:
            _log.info("%s is now %s: %s", check.id, check.status, check.summary)
        confirm_at_s = now_s + config.daemon.confirm_s
        self.profile = self._assemble()
        complete = len(self.picture.seen) == len(probes)
        self.tidings.seen(self.profile, turned, ran, config, complete=complete, now_s=now_s)
        in_doubt = self.picture.steady.to_ask() | self.tidings.labels.to_ask()
        self._schedule = self._schedule.again(in_doubt, confirm_at_s)
        if first:
            _log.info("the first look has ended: %d checks are judged", len(self.picture.results))
        return True

    def _assemble(self) -> CapabilityProfile:
        config, probes = self._setting
        request = Request(probes=probes, config=config, root=config.daemon.root)
        outcome = self.picture.outcome(probes, self._clock.now())
        took_s = sum(run.duration_s or 0.0 for run in outcome.runs)
        return assemble(request, outcome, Host(LiveDoor(request.root)), took_s)

    def _note_stuck(self, outcome: Outcome) -> None:
        reasons = {run.name: run.reason for run in outcome.runs if run.outcome == "stuck"}
        ran = {run.name for run in outcome.runs}
        for name in sorted(reasons.keys() - self.figures.stuck):
            _log.error("probe %s: %s", name, reasons[name])
        self.figures.stuck = (self.figures.stuck - ran) | reasons.keys()

    def _read_again(self) -> bool:
        asked, self._reload = self._reload, False
        if not asked and not self._source.has_changed():
            return False
        try:
            setting = self._source.read()
        except ConfigError as error:
            _log.error("the new configuration is not used, the old one goes on: %s", error)
            self.figures.reload_ok = False
            return True
        self.figures.reload_ok = True
        old, self._setting = self._setting.config.daemon, setting
        new = setting.config.daemon
        _log.info("the configuration was read again")
        if (old.listen, old.port) != (new.listen, new.port):
            _log.warning("daemon.listen and daemon.port hold after a restart")
        # Other settings ask other questions: everything is looked at again, and shown as it is found.
        self.picture.forget_verdicts()
        self.tidings.labels = Steady()
        self.picture.keep_only({probe.name: probe for probe in setting.probes})
        self._schedule = self._begin()
        return True

    def _look_after_children(self) -> None:
        if self._pages is not None:
            said = self._pages.revive()
            if said is not None:
                self.figures.pages_restarts += 1
                _log.error("%s", said)
        known = {outlet.errand.pid for outlet in self.tidings.outlets if outlet.errand is not None}
        if self._pages is not None:
            known.add(self._pages.pid)
        if not self._bench.running:
            # A benchmark's own end is its keeper's to see.
            self.figures.orphans += reap(frozenset(known))

    def _show(self, *, news: bool) -> None:
        now_s = self._clock.monotonic()
        if self._pages is None or not (news or now_s - self._metrics_at_s >= METRICS_S):
            return
        self._metrics_at_s = now_s
        own = families(self.figures, self.picture, self.tidings.outlets, self._schedule.due_s, now_s)
        node = [] if self.profile is None else prometheus.families(self.profile)
        self._beat(prometheus.text_of([*node, *own]))

    def _beat(self, metrics: str | None = None) -> None:
        if self._pages is not None:
            ready = bool(self.picture.seen)
            self._pages.tell(ready=ready, why_not="the first look has not ended", metrics=metrics)

    def _descriptors(self) -> list[int]:
        errands = [outlet.errand.fileno() for outlet in self.tidings.outlets if outlet.errand is not None]
        return errands if self._wake is None else [*errands, self._wake.fileno()]

    def _sleep_s(self) -> float:
        longest = BENCH_SLEEP_S if self._bench.running else LONGEST_SLEEP_S
        next_s = min(self._schedule.next_s(), self.tidings.next_s())
        return min(max(next_s - self._clock.monotonic(), SHORTEST_SLEEP_S), longest)

    def _end(self) -> None:
        _log.info("%s: the daemon ends", self._stopped_by)
        config = self._setting.config
        found = self._bench.stop(BENCH_END_S)
        if found is not None:
            self.tidings.hand_in(found, config)
        self.tidings.stop(config)
        if self._pages is not None:
            self._pages.stop()
