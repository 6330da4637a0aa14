"""From requests to threads: who shares a transaction, and what a fault costs the others in it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from capacity.api import intake as intake_module
from capacity.api.intake import Intake
from capacity.errors import UnavailableError
from capacity.service.ingest import Verdict
from capacity.service.principal import Principal
from tests.unit.capacity.documents import OTHER_SUBMITTER, SUBMITTER


class Store:
    """Stands for the transaction: notes what shared one, fails as it is told."""

    def __init__(self) -> None:
        self.calls: list[tuple[Principal, int]] = []
        self.gate = threading.Event()
        self.poison = b""
        self.away = False

    def __call__(
        self, _: Any, documents: Sequence[bytes], principal: Principal, now: datetime
    ) -> list[Verdict]:
        self.gate.wait(10)
        self.calls.append((principal, len(documents)))
        if self.away:
            raise UnavailableError("away", 7)
        if self.poison and self.poison in documents:
            raise RuntimeError("poisoned")
        return [Verdict(index, str(document), "stored", "stored") for index, document in enumerate(documents)]


class TestIntake:
    @pytest.fixture
    def store(self, monkeypatch: pytest.MonkeyPatch) -> Store:
        store = Store()
        monkeypatch.setattr(intake_module, "accept", store)
        return store

    def run(self, store: Store, *documents: tuple[bytes, Principal]) -> list[Any]:
        async def work() -> list[Any]:
            intake = Intake(None, lambda: datetime.now(UTC), 30)  # type: ignore[arg-type]
            intake.start()
            waiting = [asyncio.ensure_future(intake.one(*one)) for one in documents]
            await asyncio.sleep(0.05)
            store.gate.set()
            found = await asyncio.gather(*waiting, return_exceptions=True)
            await intake.stop()
            return found

        return asyncio.run(work())

    def test_what_waits_shares_a_transaction_by_principal(self, store: Store) -> None:
        documents = [(b"%d" % number, SUBMITTER if number % 3 else OTHER_SUBMITTER) for number in range(30)]
        found = self.run(store, *documents)
        assert [verdict.id for verdict in found] == [str(document) for document, _ in documents]
        assert len(store.calls) <= 4
        assert sum(size for principal, size in store.calls if principal == OTHER_SUBMITTER) == 10

    def test_one_that_breaks_does_not_fail_its_neighbours(self, store: Store) -> None:
        store.poison = b"13"
        found = self.run(store, *[(b"%d" % number, SUBMITTER) for number in range(20)])
        assert [type(one) for one in found].count(RuntimeError) == 1
        assert isinstance(found[13], RuntimeError)
        assert sum(isinstance(one, Verdict) for one in found) == 19

    def test_a_database_that_is_away_is_told_to_all_at_once(self, store: Store) -> None:
        store.away = True
        found = self.run(store, *[(b"%d" % number, SUBMITTER) for number in range(600)])
        assert all(isinstance(one, UnavailableError) and one.retry_after_s == 7 for one in found)
        assert len(store.calls) <= 2  # those behind the failure were not tried one batch after the other

    def test_whoever_goes_away_leaves_the_others_alone(self, store: Store) -> None:
        async def work() -> Verdict:
            intake = Intake(None, lambda: datetime.now(UTC), 30)  # type: ignore[arg-type]
            intake.start()
            gone = asyncio.ensure_future(intake.one(b"gone", SUBMITTER))
            stays = asyncio.ensure_future(intake.one(b"stays", SUBMITTER))
            await asyncio.sleep(0.05)
            gone.cancel()
            store.gate.set()
            found = await stays
            await intake.stop()
            return found

        assert asyncio.run(work()).status == "stored"

    def test_a_database_that_hangs_is_told_in_time(self, store: Store) -> None:
        async def work() -> None:
            intake = Intake(None, lambda: datetime.now(UTC), 0.1)  # type: ignore[arg-type]
            intake.start()
            for found in (intake.one(b"one", SUBMITTER), intake.many([b"two"], SUBMITTER)):
                with pytest.raises(UnavailableError, match="send it again"):
                    await found
            store.gate.set()
            await intake.stop()

        asyncio.run(work())
