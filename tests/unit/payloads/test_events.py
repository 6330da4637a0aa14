"""Event sets: made once, mapped ever after; whatever befalls the cache, the events are the right ones."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from payloads import compiled, events
from payloads.arrays import one_event
from payloads.errors import PayloadError
from payloads.events import EventKey, default_place, get_or_make, join
from payloads.store import MANIFEST, Store
from tests.unit.payloads.toy import simulated

KEY = EventKey("numbers", 50, 7, 3)


@pytest.fixture(autouse=True)
def made(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The toy's simulation in place of the compiled one; the events that it was asked for."""
    asked: list[int] = []

    def simulate(section: str, pile_up: float, seed: int, first_event: int = 0, events: int = 1) -> Any:
        asked.append(first_event)
        return simulated(section, pile_up, seed, first_event, events)

    monkeypatch.setattr(compiled, "simulate", simulate)
    monkeypatch.setattr(events, "simulation_version", lambda: 1)
    return asked


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "cache", "maker", 10**6)


def test_made_once_then_mapped(store: Store, made: list[int]) -> None:
    first = get_or_make(KEY, [store], threads=2)
    assert (first.origin, sorted(made), first.said) == ("made", [0, 1, 2], ())
    again = get_or_make(KEY, [store])
    assert (again.origin, again.digest, len(made)) == ("cache", first.digest, 3)
    assert again.directory is not None


def test_events_made_one_by_one_are_those_of_one_run() -> None:
    whole = simulated("numbers", 50, 7, 0, 3)
    found = events.make(KEY, threads=3)
    assert found.keys() == whole.keys()
    for name, column in whole.items():
        assert found[name].dtype == column.dtype
        np.testing.assert_array_equal(found[name], column)
    np.testing.assert_array_equal(one_event(found, 2)["number_value"], one_event(whole, 2)["number_value"])


@pytest.mark.parametrize("other", [{"seed": 8}, {"pile_up": 60.0}, {"count": 2}])
def test_another_key_is_another_set(store: Store, other: dict[str, Any]) -> None:
    first = get_or_make(KEY, [store])
    assert get_or_make(EventKey(**{**KEY.__dict__, **other}), [store]).digest != first.digest


def test_a_damaged_cache_is_said_and_made_again(store: Store) -> None:
    first = get_or_make(KEY, [store])
    assert first.directory is not None
    path = first.directory / "number_value.npy"
    path.write_bytes(path.read_bytes()[:-5])
    again = get_or_make(KEY, [store])
    assert again.origin == "made"
    assert again.digest == first.digest
    assert "damaged" in again.said[0]
    assert get_or_make(KEY, [store]).origin == "cache"


def test_a_new_simulation_makes_new_events(store: Store) -> None:
    get_or_make(KEY, [store])
    newer = Store(store.directory, "maker 2", 10**6)
    again = get_or_make(KEY, [newer])
    assert again.origin == "made"
    assert "another version or build" in again.said[0]


def test_a_place_that_takes_nothing_is_said_and_the_next_one_used(tmp_path: Path, store: Store) -> None:
    (tmp_path / "file").write_text("")
    nowhere = Store(tmp_path / "file" / "cache", "maker", 10**6)
    found = get_or_make(KEY, [nowhere, store])
    assert found.directory == store.directory / KEY.name
    assert "nothing can be kept" in found.said[0]
    alone = get_or_make(KEY, [nowhere])
    assert alone.directory is None
    assert alone.digest == found.digest


def test_what_lies_where_others_write_is_neither_believed_nor_removed(store: Store, made: list[int]) -> None:
    kept = get_or_make(KEY, [store])
    store.directory.chmod(0o777)
    found = get_or_make(KEY, [store])
    assert (found.origin, found.digest, len(made)) == ("made", kept.digest, 6)
    assert all("only this user writes to" in sentence for sentence in found.said)
    assert (store.directory / KEY.name / MANIFEST).is_file()


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes into read-only directories")
def test_a_read_only_home(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir(mode=0o500)
    found = get_or_make(KEY, [Store(tmp_path / "home" / "cache", "maker", 10**6)])
    assert found.directory is None
    assert "Permission denied" in found.said[0]


def test_what_the_simulation_refuses_is_one_sentence(store: Store) -> None:
    with pytest.raises(PayloadError, match="no section 'nowhere'"):
        get_or_make(EventKey("nowhere", 50, 7, 1), [store])


def test_parts_that_do_not_belong_together_are_refused() -> None:
    one = {"a_offset": np.array([0, 1], np.int32), "a_x": np.zeros(1), "frame": np.zeros(2)}
    with pytest.raises(ValueError, match="frame belongs to all events"):
        join([one, {**one, "frame": np.ones(2)}])
    with pytest.raises(ValueError, match="same columns"):
        join([one, {"a_offset": one["a_offset"]}])


@pytest.mark.parametrize(
    ("environment", "place"),
    [
        ({"HOME": "/home/x"}, "/home/x/.cache/sitecap"),
        ({"HOME": "/home/x", "XDG_CACHE_HOME": "/c"}, "/c/sitecap"),
        ({"HOME": "/home/x", "XDG_CACHE_HOME": "relative"}, "/home/x/.cache/sitecap"),
        ({"HOME": "/home/x", "_CONDOR_SCRATCH_DIR": "/scratch"}, f"/scratch/sitecap-{os.getuid()}"),
        ({"HOME": "/home/x", "TMPDIR": "/t", "SLURM_JOB_ID": "1"}, f"/t/sitecap-{os.getuid()}"),
        ({"HOME": "/home/x", "TMPDIR": "/t"}, "/home/x/.cache/sitecap"),
    ],
)
def test_a_batch_slot_keeps_them_in_its_scratch(environment: dict[str, str], place: str) -> None:
    assert default_place(environment) == Path(place)
