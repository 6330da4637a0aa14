"""The precision-weighted mean of logarithms."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from capacity.hs06.combine import Opinion, combine, widen

opinions = st.lists(
    st.builds(Opinion, st.just("x"), st.floats(0.1, 1000), st.floats(0.01, 2)), min_size=1, max_size=6
)


def test_equal_sigmas_give_the_geometric_mean() -> None:
    result = combine([Opinion("a", 10, 0.1), Opinion("b", 11, 0.1)])
    assert result.score == pytest.approx(math.sqrt(110))
    assert result.sigma == pytest.approx(0.1 / math.sqrt(2))
    assert result.weights == pytest.approx((0.5, 0.5))


def test_the_sharper_opinion_counts_more() -> None:
    result = combine([Opinion("table", 15, 0.06), Opinion("payload", 12, 0.24)])
    assert result.weights == pytest.approx((16 / 17, 1 / 17))
    assert 14.7 < result.score < 15


def test_contradictions_widen_instead_of_narrowing() -> None:
    result = combine([Opinion("a", 10, 0.05), Opinion("b", 20, 0.05)])
    assert result.sigma == pytest.approx(abs(math.log(2)) / 2)
    assert result.stretch > 5


def test_nothing_is_claimed_below_the_floor() -> None:
    assert combine([Opinion("a", 10, 0.04), Opinion("b", 10, 0.04)], floor=0.04).sigma == 0.04
    assert combine([Opinion("a", 10, 0.01)], floor=0.04).sigma == 0.04


@given(opinions)
def test_the_mean_lies_between_and_the_order_does_not_matter(given_opinions: list[Opinion]) -> None:
    result = combine(given_opinions)
    scores = [one.score for one in given_opinions]
    assert min(scores) * (1 - 1e-9) <= result.score <= max(scores) * (1 + 1e-9)
    assert math.fsum(result.weights) == pytest.approx(1)
    assert combine(given_opinions[::-1]).score == pytest.approx(result.score)


@pytest.mark.parametrize(
    "bad", [Opinion("a", 0, 0.1), Opinion("a", math.nan, 0.1), Opinion("a", 10, 0), Opinion("a", math.inf, 1)]
)
def test_impossible_opinions_are_refused(bad: Opinion) -> None:
    with pytest.raises(ValueError, match="positive and finite"):
        combine([bad, Opinion("b", 10, 0.1)])
    with pytest.raises(ValueError, match="positive and finite"):
        combine([bad])


def test_nothing_to_combine_is_refused() -> None:
    with pytest.raises(ValueError, match="no opinion"):
        combine([])


def test_intervals_of_independent_opinions_cover_the_truth() -> None:
    """Simulated: two opinions with the sigmas that they claim; the stretch may only make the interval safer."""
    random = np.random.default_rng(5)
    truth, sigmas = math.log(14.0), (0.06, 0.2)
    inside = 0
    for _ in range(4000):
        told = [Opinion("x", math.exp(random.normal(truth, sigma)), sigma) for sigma in sigmas]
        result = combine(told)
        inside += abs(math.log(result.score) - truth) <= result.sigma
    assert 0.66 <= inside / 4000 <= 0.76


def test_widths_add_in_quadrature() -> None:
    assert widen(0.03, 0.04) == pytest.approx(0.05)
