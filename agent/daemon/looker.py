"""Runs the probes that are due, with the runner that every mode shares."""

from __future__ import annotations

import contextlib
import gc
import os
from collections.abc import Callable
from pathlib import Path

import agent
from agent.daemon.schedule import periods_of
from agent.daemon.source import Setting
from probes.fact_cache import FactCache, digest_of
from probes.host import Door
from probes.live import LiveDoor
from probes.lock import NodeLock
from probes.runner import Outcome, Runner

LOCK_WAIT_S = 5.0
"""For another agent on this node; then the look is put off, and the loop turns on."""


class Looker:
    """Looks at the node.

    Args:
        state: private directory for the node's lock and for notes of children that could not be killed.
        close_in_child: what a probe must not keep open: one that hangs for ever would hold it for ever.
        on_wait: called every two seconds while probes run.
    """

    def __init__(self, state: Path, close_in_child: Callable[[], None], on_wait: Callable[[], None]) -> None:
        self._state = state
        self._close_in_child = close_in_child
        self._on_wait = on_wait
        self._runner: Runner | None = None

    def interrupt(self, signal_name: str) -> None:
        """End the look that is under way; safe to call from a signal handler."""
        if self._runner is not None:
            self._runner.interrupt(signal_name)

    def look(self, setting: Setting, names: frozenset[str]) -> Outcome:
        """Run these probes.

        Raises:
            LockError: another agent probes this node.
        """
        config = setting.config
        live = LiveDoor(config.daemon.root)
        # The runner freezes what is there and unfreezes it into the oldest generation, which the collector then hardly ever
        # looks at: without this the cycles of each look would stay, 4 MB a day.
        gc.collect()

        def open_door(_: str) -> Door:
            self._close_in_child()
            return live

        self._runner = Runner(
            open_door,
            config,
            budget_s=config.budget_s,
            state=self._state,
            on_wait=lambda _: self._on_wait(),
            cache=self._cache(setting, names),
        )
        try:
            with NodeLock(self._state, min(config.lock_wait_s, LOCK_WAIT_S)):
                return self._runner.run([probe for probe in setting.probes if probe.name in names])
        finally:
            self._runner = None

    def _cache(self, setting: Setting, names: frozenset[str]) -> FactCache | None:
        """Facts of agents that looked a moment ago, or of this one before it crashed; never those of the last look."""
        config = setting.config
        periods = periods_of([probe for probe in setting.probes if probe.name in names], config.daemon)
        max_age_s = min(config.traffic.cache_s, min(periods.values(), default=0.0) / 2)
        if max_age_s <= 0 or config.daemon.root != "/":
            return None
        return FactCache(self._state, digest_of(config, agent.__version__, os.environ), max_age_s)


def reap(known: frozenset[int]) -> int:
    """Take note of processes that ended and are nobody's: orphans of probes, if this is a container's first process.

    Args:
        known: children that their owners wait for.

    Returns:
        How many there were.
    """
    number = 0
    with contextlib.suppress(ChildProcessError):
        while True:
            found = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            if found is None or found.si_pid in known:
                break
            os.waitpid(found.si_pid, os.WNOHANG)
            number += 1
    return number
