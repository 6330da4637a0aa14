"""Whatever dies or fills up: what was acknowledged is there, once; what was not is told as "try again later"."""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, Self

import pytest
from sqlalchemy import event, text

from capacity.errors import UnavailableError
from capacity.service.ingest import accept
from capacity.store import checking, nodes, profiles
from capacity.store.database import Database
from capacity.store.group import GroupCommit
from tests.lab import LabUnavailableError, need_root, skip_or_fail
from tests.lab.postgres import Server, running
from tests.unit.capacity.documents import EVERYWHERE, NOW, SITE, node, profile

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


def _is_whole(database: Database, acknowledged: list[str]) -> None:
    assert len(set(acknowledged)) == len(acknowledged)
    assert checking.complaints(database, documents=True) == []
    with database.reading() as session:
        assert profiles.known(session, acknowledged).keys() == set(acknowledged)
        found = session.execute(
            text("SELECT id, count(*) FROM profile GROUP BY id HAVING count(*) > 1")
        ).all()
    assert found == []


@pytest.fixture(params=["sqlite", "postgresql"])
def disk_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database on the disk, with a server of its own where it has one."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path}/capacity.sqlite"
        _upgrade(url)
        yield url
        return
    with _own_server() as server:
        url = server.create()
        _upgrade(url)
        yield url


@contextlib.contextmanager
def _own_server(where: Path | None = None) -> Iterator[Server]:
    try:
        with running(where=where) as server:
            yield server
    except LabUnavailableError as error:
        skip_or_fail(error)


def _upgrade(url: str) -> None:
    database = Database(url)
    database.upgrade()
    database.close()


def test_a_service_that_is_killed_loses_and_doubles_nothing(disk_url: str) -> None:
    choose = random.Random()
    with Service(disk_url) as service:
        for _ in range(KILLS):
            service.start()
            service.wait()
            time.sleep(choose.uniform(0, 0.3))
            service.kill()

    database = Database(disk_url)
    _is_whole(database, service.acknowledged)
    assert len(service.acknowledged) >= KILLS
    database.close()


def test_a_postgresql_that_is_killed_loses_and_doubles_nothing() -> None:
    choose = random.Random()
    with _own_server() as server:
        url = server.create()
        _upgrade(url)
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
        _is_whole(database, service.acknowledged)
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
    _is_whole(database, first.acknowledged + second.acknowledged)
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


def _fill(database: Database, most: int = 3000) -> list[str]:
    """Ingest until it says that there is no room; what was acknowledged."""
    kept: list[str] = []
    for _ in range(most):
        documents = [profile(of_later=os.urandom(20_000).hex()) for _ in range(5)]
        try:
            kept += [verdict.id or "" for verdict in accept(database, documents, EVERYWHERE, NOW)]
        except UnavailableError as error:
            told = error
            break
    else:
        raise AssertionError("it never filled up")
    assert "has no room" in str(told)
    assert told.retry_after_s >= 10
    return kept


@contextlib.contextmanager
def _small_disk(path: Path, mebibytes: int) -> Iterator[None]:
    try:
        need_root()
    except LabUnavailableError as error:
        skip_or_fail(error)
    path.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={mebibytes}m,mode=777", "small", path],
        capture_output=True,
        text=True,
    )
    if done.returncode:
        skip_or_fail(LabUnavailableError(f"no tmpfs may be mounted here: {done.stderr.strip()}"))
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", path], check=True)


def test_sqlite_on_a_full_disk_says_so_and_goes_on_when_there_is_room(tmp_path: Path) -> None:
    with _small_disk(tmp_path / "disk", 8):
        ballast = tmp_path / "disk" / "ballast"
        ballast.write_bytes(bytes(4 << 20))
        database = Database(f"sqlite:///{tmp_path}/disk/capacity.sqlite")
        database.upgrade()

        acknowledged = _fill(database)
        assert acknowledged
        with database.reading() as session:
            assert profiles.known(session, acknowledged).keys() == set(acknowledged)
        ballast.unlink()
        later = [verdict.id or "" for verdict in accept(database, [profile()], EVERYWHERE, NOW)]

        _is_whole(database, acknowledged + later)
        database.close()


