"""Right physics or no score."""

from __future__ import annotations

import pytest

from payloads.catalogue import PhysicsRange
from payloads.verify import judge, same_bits

ALLOWED = {
    "efficiency": PhysicsRange(low=0.9, high=1.0, means="found", origin="reference"),
    "fakes": PhysicsRange(low=0.0, high=0.1, means="invented", origin="reference"),
}


def test_within_all_ranges_is_right_and_ends_belong() -> None:
    found = judge(ALLOWED, {"efficiency": 0.9, "fakes": 0.1, "tracks": 71.0}, None)
    assert found.right
    assert found.reason is None
    assert [(metric.name, metric.right) for metric in found.metrics] == [
        ("efficiency", True), ("fakes", True), ("tracks", True),
    ]  # fmt: skip


@pytest.mark.parametrize("value", [0.8999, 1.0001, float("nan"), float("inf"), None])
def test_outside_or_no_number_or_absent_is_wrong(value: float | None) -> None:
    measured = {"fakes": 0.0} if value is None else {"fakes": 0.0, "efficiency": value}
    found = judge(ALLOWED, measured, None)
    assert not found.right
    assert "efficiency" in (found.reason or "")
    assert "0.9 to 1" in (found.reason or "")


def test_differing_from_the_reference_is_wrong_whatever_the_ranges_say() -> None:
    found = judge(ALLOWED, {"efficiency": 0.95, "fakes": 0.05}, "3 of 900 tracks")
    assert not found.right
    assert found.reason == "differs from the reference: 3 of 900 tracks"


def test_a_copy_with_other_bits_is_named() -> None:
    assert same_bits("aa", [("copy 1", "aa", True), ("copy 2", "aa", True)]) is None
    assert "copy 2 computed other bits (ab)" in (
        same_bits("aa", [("copy 1", "aa", True), ("copy 2", "ab", True)]) or ""
    )
    assert "copy 1 did not compute the same bits" in (same_bits("aa", [("copy 1", "aa", False)]) or "")
