"""What several measurements of one thing say: their median, and the interval that holds it with 68 %."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from math import comb, hypot
from typing import NamedTuple

CONFIDENCE = 0.6827
"""One standard deviation, for whoever thinks in them."""


class Interval(NamedTuple):
    """The median and the ends of its interval; low and high are None for fewer than three samples."""

    median: float
    low: float | None
    high: float | None

    @property
    def relative(self) -> float | None:
        """Half the interval's width over the median; None where there is no interval."""
        if self.low is None or self.high is None or self.median == 0:
            return None
        return (self.high - self.low) / 2 / self.median


def interval(samples: Sequence[float]) -> Interval:
    """Median and its 68 % interval from order statistics, which asks nothing of the samples' distribution.

    The interval between the k-th smallest and k-th largest sample holds the median with binomial probability; between
    two such k it is interpolated as T. P. Hettmansperger and S. J. Sheather do (Stat. Probab. Lett. 4 (1986) 75).

    Raises:
        ValueError: there are no samples.
    """
    if not samples:
        raise ValueError("there is no median of no samples")
    ordered = sorted(samples)
    number = len(ordered)
    median = statistics.median(ordered)
    if number < 3:
        return Interval(median, None, None)
    k = 1
    while k + 1 <= (number + 1) // 2 and _holds(number, k + 1) >= CONFIDENCE:
        k += 1
    if k >= (number + 1) // 2:
        return Interval(median, ordered[k - 1], ordered[number - k])
    here, inside = _holds(number, k), _holds(number, k + 1)
    if here <= CONFIDENCE:
        weight = 0.0
    else:
        share = (here - CONFIDENCE) / (here - inside)
        weight = (number - k) * share / (k + (number - 2 * k) * share)
    low = ordered[k - 1] + weight * (ordered[k] - ordered[k - 1])
    high = ordered[number - k] - weight * (ordered[number - k] - ordered[number - k - 1])
    return Interval(median, low, high)


def _holds(number: int, k: int) -> float:
    """Probability that the median lies between the k-th smallest and the k-th largest of `number` samples."""
    below = sum(comb(number, smaller) for smaller in range(k))
    return 1.0 - 2 * below / (1 << number)


def ratio(above: Interval, below: Interval) -> Interval:
    """The ratio of two independent medians; relative widths are added in quadrature."""
    median = above.median / below.median
    if above.relative is None or below.relative is None:
        return Interval(median, None, None)
    width = median * hypot(above.relative, below.relative)
    return Interval(median, median - width, median + width)