def test_postgresql_on_a_full_disk_says_so_and_goes_on_when_there_is_room() -> None:
    with (
        tempfile.TemporaryDirectory(prefix="sitecap-disk-") as name,
        _small_disk((folder := Path(name)) / "disk", 48),
        _own_server() as server,
    ):
        folder.chmod(0o755)  # the server runs as another user
        ballast = folder / "disk" / "ballast"
        ballast.write_bytes(bytes(16 << 20))
        place = folder / "disk" / "space"
        place.mkdir()
        if os.geteuid() == 0:
            shutil.chown(place, "postgres", "postgres")
        admin = Database(server.url())
        with admin.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text(f"CREATE TABLESPACE small LOCATION '{place}'"))
            connection.execute(text("CREATE DATABASE small TABLESPACE small"))
        admin.close()
        database = Database(server.url("small"))
        database.upgrade()

        acknowledged = _fill(database)
        assert acknowledged
        ballast.unlink()
        later = [verdict.id or "" for verdict in accept(database, [profile()], EVERYWHERE, NOW)]

        _is_whole(database, acknowledged + later)
        database.close()


def test_a_database_that_is_away_is_told_and_used_again_when_it_is_back() -> None:
    with _own_server() as server:
        url = server.create()
        _upgrade(url)
        database = Database(url)
        before, lost = profile(), profile(node_id=node(2))
        assert accept(database, [before], EVERYWHERE, NOW)[0].status == "stored"

        server.stop()
        for _ in range(3):
            with pytest.raises(UnavailableError, match="cannot be asked now") as caught:
                accept(database, [lost], EVERYWHERE, NOW)
            assert caught.value.retry_after_s > 0
        with pytest.raises(UnavailableError):
            database.ping()
        server.start()

        database.ping()
        told = accept(database, [before, lost], EVERYWHERE, NOW + timedelta(minutes=1))
        assert [verdict.status for verdict in told] == ["duplicate", "stored"]
        database.close()


def test_behind_a_database_that_hangs_others_are_told_in_time() -> None:
    with _own_server() as server:
        url = server.create()
        _upgrade(url)
        database = Database(url)
        accept(database, [profile()], EVERYWHERE, NOW)
        database.intake = GroupCommit(database._keep, patience_s=0.5)
        hanging, waiting = profile(node_id=node(2)), profile(node_id=node(3))
        server.pause()
        first = threading.Thread(target=accept, args=(database, [hanging], EVERYWHERE, NOW))
        first.start()
        try:
            while not database.intake._turn.locked():
                time.sleep(0.01)
            with pytest.raises(UnavailableError, match="has not answered for"):
                accept(database, [waiting], EVERYWHERE, NOW)
        finally:
            server.resume()
            first.join()

        told = accept(database, [hanging, waiting], EVERYWHERE, NOW)
        assert [verdict.status for verdict in told] == ["duplicate", "stored"]
        _is_whole(database, [verdict.id or "" for verdict in told])
        database.close()


def test_a_locked_sqlite_is_told_and_not_a_traceback(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/capacity.sqlite"
    _upgrade(url)
    holder, waiting = Database(url), Database(url)
    event.listen(
        waiting.engine, "connect", lambda connection, _: connection.execute("PRAGMA busy_timeout=50")
    )
    with holder.session() as session:
        profiles.count(session)
        with pytest.raises(UnavailableError, match="locked"):
            accept(waiting, [profile()], EVERYWHERE, NOW)

    assert accept(waiting, [profile(site=SITE)], EVERYWHERE, NOW)[0].status == "stored"
    holder.close()
    waiting.close()
