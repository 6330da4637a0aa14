"""The background worker: pending nodes become states and estimates, while requests go first.

A thread of the service where that is one process; else in a process of its own (`capacity.background`).
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from threading import Event, Thread
from time import monotonic

from capacity.errors import UnavailableError
from capacity.service.context import Service
from capacity.service.refresh import refresh_pending

MAX_PAUSE_S = 60.0

NODES_WHILE_BUSY = 2
"""Of a round while profiles come in: estimating holds the interpreter's lock, and a sender waits for as long as a round takes.

At half of the highest rate the 99th percentile of answers was 137 ms with rounds of 20 nodes and 64 ms without any (two workers,
PostgreSQL and the client on two cores).
"""

_log = logging.getLogger(__name__)


class Refresher:
    """A thread that calls `refresh_pending` again and again: without a pause as long as nothing comes in, else little.

    Args:
        service: whose nodes.
        arrivals: how many documents came in so far.
        done: told how many nodes a round estimated.
        failed: told of each round that failed.
    """

    def __init__(
        self,
        service: Service,
        arrivals: Callable[[], int],
        done: Callable[[int], None],
        failed: Callable[[], None],
    ) -> None:
        self._service = service
        self._arrivals = arrivals
        self._done = done
        self._failed = failed
        self._stop = Event()
        self._thread = Thread(target=self._run, name="refresher", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End after the round that is under way; what it does not finish another process or start will."""
        self._stop.set()
        self._thread.join(timeout=MAX_PAUSE_S)

    def _run(self) -> None:
        settings = self._service.config.refresh
        failures = 0
        last = self._arrivals()
        while not self._stop.is_set():
            began, came = monotonic(), self._arrivals()
            busy, last = came != last, came
            try:
                nodes = self._round(
                    min(settings.batch_nodes, NODES_WHILE_BUSY) if busy else settings.batch_nodes
                )
                failures = 0
            except Exception as error:
                failures += 1
                self._failed()
                if isinstance(error, UnavailableError):
                    _log.warning("nodes are not refreshed: %s", error)
                else:
                    _log.exception("a round of the refresher failed")
                self._stop.wait(min(settings.interval_s * 2**failures, MAX_PAUSE_S))
                continue
            self._done(nodes)
            took_s = monotonic() - began
            if not nodes:
                self._stop.wait(settings.interval_s)
            elif busy or self._arrivals() != came:
                # One interpreter lock serves both: while senders wait, they get the larger part of its time.
                self._stop.wait(took_s * (1 / settings.share - 1))

    def _round(self, limit: int) -> int:
        service = self._service
        estimator = service.estimators.current()
        return refresh_pending(service.database, estimator, datetime.now(UTC), limit, service.fleet)
