"""What there is and will be, other than the flat budget: measured capacity of the fleet, and pledges."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from computing_model.budget import flat
from computing_model.errors import ModelError
from computing_model.numbers import Array

LEAST_KHS06, MOST_KHS06 = 1.0, 1e6
"""CMS pledged 238 kHS06 in 2009 and 2005 in 2019; a plan for all of WLCG would stay below 10⁶ kHS06."""


class Fleet(NamedTuple):
    """Measured capacity, HS06-equivalent (= HEPscore23), of CPUs only.

    Attributes:
        year: when, as a decimal year.
        nominal_khs06: all that answered lately; value, and its 68 % interval.
        usable_khs06: of it, what passes the health gates; value, and its 68 % interval.
        gpus: device → number; never added to the CPU columns.
        provisional_share: of the nominal value that stands on a provisional calibration.
        source: where the numbers come from.
    """

    year: float
    nominal_khs06: tuple[float, float, float]
    usable_khs06: tuple[float, float, float]
    gpus: Mapping[str, int]
    provisional_share: float
    source: str


class Projected(NamedTuple):
    """A fleet carried on at the growth of the flat budget; before it was measured there is nothing (NaN). Shape (years,)."""

    nominal_khs06: Array
    usable_khs06: Array


def project(fleet: Fleet, growth: float, years: Sequence[int]) -> Projected:
    """The fleet as it would be if its owners spent the same money every year.

    Raises:
        ModelError: nothing was measured.
    """
    if fleet.nominal_khs06[0] <= 0:
        raise ModelError(
            f"{fleet.source}: no node has an estimate yet: run the agent on some, or plan without the fleet"
        )
    measured = int(fleet.year)
    known = np.array(years) >= measured
    return Projected(
        *(
            np.where(known, flat(value[0], growth, measured, years), np.nan)
            for value in (fleet.nominal_khs06, fleet.usable_khs06)
        )
    )


def pledged(values: Mapping[int, float], source: str) -> dict[int, float]:
    """Pledges by year, kHS06, checked by their magnitude.

    Raises:
        ModelError: they look like HS06 (a thousand times too large), or are no pledges of an experiment.
    """
    for year, khs06 in values.items():
        if khs06 > MOST_KHS06:
            raise ModelError(
                f"{source}: {khs06:.4g} kHS06 for {year} is more than all of WLCG has: it looks like HS06, divide by 1000"
            )
        if not khs06 >= LEAST_KHS06:
            raise ModelError(
                f"{source}: {khs06:.4g} kHS06 for {year} is less than one site has: it looks like MHS06, multiply by 1000"
            )
    return dict(sorted(values.items()))
