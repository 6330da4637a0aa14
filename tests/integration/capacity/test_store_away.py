"""A store that is full, away or hangs: what was not kept is told as "try again later", and later it goes on."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import event, text

from capacity.api.intake import Intake
from capacity.errors import UnavailableError
from capacity.service.ingest import accept
from capacity.store import profiles
from capacity.store.database import Database
from tests.integration.capacity.faulty_store import is_whole, own_server, upgrade
from tests.lab import LabUnavailableError, need_root, skip_or_fail
from tests.unit.capacity.documents import EVERYWHERE, NOW, SITE, node, profile

pytestmark = pytest.mark.lab


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

        is_whole(database, acknowledged + later)
        database.close()


def test_postgresql_on_a_full_disk_says_so_and_goes_on_when_there_is_room() -> None:
    with (
        tempfile.TemporaryDirectory(prefix="sitecap-disk-") as name,
        _small_disk((folder := Path(name)) / "disk", 48),
        own_server() as server,
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

        is_whole(database, acknowledged + later)
        database.close()


def test_a_database_that_is_away_is_told_and_used_again_when_it_is_back() -> None:
    with own_server() as server:
        url = server.create()
        upgrade(url)
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
    with own_server() as server:
        url = server.create()
        upgrade(url)
        database = Database(url)
        accept(database, [profile()], EVERYWHERE, NOW)
        hanging, waiting, bulk = (profile(node_id=node(number)) for number in (2, 3, 4))

        async def hand_in() -> None:
            intake = Intake(database, lambda: NOW, answer_s=0.5)
            intake.start()
            server.pause()
            try:
                found = await asyncio.gather(
                    intake.one(hanging, EVERYWHERE),
                    intake.one(waiting, EVERYWHERE),
                    intake.many([bulk], EVERYWHERE),
                    return_exceptions=True,
                )
            finally:
                server.resume()
            assert [str(one)[:34] for one in found] == ["the database did not answer within"] * 3
            await intake.stop()

        asyncio.run(hand_in())

        told = accept(database, [hanging, waiting, bulk], EVERYWHERE, NOW)
        assert {verdict.status for verdict in told} <= {"stored", "duplicate"}
        is_whole(database, [verdict.id or "" for verdict in told])
        database.close()


def test_a_locked_sqlite_is_told_and_not_a_traceback(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/capacity.sqlite"
    upgrade(url)
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
