"""Rate bounds: a token bucket for each sender, in a table of bounded size."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable
from threading import Lock

from capacity.errors import CapacityError

MAX_SENDERS = 20_000
"""Senders whose rate is remembered; the one that was longest away is forgotten first."""


class TooOftenError(CapacityError):
    """A sender is over its rate (HTTP 429).

    Attributes:
        retry_after_s: whole seconds after which the same request would be taken.
    """

    def __init__(self, message: str, retry_after_s: int) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class RateBound:
    """So many units a second with a burst; each key by itself. Safe for threads.

    Args:
        rate_per_s: units that are given back each second.
        burst: units that may be taken at once.
        what: the units, for the sentence that a sender reads.
        clock: monotonic seconds.
        max_keys: keys remembered.
    """

    def __init__(
        self,
        rate_per_s: float,
        burst: float,
        what: str,
        clock: Callable[[], float],
        max_keys: int = MAX_SENDERS,
    ) -> None:
        self._rate_per_s = rate_per_s
        self._burst = burst
        self._what = what
        self._clock = clock
        self._max_keys = max_keys
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = Lock()

    def take(self, key: str, units: int = 1) -> None:
        """Take units, or refuse all of them.

        Raises:
            TooOftenError: there are not so many left; nothing was taken.
        """
        with self._lock:
            now = self._clock()
            left = self._refilled(key, now)
            # A request larger than the burst passes on a full bucket and leaves a debt, else it could never pass.
            short = min(units, self._burst) - left
            if short > 0:
                self._remember(key, left, now)
                raise TooOftenError(self._sentence(), max(1, math.ceil(short / self._rate_per_s)))
            self._remember(key, left - units, now)

    def check(self, key: str) -> None:
        """Refuse a key that has nothing left, without taking anything.

        Raises:
            TooOftenError: less than one unit is left.
        """
        with self._lock:
            left = self._refilled(key, self._clock())
        if left < 1:
            raise TooOftenError(self._sentence(), max(1, math.ceil((1 - left) / self._rate_per_s)))

    def _sentence(self) -> str:
        return f"too many {self._what}: send again after the seconds in Retry-After"

    def _refilled(self, key: str, now: float) -> float:
        left, at = self._left.get(key, (self._burst, now))
        return min(self._burst, left + max(0.0, now - at) * self._rate_per_s)

    def _remember(self, key: str, left: float, now: float) -> None:
        self._left[key] = (left, now)
        self._left.move_to_end(key)
        if len(self._left) > self._max_keys:
            self._left.popitem(last=False)
