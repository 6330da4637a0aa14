"""Kept sets: what was written is what is read, and whatever happened to it in between is noticed."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import numpy as np
import pytest

from payloads.store import MANIFEST, MissingSetError, Store, StoreError, digest_of, read

ARRAYS = {
    "digi_offset": np.array([0, 3, 3, 7], np.int32),
    "digi_adc": np.arange(7, dtype=np.uint16),
    "noise_offset": np.zeros(4, np.int32),
    "noise_row": np.zeros(0, np.uint16),
}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "cache", "maker 1", 10_000)


def test_a_kept_set_comes_back_bit_by_bit_mapped(store: Store) -> None:
    kept = store.put("set", ARRAYS, {"events": 3})
    found = store.get("set")
    assert found.digest == kept.digest == digest_of(ARRAYS)
    assert found.about == {"events": 3}
    assert found.size_bytes == sum(column.nbytes for column in ARRAYS.values())
    for name, column in ARRAYS.items():
        assert found.arrays[name].dtype == column.dtype
        np.testing.assert_array_equal(found.arrays[name], column)
    assert isinstance(found.arrays["digi_adc"], np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        found.arrays["digi_adc"][0] = 1


def test_what_is_not_there_is_no_fault(store: Store) -> None:
    with pytest.raises(MissingSetError):
        store.get("set")


def _flip_a_bit(directory: Path) -> None:
    path = directory / "digi_adc.npy"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


def _cut_off(directory: Path) -> None:
    path = directory / "digi_adc.npy"
    path.write_bytes(path.read_bytes()[:-3])


def _empty(directory: Path) -> None:
    (directory / "digi_adc.npy").write_bytes(b"")


def _without_column(directory: Path) -> None:
    (directory / "digi_adc.npy").unlink()


def _without_manifest(directory: Path) -> None:
    (directory / MANIFEST).unlink()


def _half_manifest(directory: Path) -> None:
    path = directory / MANIFEST
    path.write_text(path.read_text()[:40])


def _of_another_format(directory: Path) -> None:
    path = directory / MANIFEST
    path.write_text(json.dumps({**json.loads(path.read_text()), "format": 99}))


def _climbing_out(directory: Path) -> None:
    path = directory / MANIFEST
    document = json.loads(path.read_text())
    document["columns"]["../../etc/passwd"] = "0"
    path.write_text(json.dumps(document))


def _of_objects(directory: Path) -> None:
    np.save(directory / "digi_adc.npy", np.array([{}], object), allow_pickle=True)


def _of_another_type(directory: Path) -> None:
    np.save(directory / "digi_adc.npy", ARRAYS["digi_adc"].astype(np.int16))


def _a_list(directory: Path) -> None:
    (directory / MANIFEST).write_text("[]")


DAMAGE = (
    _flip_a_bit, _cut_off, _empty, _without_column, _without_manifest, _half_manifest, _of_another_format,
    _climbing_out, _of_objects, _of_another_type, _a_list,
)  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_is_noticed_and_mended_by_keeping_it_again(store: Store, damage: object) -> None:
    damage(store.put("set", ARRAYS, {}).directory)  # type: ignore[operator]
    with pytest.raises(StoreError) as caught:
        store.get("set")
    assert not isinstance(caught.value, MissingSetError)
    assert "\n" not in str(caught.value)
    store.put("set", ARRAYS, {})
    assert store.get("set").digest == digest_of(ARRAYS)


def test_a_set_of_another_maker_is_foreign(store: Store) -> None:
    store.put("set", ARRAYS, {})
    other = Store(store.directory, "maker 2", 10_000)
    with pytest.raises(StoreError, match="another version or build"):
        other.get("set")
    other.put("other", ARRAYS, {})
    assert not (store.directory / "set").exists(), "old makers' sets take up room"


def test_the_least_recently_used_make_room(tmp_path: Path) -> None:
    store = Store(tmp_path, "maker", 2 * sum(column.nbytes for column in ARRAYS.values()) + 700)
    for number, name in enumerate(("a", "b")):
        directory = store.put(name, ARRAYS, {}).directory
        os.utime(directory, (number, number))
    store.get("a")  # now used later than b
    store.put("c", ARRAYS, {})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "c"]


def test_what_is_larger_than_the_bound_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="more than"):
        Store(tmp_path, "maker", 10).put("set", ARRAYS, {})
    assert list(tmp_path.iterdir()) == []


def test_a_killed_writer_leaves_nothing_for_ever(store: Store) -> None:
    store.directory.mkdir()
    for name, age in ((".part-old", 7200), (".part-new", 0)):
        (store.directory / name).mkdir()
        os.utime(store.directory / name, (time.time() - age, time.time() - age))
    store.put("set", ARRAYS, {})
    assert sorted(path.name for path in store.directory.iterdir()) == [".part-new", "set"]


def test_a_directory_that_others_write_to_is_not_believed(store: Store) -> None:
    store.put("set", ARRAYS, {})
    store.directory.chmod(0o777)
    with pytest.raises(StoreError, match="only this user"):
        store.get("set")


def test_a_place_that_is_a_file_takes_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="nothing can be kept"):
        Store(tmp_path / "file" / "cache", "maker", 10_000).put("set", ARRAYS, {})


def test_a_full_disk_leaves_no_half_set(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "save", full)
    with pytest.raises(StoreError, match="No space left"):
        store.put("set", ARRAYS, {})
    assert list(store.directory.iterdir()) == []


def test_unchecked_reading_still_needs_all_columns(store: Store) -> None:
    directory = store.put("set", ARRAYS, {}).directory
    _flip_a_bit(directory)
    assert read(directory, check=False).arrays["digi_adc"][-1] != 6
    _without_column(directory)
    with pytest.raises(StoreError):
        read(directory, check=False)
