"""What kernels share in measuring their physics, on cases that can be counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from payloads.matching import TrackTally, angle_apart, half_width, most_common


def test_width_is_half_of_the_central_two_thirds() -> None:
    assert half_width(np.random.default_rng(2).normal(3, 2, 100_000)) == pytest.approx(2, rel=0.01)
    assert np.isnan(half_width([1.0, 2.0]))


def test_the_least_of_the_most_common_values_wins_and_nothing_is_minus_one() -> None:
    group = np.array([0, 0, 0, 1, 1, -1, 2])
    value = np.array([7, 5, 5, 9, 4, 4, -1])
    best, times = most_common(group, value, 3)
    assert best.tolist() == [5, 4, -1]
    assert times.tolist() == [2, 1, 0]


def test_tracks_are_counted_over_events() -> None:
    tally = TrackTally()
    # particle 0 twice, particle 2, that nobody asked for, once, and a fake
    tally.count(np.array([0, 0, 2, -1]), np.array([True, True, False]))
    tally.count(np.array([1]), np.array([False, True]))
    assert tally.rates() == {"efficiency": 2 / 3, "fake_rate": 1 / 5, "duplicate_rate": 1 / 5}


def test_rates_of_nothing_are_no_numbers() -> None:
    assert np.isnan(list(TrackTally().rates().values())).all()


def test_angles_are_apart_the_short_way_round() -> None:
    apart = angle_apart(np.array([3.0, -3.0, 0.5]), np.array([-3.0, 3.0, 0.25]))
    assert apart == pytest.approx([6 - 2 * np.pi, 2 * np.pi - 6, 0.25])
