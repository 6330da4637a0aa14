"""Curves by year."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray


def ramp(values: Mapping[int, float], years: Sequence[int]) -> NDArray[np.float64]:
    """Values on straight lines between key years, constant beyond the first and the last; shape (years,)."""
    keys = sorted(values)
    return np.interp(years, keys, [values[key] for key in keys])


def steps(values: Sequence[float], ages: NDArray[np.int_]) -> NDArray[np.float64]:
    """Values by age, the last one for ever; 0 for a negative age (what does not exist yet). Shape of `ages`."""
    table = np.asarray(values, dtype=float)
    return np.where(ages < 0, 0.0, table[np.clip(ages, 0, len(table) - 1)])
