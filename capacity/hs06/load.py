"""How much faster a CPU is while others of its node are idle: from a thread scan of HS23 on a 256-thread AMD node.

At 8 of 256 loaded threads a thread scores 2.2 times of what it scores when all are loaded. So a score of a part of a node
says something of the full node only through this shape, and less surely the smaller the part.
"""

from __future__ import annotations

import csv
import math
from functools import cache
from importlib.resources import files
from typing import NamedTuple

import numpy as np

SCAN = "hs23_thread_scan.csv"
_SHAPE_SIGMA = 0.25
"""Relative uncertainty of ln(factor): one node was scanned; SMT yields of others range from 1.03 to 1.41 (mean 1.20)."""
LEAST_SHARE = 8 / 256
"""The scan begins here; below it the factor of the first point is used."""


class Shape(NamedTuple):
    """Score of one loaded CPU relative to the fully loaded node.

    Attributes:
        factor: ≥ 1.
        sigma: standard deviation of ln(factor).
    """

    factor: float
    sigma: float


@cache
def _scan() -> tuple[tuple[float, ...], tuple[float, ...]]:
    text = files("capacity.hs06").joinpath("data", SCAN).read_text("utf-8")
    points = [
        (int(line["loaded_vcores"]), float(line["hs23_per_vcore"]))
        for line in csv.DictReader(text.splitlines())
    ]
    return tuple(n for n, _ in points), tuple(score for _, score in points)


def shape(share: float, *, smt_on: bool) -> Shape:
    """Factor at which a CPU of a partly loaded node runs above one of the fully loaded node.

    Args:
        share: loaded CPUs / logical CPUs of the node, 0 < share ≤ 1.
        smt_on: if off, the first half of the scan (one thread a core) is the whole range.

    Raises:
        ValueError: share is not in (0, 1].
    """
    if not 0 < share <= 1:
        raise ValueError(f"share of loaded CPUs must be above 0 and at most 1, not {share!r}")
    loaded, scores = _scan()
    full = loaded[-1] if smt_on else loaded[-1] / 2
    at_full = float(np.interp(full, loaded, scores))
    factor = max(1.0, float(np.interp(share * full, loaded, scores)) / at_full)
    return Shape(factor, _SHAPE_SIGMA * math.log(factor))
