"""Keeps the time of a pilot: no part goes on beyond its end, and the end comes nearer when a signal or the slot says so."""

from __future__ import annotations

import time
from collections.abc import Callable

from agent.pilot.duration import shown
from agent.pilot.plan import ENDING_S
from agent.pilot.stage import POLL_S, Ended, Orders, Part, Stage

LAST_WORD_S = 0.3
"""A part that delivers stops so long before it would be killed."""

STOP_SHARE = 1 / 2
"""Of what a signal leaves, for ending what runs; the rest is for the hand-over, which is what the time is for."""


class Timekeeper:
    """The clock of one pilot.

    Args:
        deadline: when all is over, on the monotonic clock.
        grace_s: how long after a signal all is over.
        margin_s: how long before a new end of the slot all is over; at most half of what is left.
        look: gives a new end of the slot on the monotonic clock and who says so, None = nothing new.
    """

    def __init__(
        self,
        deadline: float,
        *,
        grace_s: float,
        margin_s: float,
        look: Callable[[], tuple[float, str] | None] = lambda: None,
    ) -> None:
        self.deadline = deadline
        self.hurry: str | None = None
        self.look = look
        self._grace_s = grace_s
        self._margin_s = margin_s

    @property
    def left_s(self) -> float:
        """Until all is over."""
        return self.deadline - time.monotonic()

    def interrupt(self, name: str) -> None:
        """A signal has come; safe to call from a signal handler."""
        self.deadline = min(self.deadline, time.monotonic() + self._grace_s)
        self.hurry = self.hurry or name

    def measuring(self, name: str, work: Callable[[Part], None], reserve_s: float) -> Ended:
        """Run a part that has to end `reserve_s` before all is over, or as soon as something hurries us."""
        started = self._started(name, work)
        if isinstance(started, Ended):
            return started
        stage, orders = started
        told_at: float | None = None
        while not stage.wait(POLL_S):
            self._look(reserve_s)
            now = time.monotonic()
            if told_at is None:
                why = self.hurry or (
                    f"the end of its time ({name})" if now >= self.deadline - reserve_s else None
                )
                if why is not None:
                    told_at = now
                    orders.reason = why
                    stage.tell()
            elif now >= told_at + min(ENDING_S, max(self.deadline - told_at, 0.0) * STOP_SHARE):
                return stage.kill(f"{name} did not end when told to ({orders.reason}) and was killed")
        return stage.ended()

    def handing(
        self, name: str, work: Callable[[Part], None], bound_s: float, reserve_s: float = 0.0
    ) -> Ended:
        """Run a part that no signal ends, within `bound_s` and `reserve_s` before all is over."""
        started = self._started(name, work)
        if isinstance(started, Ended):
            return started
        stage, orders = started
        began = time.monotonic()
        while True:
            end = min(began + bound_s, self.deadline - reserve_s)
            orders.deadline = end - LAST_WORD_S
            if stage.wait(min(POLL_S, max(end - time.monotonic(), 0.0))):
                return stage.ended()
            self._look(reserve_s)
            if time.monotonic() >= end:
                return stage.kill(f"{name} was not done in time and was killed")

    def _started(self, name: str, work: Callable[[Part], None]) -> tuple[Stage, Orders] | Ended:
        orders = Orders(self.deadline)
        try:
            return Stage(name, work, orders), orders
        except OSError as error:
            return Ended((), f"{name}: no process could be started: {error.strerror}")

    def _look(self, reserve_s: float) -> None:
        found = self.look()
        if found is None:
            return
        end, source = found
        now = time.monotonic()
        left_s = end - now
        over = end - min(self._margin_s, max(left_s, 0.0) / 2)
        if over >= self.deadline:
            return
        self.deadline = over
        if now >= over - reserve_s:
            self.hurry = (
                self.hurry or f"the end of the slot, which now comes in {shown(max(left_s, 0.0))} ({source})"
            )
