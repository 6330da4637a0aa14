"""The background worker: does what waits, survives what fails, ends when it is told."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from capacity import refresher as refresher_module
from capacity.config import load
from capacity.errors import UnavailableError
from capacity.refresher import Refresher
from capacity.service.context import Service, make_service
from capacity.store.database import Database
from tests.lab.waiting import until
from tests.unit.capacity.api.conftest import Open
from tests.unit.capacity.documents import SITE, node, profile


@pytest.fixture
def service(database_url: str, tmp_path: Path) -> Iterator[Service]:
    """The parts of a service of which nothing runs yet: the only refresher is the test's own."""
    database = Database(database_url)
    yield make_service(load({"database.url": database_url}, {}).config, database, tmp_path)
    database.close()


def test_what_was_handed_in_is_estimated_without_anybody_asking(open_door: Open) -> None:
    door = open_door(refresh__interval_s=0.05)
    door.post(profile(node_id=node(4)))

    def estimated() -> bool:
        found = door.ask("GET", "/api/v1/nodes", "read").json()["nodes"]
        return bool(found) and found[0]["hs23_per_core"] is not None and found[0]["pending_since"] is None

    until("an estimate", estimated, limit_s=60)
    assert "sitecap_nodes_refreshed_total 1.0" in door.ask("GET", "/metrics", "read").text


@pytest.mark.parametrize("fault", [UnavailableError("away"), RuntimeError("unforeseen")])
def test_a_round_that_fails_is_told_and_tried_again(
    service: Service, monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    rounds, done, failed = [], threading.Event(), []

    def refresh(*_: Any) -> int:
        rounds.append(1)
        if len(rounds) < 3:
            raise fault
        return 7

    monkeypatch.setattr(refresher_module, "refresh_pending", refresh)
    monkeypatch.setattr(refresher_module, "MAX_PAUSE_S", 0.01)
    worker = Refresher(
        service, lambda: 0, lambda nodes: done.set() if nodes == 7 else None, lambda: failed.append(1)
    )
    worker.start()
    assert done.wait(120)
    monkeypatch.undo()
    worker.stop()
    assert len(failed) == 2
    assert not any(thread is worker._thread for thread in threading.enumerate())


def test_a_page_does_not_wait_for_it(open_door: Open) -> None:
    door = open_door(refresh__interval_s=3600)
    door.post(profile(node_id=node(4)))
    state = door.ask("GET", f"/api/v1/nodes/{SITE}/{node(4)}", "read").json()
    assert state["estimate"]["hs23_per_core"] > 0


def test_it_makes_way_only_while_something_comes_in(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    came = [0]
    pauses: list[float] = []
    limits: list[int] = []
    enough = threading.Event()

    def refresh(*given: Any) -> int:
        came[0] += len(pauses) < 3  # something arrives in each round before the third pause
        limits.append(given[3])
        if rounds.__next__() > 20:
            enough.set()
        return 5

    rounds = iter(range(10**6))
    monkeypatch.setattr(refresher_module, "refresh_pending", refresh)
    worker = Refresher(service, lambda: came[0], lambda _: None, lambda: None)
    wait = worker._stop.wait
    monkeypatch.setattr(worker._stop, "wait", lambda pause_s: pauses.append(pause_s) or wait(0.001))
    worker.start()
    assert enough.wait(120)
    worker.stop()
    assert len(pauses) == 4, "the last for what came in the third"
    most = service.config.refresh.batch_nodes
    assert limits[:5] == [most, 2, 2, 2, most]
