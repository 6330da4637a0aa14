"""What the same money buys: the flat-budget band."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from computing_model.numbers import Array, Numbers
from computing_model.parameters import Parameters

BANDS = ("low", "middle", "high")


class Band(NamedTuple):
    """One resource under low, expected and high growth; each of shape (years,) or (samples, years)."""

    low: Array
    middle: Array
    high: Array


class Supply(NamedTuple):
    """Flat budget of each resource.

    Attributes:
        cpu_khs06: kHS06, or kHS06·years in a year.
        disk_pb: PB.
        tape_pb: PB; None = no origin is given.
    """

    cpu_khs06: Band
    disk_pb: Band
    tape_pb: Band | None


def flat(origin: Array | float, growth: Array | float, origin_year: float, years: Sequence[int]) -> Array:
    """C(y) = C0 · (1 + g)^(y - y0); talk, "yearly capacity evolution under flat budget"; shape (years,)."""
    result: Array = origin * (1.0 + growth) ** (np.asarray(years, dtype=float) - origin_year)
    return result


def supply_of(parameters: Parameters, numbers: Numbers, years: Sequence[int]) -> Supply:
    """The band of each resource."""

    def band(origin: Array | float) -> Band:
        return Band(
            *(
                flat(origin, numbers(f"budget.{key}"), numbers("budget.origin_year"), years)
                for key in ("growth_low", "growth", "growth_high")
            )
        )

    tape = None if parameters.budget.tape_pb is None else band(numbers("budget.tape_pb"))
    return Supply(band(numbers("budget.cpu_khs06")), band(numbers("budget.disk_pb")), tape)
