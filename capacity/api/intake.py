"""From requests to threads: single posts that arrive while others are being stored go to a thread together.

A thread for each would cost more than the work on a small profile, and a commit for each would wait for the disk as
often: what arrives while one transaction is on its way goes into the next one. This is the only place where documents of
several requests are joined. Each request is answered after its own documents are durable.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import NamedTuple, TypeVar

from capacity.errors import CapacityError, UnavailableError
from capacity.service.ingest import Verdict, accept
from capacity.service.principal import Principal
from capacity.store.database import Database

MAX_SHARED = 256
"""Most single documents that go to a thread together."""

BULK_DOCUMENTS = 500
"""Documents of a bulk request that go to a thread together; between two, other requests get their turn."""

WRITERS = 1
"""Threads for single posts. Another one would halve the batches: a transaction costs as much as three documents in it."""

BULK_WRITERS = 2

Outcome = Verdict | Exception
Result = TypeVar("Result")

_log = logging.getLogger(__name__)


class _Waiting(NamedTuple):
    document: bytes
    principal: Principal
    answer: asyncio.Future[Verdict]


class Intake:
    """Takes documents into the database. Lives in one event loop; its work is done in threads.

    Args:
        database: where they are kept.
        now: the moment of reception.
        answer_s: how long a database that hangs may keep a sender waiting.
    """

    def __init__(self, database: Database, now: Callable[[], datetime], answer_s: float) -> None:
        self.received = 0
        """Documents that came in so far."""
        self._database = database
        self._now = now
        self._answer_s = answer_s
        self._waiting: asyncio.Queue[_Waiting] = asyncio.Queue()
        self._bulk = asyncio.Semaphore(BULK_WRITERS)
        self._threads = ThreadPoolExecutor(WRITERS + BULK_WRITERS, thread_name_prefix="intake")
        self._writers: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin to work; in the running event loop."""
        self._writers = [asyncio.create_task(self._write()) for _ in range(WRITERS)]

    async def stop(self) -> None:
        """Finish what is under way and stop; nobody submits any more, and nobody waits for a database that hangs."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self._answer_s):
                await self._waiting.join()
        for writer in self._writers:
            writer.cancel()
        await asyncio.gather(*self._writers, return_exceptions=True)
        self._threads.shutdown(wait=False)

    async def one(self, document: bytes, principal: Principal) -> Verdict:
        """Take one document.

        Raises:
            UnavailableError: the database cannot be asked; it was not acknowledged.
        """
        self.received += 1
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Verdict] = loop.create_future()
        self._waiting.put_nowait(_Waiting(document, principal, answer))
        # asyncio.timeout would cancel the task to tell it; a timer that answers costs a third of that.
        patience = loop.call_later(self._answer_s, self._give_up, answer)
        try:
            return await answer
        finally:
            patience.cancel()

    async def many(self, documents: Sequence[bytes], principal: Principal) -> list[Verdict]:
        """Take many documents, in transactions of `BULK_DOCUMENTS`; indices count from the first of all.

        Raises:
            UnavailableError: the database cannot be asked; sending all again is right, what was stored is a duplicate.
        """
        self.received += len(documents)
        verdicts: list[Verdict] = []
        async with self._bulk:
            for start in range(0, len(documents), BULK_DOCUMENTS):
                part = documents[start : start + BULK_DOCUMENTS]
                try:
                    async with asyncio.timeout(self._answer_s):
                        found = await self._in_thread(partial(self._accept, part, principal))
                except TimeoutError:
                    raise self._hanging() from None
                verdicts += [replace(verdict, index=start + verdict.index) for verdict in found]
        return verdicts

    def _hanging(self) -> UnavailableError:
        """A wait that was too long is an absence of the database."""
        return UnavailableError(
            f"the database did not answer within {self._answer_s:g} s, and nobody knows whether it stored this: "
            "send it again, what is there is not stored twice"
        )

    def _give_up(self, answer: asyncio.Future[Verdict]) -> None:
        _give(answer, self._hanging())

    async def _write(self) -> None:
        while True:
            batch = [await self._waiting.get()]
            while len(batch) < MAX_SHARED and not self._waiting.empty():
                batch.append(self._waiting.get_nowait())
            try:
                outcomes = await self._in_thread(partial(self._outcomes, batch))
            finally:
                for _ in batch:
                    self._waiting.task_done()
            for one, outcome in zip(batch, outcomes, strict=True):
                _give(one.answer, outcome)
            away = next((outcome for outcome in outcomes if isinstance(outcome, UnavailableError)), None)
            if away is not None:
                self._refuse_all(away)

    def _refuse_all(self, error: UnavailableError) -> None:
        """Who waits behind a failure would only fail later."""
        while not self._waiting.empty():
            _give(self._waiting.get_nowait().answer, error)
            self._waiting.task_done()

    def _outcomes(self, batch: Sequence[_Waiting]) -> list[Outcome]:
        """One outcome a document, in order; runs in a thread."""
        outcomes: list[Outcome | None] = [None] * len(batch)
        places: dict[Principal, list[int]] = {}
        for place, one in enumerate(batch):
            places.setdefault(one.principal, []).append(place)
        for principal, mine in places.items():
            for place, outcome in zip(
                mine, self._of(principal, [batch[at].document for at in mine]), strict=True
            ):
                outcomes[place] = outcome
        return [outcome for outcome in outcomes if outcome is not None]

    def _of(self, principal: Principal, documents: Sequence[bytes]) -> Sequence[Outcome]:
        try:
            return self._accept(documents, principal)
        except CapacityError as error:
            return [error] * len(documents)
        except Exception as error:
            if len(documents) == 1:
                return [error]
            # One document that nobody foresaw must not fail those that came at the same moment.
            _log.exception("a batch of %d documents failed; trying each by itself", len(documents))
            return [self._of(principal, [document])[0] for document in documents]

    def _accept(self, documents: Sequence[bytes], principal: Principal) -> list[Verdict]:
        return accept(self._database, documents, principal, self._now())

    async def _in_thread(self, work: Callable[[], Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)


def _give(answer: asyncio.Future[Verdict], outcome: Outcome) -> None:
    if answer.done():  # whoever asked has gone away
        return
    if isinstance(outcome, Exception):
        answer.set_exception(outcome)
    else:
        answer.set_result(outcome)
