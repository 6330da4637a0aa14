"""One receiver of news, to which errands are sent until it has them: one at a time, less and less often while it fails."""

from __future__ import annotations

import logging
from collections.abc import Callable
from random import Random
from typing import Any, NamedTuple

from agent.daemon.errand import Errand, Work
from agent.daemon.schedule import retry_after_s

_log = logging.getLogger("agent.daemon")


class News(NamedTuple):
    """Something that has to be told.

    Attributes:
        work: tells it, in a child.
        deadline_s: for that.
    """

    work: Work
    deadline_s: float


class Outlet:
    """A receiver.

    Args:
        name: in sentences: "the service", "NodeFeature".
        chance: for the times of new attempts.
        close_in_child: what an errand must not keep open.

    Attributes:
        failures: attempts in a row that failed; 0 = the last one did not.
        failed_ever: attempts that failed since the daemon began.
        reason: why the last one did; None = it did not.
        succeeded_at_s: when one last succeeded, by the clock of the loop; None = never.
    """

    def __init__(self, name: str, chance: Random, close_in_child: Callable[[], None]) -> None:
        self.name = name
        self.failures = 0
        self.failed_ever = 0
        self.reason: str | None = None
        self.succeeded_at_s: float | None = None
        self._chance = chance
        self._close_in_child = close_in_child
        self._news: News | None = None
        self._told: News | None = None
        self._errand: Errand | None = None
        self._named: Errand | None = None
        self._not_before_s = 0.0

    @property
    def errand(self) -> Errand | None:
        """The one that is under way."""
        return self._errand

    def offer(self, news: News, *, at_once: bool = False) -> None:
        """Newer news replaces older that has not been told.

        Args:
            news: to tell.
            at_once: without waiting for the end of a pause after a failure.
        """
        self._news = news
        if at_once:
            self._not_before_s = 0.0

    def next_s(self) -> float:
        """When `turn` has something to do; infinity = not before something is offered or an errand ends."""
        return float("inf") if self._news is None or self._errand is not None else self._not_before_s

    def turn(self, now_s: float) -> list[dict[str, Any]] | None:
        """Look after the errand, or send one; what it said once it has ended, None before."""
        said = None
        if self._errand is not None and self._errand.poll():
            said = self._ended(self._errand, now_s)
            self._errand = None
        self._name_stuck()
        if self._errand is None and self._news is not None and now_s >= self._not_before_s:
            self._told, self._news = self._news, None
            try:
                self._errand = Errand(self.name, self._told.work, self._told.deadline_s, self._close_in_child)
            except OSError as error:
                self._failed(f"no process could be started: {error.strerror}", now_s)
        return said

    def _name_stuck(self) -> None:
        errand = self._errand
        if errand is not None and errand.is_stuck and errand is not self._named:
            self._named = errand
            _log.error("%s: process %d cannot be killed; no second one is started", self.name, errand.pid)

    def stop(self) -> None:
        """Kill what is under way."""
        if self._errand is not None:
            self._errand.kill("the daemon ends")
            self._errand.poll()

    def _ended(self, errand: Errand, now_s: float) -> list[dict[str, Any]]:
        reason = errand.failure or next((word["reason"] for word in errand.words if word.get("reason")), None)
        if reason:
            self._failed(reason, now_s)
        else:
            if self.failures:
                _log.info("%s: works again", self.name)
            self.failures, self.reason, self.succeeded_at_s = 0, None, now_s
        return errand.words

    def _failed(self, reason: str, now_s: float) -> None:
        self.failures += 1
        self.failed_ever += 1
        pause_s = retry_after_s(self.failures, self._chance)
        self._not_before_s = now_s + pause_s
        # What was not told is told again, unless there is newer news.
        self._news = self._news or self._told
        if reason != self.reason:
            # The same sentence every minute for a night tells nobody more.
            _log.warning("%s: %s; trying again, next in %.0f s", self.name, reason, pause_s)
        self.reason = reason
