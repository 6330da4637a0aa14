"""Old profiles go into the archive; whatever happens on the way, each is in one place and can be read."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest
from pyarrow import dataset

from capacity import archive
from capacity.errors import ConflictError, UnavailableError
from capacity.fleet.received_profile import ReceivedProfile
from capacity.service import retention
from capacity.service.ingest import accept
from capacity.store import archive as records
from capacity.store import checking, nodes, profiles
from capacity.store.database import Database
from tests.unit.capacity.documents import EVERYWHERE, NOW, OTHER_SITE, SITE, node, profile
from tests.unit.capacity.store.kept import newest, save, state, take

DAY = timedelta(days=1)


@pytest.fixture
def documents(database: Database) -> dict[str, bytes]:
    """Nine profiles of two sites, received over three days, all in the state of their nodes: id → document."""
    kept: dict[str, bytes] = {}
    for days_ago in (4, 3, 0):
        at = NOW - days_ago * DAY
        batch = [
            profile(site=site, node_id=node(number), created_at=at, of_later="é" * number)
            for site, number in ((SITE, 1), (SITE, 2), (OTHER_SITE, 1))
        ]
        for document, verdict in zip(batch, accept(database, batch, EVERYWHERE, at), strict=True):
            assert verdict.id is not None
            kept[verdict.id] = document
    _absorb(database)
    return kept


def _absorb(database: Database) -> None:
    for taken in take(database):
        assert save(database, state(int(taken.node_id, 16), taken.site), taken, newest(database, taken))


def _everywhere(database: Database, folder: Path) -> dict[str, list[str]]:
    """Where each profile is: "database", or the path of a recorded file."""
    found: dict[str, list[str]] = {}
    with database.reading() as session:
        for line in nodes.summaries(session):
            for head in profiles.heads_of_node(session, line.site, line.node_id):
                found.setdefault(head.id, []).append("database")
        for file in records.files(session):
            for row in archive.read(folder / file.path):
                found.setdefault(row.id, []).append(file.path)
    return found


def _is_whole(database: Database, folder: Path, documents: dict[str, bytes]) -> None:
    places = _everywhere(database, folder)
    assert places.keys() == documents.keys()
    assert all(len(where) == 1 for where in places.values()), places
    for one, document in documents.items():
        assert retention.document(database, folder, one) == document
    assert checking.complaints(database, documents=True) == []


def test_old_profiles_move_to_files_by_day_and_site(
    database: Database, documents: dict[str, bytes], tmp_path: Path
) -> None:
    moved = retention.move_old(database, tmp_path, 2, NOW)

    assert (moved.files, moved.profiles, moved.set_aside) == (4, 6, ())
    assert sorted(path.rpartition("/")[0] for path in archive.files(tmp_path)) == [
        "day=2026-11-19/site=T1_DE_Other",
        "day=2026-11-19/site=T2_LV_Example",
        "day=2026-11-20/site=T1_DE_Other",
        "day=2026-11-20/site=T2_LV_Example",
    ]
    _is_whole(database, tmp_path, documents)
    assert retention.complaints(database, tmp_path) == []
    assert retention.move_old(database, tmp_path, 2, NOW).profiles == 0


def test_the_archive_is_one_table_for_other_engines(
    database: Database, documents: dict[str, bytes], tmp_path: Path
) -> None:
    retention.move_old(database, tmp_path, 2, NOW)

    table = dataset.dataset(tmp_path, partitioning=archive.PARTITIONS, exclude_invalid_files=True).to_table(
        filter=(dataset.field("site") == SITE) & (dataset.field("day") == date(2026, 11, 20))
    )

    assert table.num_rows == 2
    for row in table.to_pylist():
        assert row["document"].encode() == documents[row["id"]]
        assert row["received_at"] == NOW - 3 * DAY


def test_what_is_archived_is_still_known(
    database: Database, documents: dict[str, bytes], tmp_path: Path
) -> None:
    retention.move_old(database, tmp_path, 2, NOW)

    verdicts = accept(database, list(documents.values()), EVERYWHERE, NOW)
    changed = next(iter(documents.values()))[:-1] + b', "of_later": 1}'

    assert {verdict.status for verdict in verdicts} == {"duplicate"}
    assert accept(database, [changed], EVERYWHERE, NOW)[0].status == "conflict"
    _is_whole(database, tmp_path, documents)


def test_what_no_refresher_has_read_stays(database: Database, tmp_path: Path) -> None:
    accept(database, [profile()], EVERYWHERE, NOW - 9 * DAY)

    assert retention.move_old(database, tmp_path, 2, NOW).profiles == 0
    _absorb(database)
    assert retention.move_old(database, tmp_path, 2, NOW).profiles == 1


def test_files_are_cut_by_number_and_by_bytes(
    database: Database, documents: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "ROWS_OF_A_FILE", 1)
    assert retention.move_old(database, tmp_path, 3, NOW).files == 3

    monkeypatch.setattr(retention, "ROWS_OF_A_FILE", 1000)
    monkeypatch.setattr(retention, "BYTES_OF_A_FILE", 1)
    assert retention.move_old(database, tmp_path, 2, NOW).files == 3
    _is_whole(database, tmp_path, documents)


class _PulledError(BaseException):
    """The plug."""


@pytest.mark.parametrize("where", ["before", "after"])
def test_a_crash_on_either_side_of_the_commit_loses_and_doubles_nothing(
    database: Database,
    documents: dict[str, bytes],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    where: str,
) -> None:
    whole = records.move

    def pulled(session: object, *args: object) -> None:
        if where == "after":
            whole(session, *args)
            session.commit()
        raise _PulledError

    monkeypatch.setattr(records, "move", pulled)
    with pytest.raises(_PulledError):
        retention.move_old(database, tmp_path, 2, NOW)
    monkeypatch.setattr(records, "move", whole)
    _is_whole(database, tmp_path, documents)
    if where == "before":
        assert len(retention.unrecorded(database, tmp_path)) == 1
        assert "is not known to the database" in retention.complaints(database, tmp_path)[0]

    moved = retention.move_old(database, tmp_path, 2, NOW)

    assert moved.profiles == (6 if where == "before" else 5)
    assert moved.set_aside == ()
    assert retention.unrecorded(database, tmp_path) == []
    _is_whole(database, tmp_path, documents)


def test_half_a_file_is_taken_away(
    database: Database, documents: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def pulled(*_args: object, **_more: object) -> None:
        raise _PulledError

    monkeypatch.setattr("capacity.archive._compare", pulled)
    with pytest.raises(_PulledError):
        retention.move_old(database, tmp_path, 2, NOW)
    assert len(list(archive.unfinished(tmp_path))) == 1
    monkeypatch.undo()

    assert retention.move_old(database, tmp_path, 2, NOW).profiles == 6
    assert list(archive.unfinished(tmp_path)) == []
    _is_whole(database, tmp_path, documents)


def test_two_that_archive_the_same_move_it_once(
    database: Database, documents: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with retention._alone(tmp_path), pytest.raises(ConflictError, match="another run"):
        retention.move_old(database, tmp_path, 2, NOW)

    # On another machine the lock of the folder may not be seen.
    whole = records.move

    def after_the_other(session: object, *args: object) -> None:
        monkeypatch.setattr(records, "move", whole)
        with pytest.raises(ConflictError, match="another service"):
            whole(session, args[0], [*args[1], 10**9])
        raise ConflictError("another service archives the same profiles")

    monkeypatch.setattr(records, "move", after_the_other)
    with pytest.raises(ConflictError):
        retention.move_old(database, tmp_path, 2, NOW)
    _is_whole(database, tmp_path, documents)


def test_a_file_that_a_restored_database_does_not_know_is_set_aside(
    database: Database, documents: dict[str, bytes], tmp_path: Path
) -> None:
    retention.move_old(database, tmp_path, 2, NOW)
    stray = tmp_path / "day=2026-11-01/site=T2_LV_Example/000000000001-000000000001.parquet"
    row = ReceivedProfile(1, "x", node(1), NOW, NOW, NOW, "somebody", "0" * 32, b"{}")
    archive.write(tmp_path, stray.relative_to(tmp_path).as_posix(), [row])

    moved = retention.move_old(database, tmp_path, 2, NOW)

    assert len(moved.set_aside) == 1
    assert [line.id for line in archive.read(tmp_path / moved.set_aside[0])] == ["x"]
    assert retention.complaints(database, tmp_path) == []
    _is_whole(database, tmp_path, documents)


def test_a_changed_or_missing_file_is_told(
    database: Database, documents: dict[str, bytes], tmp_path: Path
) -> None:
    retention.move_old(database, tmp_path, 2, NOW)
    first, second, *_ = (tmp_path / path for path in archive.files(tmp_path))
    first.write_bytes(first.read_bytes() + b"x")
    (gone,) = [row.id for row in archive.read(second)][:1]
    second.unlink()

    said = retention.complaints(database, tmp_path)

    assert len(said) == 2
    assert "was changed" in said[0]
    assert "are not where they were archived" in said[1]
    with pytest.raises(archive.ArchiveError, match="restore it from a backup"):
        retention.document(database, tmp_path, gone)


def test_a_folder_that_cannot_be_written_loses_nothing(
    database: Database, documents: dict[str, bytes], tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UnavailableError, match="folder that may be written"):
        retention.move_old(database, tmp_path / "file", 2, NOW)

    (tmp_path / "day=2026-11-19").write_text("")
    with pytest.raises(archive.ArchiveError, match="nothing was taken out"):
        retention.move_old(database, tmp_path, 2, NOW)
    (tmp_path / "day=2026-11-19").unlink()
    _is_whole(database, tmp_path, documents)


def test_a_profile_that_never_came_is_nowhere(database: Database, tmp_path: Path) -> None:
    assert retention.document(database, tmp_path, "01a2060c-623b-7a68-b6e7-0716dfc53daa") is None
