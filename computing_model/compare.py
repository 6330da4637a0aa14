"""Two scenarios side by side: which assumptions differ, and what it does to the needs."""

from __future__ import annotations

from typing import NamedTuple

from computing_model.numbers import Array, leaves
from computing_model.outlook import RESOURCES, Outlook, Scenario


class Difference(NamedTuple):
    """One assumption that differs; None = it is not there."""

    key: str
    one: float | None
    other: float | None


class Comparison(NamedTuple):
    """Two scenarios.

    Attributes:
        years: of the arrays.
        one: the first.
        other: the second.
        differences: numbers that are not equal, by key.
        ratios: resource → need of the other over that of the one, shape (years,).
    """

    years: tuple[int, ...]
    one: Scenario
    other: Scenario
    differences: tuple[Difference, ...]
    ratios: dict[str, Array]


def compared(made: Outlook) -> Comparison:
    """The first two scenarios of an outlook."""
    one, other = made.scenarios[:2]
    left, right = dict(leaves(one.loaded.parameters)), dict(leaves(other.loaded.parameters))
    keys = [*left, *(key for key in right if key not in left)]
    differences = tuple(
        Difference(key, left.get(key), right.get(key)) for key in keys if left.get(key) != right.get(key)
    )
    ratios = {resource: other.need(resource) / one.need(resource) for resource in RESOURCES}
    return Comparison(made.years, one, other, differences, ratios)
