"""The life of the daemon's benchmarks: asks the gate, notes before it starts, reads what came of it."""

from __future__ import annotations

import logging
import os
import re
import time
from datetime import datetime
from pathlib import Path

from agent.daemon.bench_gate import CpuTimes, Situation, others_share, refusal
from agent.daemon.bench_run import BenchRun, busy_s, load_averages, read_note, write_note
from agent.daemon.settings import BenchGateSettings
from profiles.profile import CapabilityProfile
from profiles.reading import MAX_PROFILE_BYTES, ProfileError, read_profile

_log = logging.getLogger("agent.daemon")
_NUMBERS = re.compile(r"[0-9]+")


class BenchKeeper:
    """Benchmarks now and then, if that is allowed.

    Args:
        state: private directory for notes and results.
        arguments: of the configuration, for `agent bench`.

    Attributes:
        ended: how many ended how.
    """

    def __init__(self, state: Path, arguments: list[str]) -> None:
        self.ended: dict[str, int] = {}
        self._state = state
        self._arguments = arguments
        self._run: BenchRun | None = None
        self._times: CpuTimes | None = None
        self._said: str | None = None

    @property
    def running(self) -> bool:
        """Whether one is under way."""
        return self._run is not None

    def turn(self, settings: BenchGateSettings, now: datetime) -> CapabilityProfile | None:
        """Watch the one that runs, or start one if this is the moment; the profile of one that has just ended."""
        if self._run is not None:
            if not settings.allowed:
                self._run.give_up("the configuration does not allow it any more")
            return self._end(self._run) if self._run.poll() else None
        if not settings.allowed:
            self._times = None
            return None
        notes = Path(settings.note_directory) if settings.note_directory else self._state
        try:
            reason = self._refusal(settings, notes, now)
            if reason is None:
                # First the note: a benchmark that takes the daemon down must not run again after each start.
                write_note(notes, began_at=now, watched_since=None)
                self._run = BenchRun(self._arguments, settings, self._state, os.cpu_count() or 1)
                reason = "a benchmark has begun"
        except OSError as error:
            reason = f"no benchmark: {error.filename or notes}: {error.strerror}"
        kind = _NUMBERS.sub("", reason)
        if kind != self._said:
            # Once per kind: the load is another at each turn.
            _log.info("benchmark: %s", reason)
        self._said = kind
        return None

    def stop(self, wait_s: float) -> CapabilityProfile | None:
        """End the one that runs; what it had measured by then."""
        if self._run is None:
            return None
        self._run.stop(wait_s)
        return self._end(self._run)

    def _refusal(self, settings: BenchGateSettings, notes: Path, now: datetime) -> str | None:
        last, watched_since = read_note(notes)
        if last is None and watched_since is None:
            watched_since = now
            write_note(notes, began_at=None, watched_since=now)
        cpus = os.cpu_count() or 1
        before = self._times
        busy = busy_s()
        self._times = None if busy is None else CpuTimes(time.monotonic(), busy)
        share = None if before is None or self._times is None else others_share(before, self._times, cpus)
        one, five = load_averages() or (None, None)
        return refusal(Situation(now, last, watched_since or now, one, five, cpus, share), settings)

    def _end(self, run: BenchRun) -> CapabilityProfile | None:
        self._run = None
        self._times = None
        outcome = "given_up" if run.given_up else "finished"
        try:
            with run.result.open("rb") as file:
                profile = read_profile(file.read(MAX_PROFILE_BYTES + 1))
            run.result.unlink()
        except (OSError, ProfileError) as error:
            self.ended["failed"] = self.ended.get("failed", 0) + 1
            _log.warning("the benchmark left no result: %s", run.given_up or error)
            return None
        self.ended[outcome] = self.ended.get(outcome, 0) + 1
        _log.info("the benchmark %s", f"was given up: {run.given_up}" if run.given_up else "has ended")
        return profile
