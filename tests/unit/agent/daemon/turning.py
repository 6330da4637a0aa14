"""A loop with time of its own: what takes days takes a moment, and the probes are real children."""

from __future__ import annotations

import select
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from agent.config import Config
from agent.daemon.clock import Clock
from agent.daemon.loop import Loop
from agent.daemon.pages import Pages
from agent.daemon.source import Setting, Source
from probes.spec import Probe


class FastClock(Clock):
    """Time jumps over every sleep in which no errand is under way."""

    def __init__(self) -> None:
        self.ahead_s = 0.0

    def monotonic(self) -> float:
        return time.monotonic() + self.ahead_s

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self.ahead_s)

    def wait(self, descriptors: Sequence[int], timeout_s: float) -> None:
        if descriptors:
            select.select(descriptors, [], [], min(timeout_s, 0.05))
        else:
            self.ahead_s += max(timeout_s, 0.0)


class GivenSource(Source):
    """A configuration that a test changes."""

    def __init__(self, read: Callable[[], Setting]) -> None:
        super().__init__({}, None, (), {})
        self.reading = read
        self.changed = False

    def read(self) -> Setting:
        self.changed = False
        return self.reading()

    def has_changed(self) -> bool:
        return self.changed


def a_config(**daemon: Any) -> Config:
    delivery = daemon.pop("delivery", {})
    return Config.model_validate({"daemon": {"spread_s": 0, "jitter": 0, **daemon}, "delivery": delivery})


class Turning:
    """A loop, its clock and its configuration."""

    def __init__(
        self, state: Path, probes: Sequence[Probe], config: Config, pages: Pages | None = None
    ) -> None:
        self.setting = Setting(config, tuple(probes))
        self.source = GivenSource(lambda: self.setting)
        self.clock = FastClock()
        self.loop = Loop(self.source, self.setting, state, pages, clock=self.clock, chance=Random(1))

    def turn(self) -> None:
        """One turn, and the sleep after it."""
        self.loop.turn()
        self.clock.wait(self.loop._descriptors(), self.loop._sleep_s())

    def until(self, true: Callable[[], object], *, hours: float) -> None:
        """Turn until something is so, for at most so many hours of its own time."""
        end_s = self.clock.monotonic() + hours * 3600
        while not true():
            assert self.clock.monotonic() < end_s, f"not so after {hours} hours"
            self.turn()

    def for_hours(self, hours: float) -> None:
        """Turn for so long."""
        end_s = self.clock.monotonic() + hours * 3600
        while self.clock.monotonic() < end_s:
            self.turn()

    def shown(self) -> dict[str, str]:
        """Status by check."""
        return dict(self.loop.picture.steady.shown)
