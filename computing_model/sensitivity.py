"""Which assumption matters: each varied alone, and the value of one that would make a need fit."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.optimize import brentq

from computing_model.errors import ModelError
from computing_model.numbers import leaves
from computing_model.parameters import Parameters
from computing_model.plan import plan
from computing_model.uncertainty import RESOURCES, ends, expand


class Swing(NamedTuple):
    """One bar of a tornado.

    Attributes:
        name: of the uncertain assumption.
        low: need with the assumption at its low end (or the R&D failed).
        high: need at its high end (or succeeded).
    """

    name: str
    low: float
    high: float


class Tornado(NamedTuple):
    """Needs of one year, each assumption varied alone; the widest swing first."""

    resource: str
    year: int
    middle: float
    swings: tuple[Swing, ...]


def tornado(parameters: Parameters, resource: str, year: int) -> Tornado:
    """Vary each uncertain assumption alone.

    Raises:
        ModelError: the resource or the year is not of this plan.
    """
    middle = need(parameters, resource, year)
    swings = []
    for entry in parameters.uncertain:
        low, high = (need(parameters, resource, year, changed) for changed in ends(parameters, entry))
        swings.append(Swing(entry.name, low, high))
    swings.sort(key=lambda swing: -abs(swing.high - swing.low))
    return Tornado(resource, year, middle, tuple(swings))


def need(parameters: Parameters, resource: str, year: int, changed: dict[str, float] | None = None) -> float:
    """One need, with some numbers changed.

    Raises:
        ModelError: the resource or the year is not of this plan, or a key is no number of it.
    """
    if resource not in RESOURCES:
        raise ModelError(f"there is no resource {resource!r}; known: {', '.join(RESOURCES)}")
    made = plan(parameters, {key: np.array([value]) for key, value in (changed or {}).items()})
    if year not in made.years:
        raise ModelError(f"{year} is not among the years {made.years[0]} to {made.years[-1]} of this plan")
    return float(np.ravel(RESOURCES[resource](made)[..., made.years.index(year)])[0])


class Solution(NamedTuple):
    """The value of one assumption with which a need meets a bound.

    Attributes:
        key: of the assumption.
        value: that it would have to have.
        now: that it has.
        bound: the need that is met, in the unit of the resource.
    """

    key: str
    value: float
    now: float
    bound: float


class Fit(NamedTuple):
    """A `Solution` and the offer that it meets."""

    solution: Solution
    resource: str
    year: int
    edge: str
    need_now: float


def fit(
    parameters: Parameters, key: str, resource: str, year: int, edge: str, between: tuple[float, float] | None
) -> Fit:
    """The value of a key with which the need of a year meets an edge of the flat budget.

    Raises:
        ModelError: see `solve`; there is no flat budget of the resource.
    """
    need_now = need(parameters, resource, year)
    made = plan(parameters)
    band = {
        "cpu_khs06_years": made.supply.cpu_khs06,
        "disk_pb": made.supply.disk_pb,
        "tape_pb": made.supply.tape_pb,
    }[resource]
    if band is None:
        raise ModelError(f"{resource}: the flat budget has no origin for it: set budget.tape_pb")
    bound = float(made.shown(getattr(band, edge))[made.years.index(year)])
    now = dict(leaves(parameters))[expand(parameters, key)[0]]
    around = between or ((now / 100, now * 100) if now > 0 else (0.0, 1 - 1e-9))
    return Fit(solve(parameters, key, resource, year, bound, around), resource, year, edge, need_now)


def solve(
    parameters: Parameters, key: str, resource: str, year: int, bound: float, between: tuple[float, float]
) -> Solution:
    """What would have to be true: the value of `key` at which the need of a year is `bound`.

    A key that stands for a curve (a time by pile-up) is scaled as a whole; `value` and `now` are then of its first point.

    Args:
        parameters: the assumptions.
        key: a number, or the beginning of several.
        resource: of `RESOURCES`.
        year: of the plan.
        bound: need to be met, in the unit of the resource.
        between: values of `key` between which to look.

    Raises:
        ModelError: no value between the two does it; the sentence gives the needs at both.
    """
    keys = expand(parameters, key)
    known = dict(leaves(parameters))
    now = known[keys[0]]

    def missing(value: float) -> float:
        changed = {keys[0]: value} if len(keys) == 1 else {one: known[one] * value / now for one in keys}
        return need(parameters, resource, year, changed) - bound

    if len(keys) > 1 and now == 0:
        raise ModelError(f"{key} begins at 0 and cannot be scaled: name one of {', '.join(keys[:3])}")
    low, high = missing(between[0]), missing(between[1])
    if low * high > 0:
        raise ModelError(
            f"no {key} between {between[0]:g} and {between[1]:g} gives {bound:.6g} {resource} in {year}:"
            f" there the need goes from {low + bound:.6g} to {high + bound:.6g}"
        )
    value = float(brentq(missing, *between, xtol=1e-9, rtol=1e-9))
    return Solution(key, value, now, bound)
