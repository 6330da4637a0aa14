"""Handing in all that waits: the oldest first, in requests of many, with a pause after each failure."""

from __future__ import annotations

import logging
import random
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from agent.delivery.errors import SpoolError
from agent.delivery.names import Name
from agent.delivery.retry import pause_s
from agent.delivery.sender import Attempt
from agent.delivery.settings import DeliverySettings
from agent.delivery.store import Held, Store
from agent.delivery.verdicts import Fate

_POLL_S = 0.1

_log = logging.getLogger("agent.delivery")


class Delivered(NamedTuple):
    """What came of a drain.

    Attributes:
        delivered: documents that the service stored.
        duplicates: documents that it had stored before.
        set_aside: documents that it will never take, or that were damaged or too old.
        left: documents that still wait.
        reason: one sentence, why something is left; None if nothing is.
    """

    delivered: int
    duplicates: int
    set_aside: int
    left: int
    reason: str | None


class Sending(Protocol):
    """Makes one attempt."""

    def send(self, documents: Sequence[Held]) -> Attempt:
        """Send documents in one request."""


class Drain:
    """One drain of a store.

    Args:
        settings: bounds of requests and pauses.
        store: where the documents wait.
        sender: makes the attempts.
        until_s: on the clock of `time.monotonic`, when it must end; None = when the store is empty.
        stop: whether the caller wants to end.
    """

    def __init__(
        self,
        settings: DeliverySettings,
        store: Store,
        sender: Sending,
        until_s: float | None,
        stop: Callable[[], bool],
    ) -> None:
        self._settings = settings
        self._store = store
        self._sender = sender
        self._until_s = until_s
        self._stop = stop
        self._count: Counter[Fate] = Counter()
        self._queue: deque[Name] = deque()
        self._kept: dict[Name, str] = {}
        """Not taken now, with the reason; tried again after a pause."""
        self._finished: set[Name] = set()
        """Handed in, but the disk does not let them go."""
        self._most = settings.batch_documents
        self._failures = 0
        self._reason: str | None = None

    def run(self) -> Delivered:
        """Drain until nothing waits, the moment has come or the caller wants to end.

        Raises:
            SpoolError: the store cannot be read.
        """
        self._count[Fate.SET_ASIDE] += self._store.tidy()
        others_since_s: float | None = None
        while not self._is_over():
            if not self._queue and not self._look():
                break
            held = self._take()
            if held:
                others_since_s = None
                if not self._hand_in(held):
                    break
            elif not self._queue and self._others():
                others_since_s = others_since_s or time.monotonic()
                if time.monotonic() - others_since_s > self._settings.answer_s:
                    self._reason = "another agent has been sending what is left for long"
                    break
                self._reason = "another agent is sending what is left"
                self._sleep(_POLL_S)
        left = len([name for name in self._store.waiting() if name not in self._finished])
        without = "interrupted before all was sent" if self._stop() else "there was no time left to send it"
        return Delivered(
            self._count[Fate.DELIVERED],
            self._count[Fate.DUPLICATE],
            self._count[Fate.SET_ASIDE],
            left,
            (self._reason or without) if left else None,
        )

    def _look(self) -> bool:
        """Fill the queue; False if there is nothing more to do."""
        waiting = [name for name in self._store.waiting() if name not in self._finished]
        self._queue.extend(name for name in waiting if name not in self._kept)
        if self._queue or not waiting:
            return bool(self._queue)
        self._reason = next((self._kept[name] for name in waiting if name in self._kept), None)
        if not self._pause(None):
            return False
        self._kept.clear()
        self._queue.extend(waiting)
        return True

    def _others(self) -> bool:
        """Whether what waits and could not be taken in hand is in others' hands."""
        return any(name not in self._kept and name not in self._finished for name in self._store.waiting())

    def _take(self) -> list[Held]:
        """The next documents of the queue, within the bounds of a request."""
        taken: list[Held] = []
        size_bytes = 0
        while self._queue and len(taken) < self._most:
            name = self._queue[0]
            try:
                held = self._store.claim(name)
            except SpoolError as error:
                self._queue.popleft()
                self._kept[name] = str(error)
                continue
            if held is None:
                self._queue.popleft()
            elif not held.intact:
                self._queue.popleft()
                self._settle(
                    held,
                    Fate.SET_ASIDE,
                    "it is damaged: its bytes are not those that were put into the spool",
                )
            elif taken and size_bytes + len(held.document) > self._settings.batch_bytes:
                held.release()
                break
            else:
                self._queue.popleft()
                taken.append(held)
                size_bytes += len(held.document)
        return taken

    def _hand_in(self, documents: Sequence[Held]) -> bool:
        """Send documents in one request or, if it is too much, in several; False = no more attempts."""
        attempt = self._sender.send(documents)
        judged = attempt.judged
        if judged.split:
            half = len(documents) // 2
            self._most = min(self._most, max(1, half))
            _log.warning("%s; sending %d at a time", judged.reason, self._most)
            if self._is_over() or not self._hand_in(documents[:half]):
                _release(documents[half:])
                return False
            return self._hand_in(documents[half:])
        if judged.fates is None:
            _release(documents)
            self._queue.clear()  # the oldest first, also next time
            # An attempt that ended with the time for it says less than the one before.
            if self._reason is None or not self._is_over():
                self._reason = judged.reason
            return self._pause(attempt.retry_after_s)
        removed_bytes = 0
        for held, (fate, text) in zip(documents, judged.fates, strict=True):
            if self._settle(held, fate, text):
                removed_bytes += held.size_bytes
        self._store.removed(removed_bytes)
        if any(fate is not Fate.KEPT for fate, _ in judged.fates):
            self._failures = 0
            self._reason = None
        return True

    def _settle(self, held: Held, fate: Fate, text: str) -> bool:
        """Do with a document what its fate says; whether it was removed from the store."""
        if fate is Fate.KEPT:
            held.release()
            self._kept[held.name] = text
            return False
        self._count[fate] += 1
        try:
            if fate is Fate.SET_ASIDE:
                _log.warning("profile %s is set aside: %s", held.name.id, text)
                held.set_aside(text)
                return False
            held.remove()
        except OSError as error:
            held.release()
            self._finished.add(held.name)
            _log.warning("%s is settled but stays in the spool: %s", held.name.file, error.strerror)
            return False
        return True

    def _pause(self, retry_after_s: float | None) -> bool:
        """Wait before the next attempt; False if there is no time for one."""
        self._failures += 1
        pause = pause_s(
            self._failures,
            first_s=self._settings.backoff_first_s,
            max_s=self._settings.backoff_max_s,
            retry_after_s=retry_after_s,
            random=random.random(),  # noqa: S311 - spreads agents
        )
        if self._until_s is not None:
            rest_s = self._until_s - time.monotonic()
            if retry_after_s is None:
                # Else the last half of a short time would pass without an attempt.
                pause = min(pause, max(self._settings.backoff_first_s, rest_s / 2))
            if pause >= rest_s:
                return False
        if self._is_over():
            return False
        _log.warning("%s; next attempt in %.1f s", self._reason, pause)
        self._sleep(pause)
        return not self._is_over()

    def _sleep(self, length_s: float) -> None:
        end_s = time.monotonic() + length_s
        while (rest_s := end_s - time.monotonic()) > 0 and not self._is_over():
            time.sleep(min(rest_s, _POLL_S))

    def _is_over(self) -> bool:
        return self._stop() or (self._until_s is not None and time.monotonic() >= self._until_s)


def _release(documents: Sequence[Held]) -> None:
    for held in documents:
        held.release()
