"""Copies: whole cores of what is granted, one a physical core first."""

from __future__ import annotations

from payloads.placement import copies_granted, curve, order, physical_cores


def _paired(cpu: int) -> set[int]:
    """A node of 4 cores with 2 threads each: 0-3 and 4-7."""
    return {cpu % 4, cpu % 4 + 4}


def test_physical_cores_come_first() -> None:
    assert order(range(8), _paired) == (0, 1, 2, 3, 4, 5, 6, 7)
    assert order({0, 4, 1, 6}, _paired) == (0, 1, 6, 4)
    assert order({5}, _paired) == (5,)
    assert physical_cores({0, 4, 1, 6}, _paired) == 3


def test_neighbouring_threads_are_told_apart() -> None:
    """As on other machines: threads of a core are 0 and 1, 2 and 3."""
    assert order(range(6), lambda cpu: {cpu // 2 * 2, cpu // 2 * 2 + 1}) == (0, 2, 4, 1, 3, 5)


def test_four_threads_a_core_as_on_power() -> None:
    assert order(range(8), lambda cpu: set(range(cpu // 4 * 4, cpu // 4 * 4 + 4))) == (0, 4, 1, 5, 2, 6, 3, 7)


def test_a_quota_is_whole_copies() -> None:
    assert copies_granted(range(8), None) == 8
    assert copies_granted(range(8), 1.5) == 1
    assert copies_granted(range(8), 0.25) == 1
    assert copies_granted(range(8), 3.9999999) == 4
    assert copies_granted(range(8), 64) == 8
    assert copies_granted(range(1), 1) == 1


def test_this_machine_has_an_order() -> None:
    assert sorted(order({0})) == [0]


def test_a_curve_has_one_all_and_the_powers_between() -> None:
    assert curve(1) == (1,)
    assert curve(2) == (1, 2)
    assert curve(6) == (1, 2, 4, 6)
    assert curve(512) == (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)
