"""Whatever dies or fills up: what was acknowledged is there, once; what was not is told as "try again later"."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import pytest

from capacity.service.ingest import accept
from capacity.store import nodes
from capacity.store.database import Database
from tests.integration.capacity.faulty_store import is_whole, own_server, upgrade
from tests.unit.capacity.documents import EVERYWHERE, NOW, node, profile

pytestmark = pytest.mark.lab

KILLS = int(os.environ.get("SITECAP_KILLS", "10"))
"""How often something is killed in each test; 100 is what the project promises."""


class Service:
    """Something that ingests without end, can be killed and started again, and what it had acknowledged."""

    def __init__(self, url: str) -> None:
        self._nursery = subprocess.Popen(
            [sys.executable, "-m", "tests.integration.capacity.ingesting_child", url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._pid: int | None = None
        self.acknowledged: list[str] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._nursery.kill()
        self._nursery.wait()
        for stream in (self._nursery.stdin, self._nursery.stdout):
            assert stream is not None
            stream.close()

    def start(self) -> None:
        assert self._nursery.stdin is not None
        self._nursery.stdin.write("start\n")
        self._nursery.stdin.flush()
        self._pid = self._line()["pid"]

    def wait(self) -> None:
        """Until one more request is acknowledged."""
        found = self._line()
        assert isinstance(found, list), found
        self.acknowledged += found

    def kill(self) -> None:
        """Kill it, and take note of all that it still acknowledged."""
        assert self._pid is not None
        os.kill(self._pid, signal.SIGKILL)
        while (found := self._line()) != "ended":
            self.acknowledged += found

    def _line(self) -> Any:
        assert self._nursery.stdout is not None
        return json.loads(self._nursery.stdout.readline())


@pytest.fixture(params=["sqlite", "postgresql"])
def disk_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database on the disk, with a server of its own where it has one."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path}/capacity.sqlite"
        upgrade(url)
        yield url
        return
    with own_server() as server:
        url = server.create()
        upgrade(url)
        yield url


def test_a_service_that_is_killed_loses_and_doubles_nothing(disk_url: str) -> None:
    choose = random.Random()
    with Service(disk_url) as service:
        for _ in range(KILLS):
            service.start()
            service.wait()
            time.sleep(choose.uniform(0, 0.3))
            service.kill()

    database = Database(disk_url)
    is_whole(database, service.acknowledged)
    assert len(service.acknowledged) >= KILLS
    database.close()


def test_a_postgresql_that_is_killed_loses_and_doubles_nothing() -> None:
    choose = random.Random()
    with own_server() as server:
        url = server.create()
        upgrade(url)
        with Service(url) as service:
            service.start()
            service.wait()
            for _ in range(KILLS):
                time.sleep(choose.uniform(0, 0.3))
                server.kill()
                server.start()
                service.wait()
            service.kill()

        database = Database(url)
        is_whole(database, service.acknowledged)
        database.close()


def test_two_services_on_one_database_store_each_once(disk_url: str) -> None:
    with Service(disk_url) as first, Service(disk_url) as second:
        for service in (first, second):
            service.start()
        for _ in range(25):
            first.wait()
            second.wait()
        for service in (first, second):
            service.kill()

    database = Database(disk_url)
    is_whole(database, first.acknowledged + second.acknowledged)
    database.close()


def test_two_refreshers_never_get_the_same_node(disk_url: str) -> None:
    first, second = Database(disk_url), Database(disk_url)
    accept(first, [profile(node_id=node(number)) for number in range(300)], EVERYWHERE, NOW)
    taken: list[tuple[str, str]] = []

    def take(database: Database) -> None:
        while True:
            with database.session() as session:
                found = nodes.take_pending(session, 7, NOW)
            if not found:
                return
            taken.extend((one.site, one.node_id) for one in found)

    threads = [threading.Thread(target=take, args=(database,)) for database in (first, second, first)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    while len(taken) < 300:  # one that was locked by another was left out
        take(first)

    assert len(taken) == len(set(taken)) == 300
    first.close()
    second.close()
