"""Which older manifest is a roll-back and which a Stratum-1 that lags and says so; and what a status file says."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from probes.cvmfs.ages import Remembered, Seen, newest, parse_breadcrumb, rolled_back
from probes.cvmfs.faults import FaultError
from probes.cvmfs.geo import parse_order
from probes.cvmfs.signed import parse_manifest
from probes.cvmfs.trust import parse_status
from tests.lab.cvmfs_repository import Repository

NAME = "lab.example.org"
DAY_S = 86_400
NOW_S = datetime(2026, 6, 15, 12, tzinfo=UTC).timestamp()


def _seen(
    days_ago: float, revision: int, *, server: str = "a", snapshot_days_ago: float | None = 0.0
) -> Seen:
    published = datetime.fromtimestamp(NOW_S - days_ago * DAY_S, UTC)
    manifest = parse_manifest(Repository().objects[".cvmfspublished"], NAME)
    copied_s = None if snapshot_days_ago is None else NOW_S - snapshot_days_ago * DAY_S
    return Seen(
        server, replace(manifest, revision=revision, published_s=int(published.timestamp())), copied_s
    )


def test_the_newest_is_the_one_published_last() -> None:
    seen = [_seen(3, 9), _seen(1, 7), _seen(2, 8)]
    assert newest(seen) is seen[1]
    assert newest([]) is None


def test_a_server_that_copied_since_and_still_has_the_old_one_rolls_back() -> None:
    new, old = _seen(2, 42), _seen(5, 41, server="b")
    assert rolled_back(new, [new, old], None, NOW_S) is None
    said = rolled_back(old, [new, old], None, NOW_S)
    assert said is not None
    assert "revision 41 of 2026-06-10" in said
    assert "revision 42 of 2026-06-13" in said


def test_a_server_that_says_that_it_did_not_copy_since_lags() -> None:
    new, old = _seen(2, 42), _seen(8, 41, server="b", snapshot_days_ago=7)
    assert rolled_back(old, [new, old], None, NOW_S) is None


def test_a_revision_just_out_is_not_held_against_anybody() -> None:
    new, old = _seen(0.2, 42), _seen(5, 41, server="b")
    assert rolled_back(old, [new, old], None, NOW_S) is None


def test_a_server_that_says_nothing_of_its_age_has_no_excuse() -> None:
    new, old = _seen(2, 42), _seen(5, 41, server="b", snapshot_days_ago=None)
    assert rolled_back(old, [new, old], None, NOW_S) is not None


def test_the_same_server_another_way_is_no_matter_of_its_age() -> None:
    new, old = _seen(2, 42), _seen(8, 41, snapshot_days_ago=7)
    said = rolled_back(old, [new, old], None, NOW_S)
    assert said is not None
    assert "something in between" in said


@pytest.mark.parametrize(
    ("remembered_days_ago", "expected"), [(2, True), (5, False), (9, False), (0.1, False), (-1, False)]
)
def test_what_the_client_of_this_node_remembers(remembered_days_ago: float, expected: bool) -> None:
    mine = _seen(5, 41)
    remembered = Remembered(int(NOW_S - remembered_days_ago * DAY_S), None)
    assert (rolled_back(mine, [mine], remembered, NOW_S) is not None) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ab" * 20 + "T1700000000R42", Remembered(1_700_000_000, 42)),
        ("ab" * 20 + "-rmd160T1700000000", Remembered(1_700_000_000, None)),
        ("ab" * 20, None),
        ("", None),
        ("T1R2", None),
    ],
)
def test_the_clients_breadcrumb(text: str, expected: Remembered | None) -> None:
    assert parse_breadcrumb(text) == expected


def test_a_status_file() -> None:
    when = datetime(2023, 8, 26, 22, 2, 3, tzinfo=UTC).timestamp()
    assert parse_status(b'{"last_snapshot": "Sat Aug 26 22:02:03 UTC 2023", "last_gc": ""}') == (when, False)
    assert parse_status(b'{"last_snapshot": "Sat Aug  5 22:02:03 UTC 2023"}')[1] is False
    assert parse_status(b'{"snapshotting_since": "Sat Aug 26 22:02:03 UTC 2023"}') == (None, True)


@pytest.mark.parametrize(
    "content",
    [b"", b"<html>", b"[]", b"{}", b'{"last_snapshot": 3}', b'{"last_snapshot": "Sat Aug 99 22:02:03 UTC 2023"}',
     b"[" * 50_000, b'{"last_snapshot": "Sat Xyz 26 22:02:03 UTC 2023"}', b"\xff"],
)  # fmt: skip
def test_a_status_file_that_is_none(content: bytes) -> None:
    with pytest.raises(FaultError) as caught:
        parse_status(content)
    assert caught.value.name == "not-a-status"


def test_an_order_of_servers() -> None:
    assert parse_order(b"2,1,3\n", 3) == (2, 1, 3)
    for wrong in (b"", b"1,2", b"1,1,2", b"1,2,4", b"<html>", b"1,2,3,4"):
        with pytest.raises(FaultError):
            parse_order(wrong, 3)
