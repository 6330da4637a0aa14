"""Which repeats count: those in which the copies had their processors, unless that was the exception."""

from __future__ import annotations

import pytest

from payloads.outcome import Series


def test_a_disturbed_repeat_is_set_aside() -> None:
    series = Series(2, samples=[100.0, 60.0, 102.0, 98.0, 101.0], disturbed={1})
    assert series.counted == [100.0, 102.0, 98.0, 101.0]
    assert series.set_aside == [60.0]
    assert series.rate.median == 100.5


def test_what_is_set_aside_is_not_chosen_by_its_value() -> None:
    series = Series(2, samples=[100.0, 60.0, 102.0], disturbed={2})
    assert series.counted == [100.0, 60.0]


@pytest.mark.parametrize("disturbed", [{0, 1}, {0, 1, 2}, {0, 1, 2, 3}])
def test_on_a_machine_that_is_disturbed_as_often_as_not_all_count(disturbed: set[int]) -> None:
    series = Series(2, samples=[100.0, 60.0, 102.0, 50.0], disturbed=disturbed)
    assert series.counted == [100.0, 60.0, 102.0, 50.0]
    assert series.set_aside == []
