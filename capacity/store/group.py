"""Group commit: whatever comes while one transaction is on its way to the disk goes into the next one, together.

A commit waits for the disk. If each sender waited for a commit of its own, there would be as many senders a second as
there are turns of the disk; this way one turn serves all who wait.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from capacity.errors import UnavailableError

Row = TypeVar("Row")
Outcome = TypeVar("Outcome")

_MOST_ROWS = 1000
PATIENCE_S = 20.0


class _Waiting(Generic[Row, Outcome]):
    """What one thread brought, and what became of it."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self.rows = rows
        self.outcomes: list[Outcome] | None = None
        self.error: BaseException | None = None

    @property
    def done(self) -> bool:
        return self.outcomes is not None or self.error is not None


class GroupCommit(Generic[Row, Outcome]):
    """Joins the work of threads into transactions, one at a time.

    Args:
        work: does it in one transaction and returns when that is durable: rows → one outcome a row.
        patience_s: how long to wait for a transaction before, such as on a database that hangs.
    """

    def __init__(
        self, work: Callable[[Sequence[Row]], Sequence[Outcome]], patience_s: float = PATIENCE_S
    ) -> None:
        self._work = work
        self._patience_s = patience_s
        self._queue: list[_Waiting[Row, Outcome]] = []
        self._guard = threading.Lock()  # of the queue
        self._turn = threading.Lock()  # of the transaction

    def run(self, rows: Sequence[Row]) -> list[Outcome]:
        """Have the rows worked on, perhaps together with those of other threads; one outcome a row.

        Raises:
            UnavailableError: the transaction failed, or did not end in time; what was kept all the same is a duplicate
                when it is sent again.
        """
        mine = _Waiting[Row, Outcome](rows)
        with self._guard:
            self._queue.append(mine)
        if not self._turn.acquire(timeout=self._patience_s):
            self._withdraw(mine)
            raise UnavailableError(
                f"the database has not answered for {self._patience_s:g} s: send it again later", 30
            )
        try:
            # Whoever had the turn before may have taken this along.
            while not mine.done:
                self._serve(self._next())
        finally:
            self._turn.release()
        if mine.error is not None:
            raise mine.error
        assert mine.outcomes is not None
        return mine.outcomes

    def _withdraw(self, mine: _Waiting[Row, Outcome]) -> None:
        with self._guard:
            if mine in self._queue:
                self._queue.remove(mine)

    def _next(self) -> list[_Waiting[Row, Outcome]]:
        with self._guard:
            number = rows = 0
            for one in self._queue:
                rows += len(one.rows)
                if number and rows > _MOST_ROWS:
                    break
                number += 1
            group, self._queue = self._queue[:number], self._queue[number:]
        return group

    def _serve(self, group: list[_Waiting[Row, Outcome]]) -> None:
        try:
            outcomes = list(self._work([row for one in group for row in one.rows]))
        except UnavailableError as error:
            for one in group:
                one.error = error
        except BaseException as error:
            if len(group) == 1:
                group[0].error = error
                return
            for one in group:  # one row that cannot be kept must not cost the others theirs
                self._serve([one])
        else:
            start = 0
            for one in group:
                one.outcomes = outcomes[start : start + len(one.rows)]
                start += len(one.rows)
