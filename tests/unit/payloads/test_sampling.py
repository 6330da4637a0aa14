"""The median's interval: held against its definition and against simulation."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payloads.sampling import Interval, interval, ratio


def test_two_samples_have_no_interval() -> None:
    assert interval([1.0]) == Interval(1.0, None, None)
    assert interval([1.0, 3.0]) == Interval(2.0, None, None)
    assert interval([1.0]).relative is None
    with pytest.raises(ValueError, match="no samples"):
        interval([])


@pytest.mark.parametrize("number", [3, 5, 6, 10, 25, 60])
def test_it_holds_the_true_median_in_two_of_three_cases(number: int) -> None:
    generator = random.Random(number)
    inside = 0
    for _ in range(4000):
        found = interval([generator.gauss(10, 1) for _ in range(number)])
        assert found.low is not None
        assert found.high is not None
        inside += found.low <= 10 <= found.high
    assert inside / 4000 == pytest.approx(0.683, abs=0.03)


@given(st.lists(st.floats(1, 1e6), min_size=3, max_size=60))
def test_the_median_lies_within_and_order_does_not_matter(samples: list[float]) -> None:
    found = interval(samples)
    assert found.low is not None
    assert found.high is not None
    assert min(samples) <= found.low <= found.median * (1 + 1e-12)
    assert found.median * (1 - 1e-12) <= found.high <= max(samples)
    assert interval(sorted(samples, reverse=True)) == found


def test_a_ratio_adds_widths_in_quadrature() -> None:
    found = ratio(Interval(200.0, 194.0, 206.0), Interval(100.0, 96.0, 104.0))
    assert found.median == 2.0
    assert found.relative == pytest.approx(0.05)
    assert ratio(Interval(2.0, None, None), Interval(1.0, 0.9, 1.1)) == Interval(2.0, None, None)
