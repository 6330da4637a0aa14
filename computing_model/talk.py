"""Rules of the talk's tables: how single lines of R&D become a scenario. Each rule is one function.

Source: J. Letts, D. Piparo, CBG Tier-2 meeting, 19 September 2022, after CMS-NOTE-2022-008.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

Number = TypeVar("Number", float, NDArray[np.float64])
"""A number, or one a year and sample."""


class Line(NamedTuple):
    """One line of R&D.

    Attributes:
        item: its name.
        share: that it takes away, or that it offloads; 0.15 = 15 %. A float, or one a sample.
        probability: of success (high 1, medium 0.5, low 0.2). A float, or one a sample.
        group: lines of one group do the same work in two ways; None = alone.
    """

    item: str
    share: Any
    probability: Any
    group: str | None = None


def half_up(value: float, step: float = 1.0) -> float:
    """Rounded to a multiple of `step`, halves away from zero as in print (Python's own `round` makes 24 of 24.5)."""
    unit = Decimal(str(step))
    return float((Decimal(repr(float(value))) / unit).quantize(Decimal(1), rounding=ROUND_HALF_UP) * unit)


def reduction(lines: Iterable[Line], *, weighted: bool) -> float:
    """What is taken off when reductions multiply: 1 - Π(1 - p·r); p = 1 unless `weighted`.

    For times and sizes: each line takes its share of what the others leave.
    """
    left = 1.0
    for line in lines:
        left *= 1 - (line.probability if weighted else 1.0) * line.share
    return 1 - left


def offload(lines: Iterable[Line], *, weighted: bool) -> Any:  # noqa: ANN401 - a float, or one a sample
    """Share of the time that GPUs take over: a sum, since all are shares of one total; of a group only the largest."""
    alone: Any = 0.0
    groups: dict[str, Any] = {}
    for line in lines:
        share = (line.probability if weighted else 1.0) * line.share
        if line.group is None:
            alone = alone + share
        else:
            groups[line.group] = np.maximum(groups.get(line.group, 0.0), share)
    return alone + sum(groups.values())


def yearly(reduction_per_year: float, years: float, once: float = 0.0) -> float:
    """What yearly reductions come to: 1 - (1 - once)·(1 - r)^years."""
    return 1 - (1 - once) * float((1 - reduction_per_year) ** years)


def collected_events(rate_hz: float, livetime_s: float, overlap: float = 1.0) -> float:
    """HLT rate · live time · overlap of streams.

    The printed 33 and 66 · 10⁹ need an overlap of 1.10 in both runs; the talk gives no reason for it.
    """
    return rate_hz * livetime_s * overlap


def mc_events(luminosity_fb: float, negative_weights: float, recording_efficiency: float = 1.0) -> float:
    """(9 + N · 0.2 · L) · 10⁹, L recorded: delivered · efficiency, fb⁻¹."""
    return (9 + negative_weights * 0.2 * luminosity_fb * recording_efficiency) * 1e9


def fast_chain(share: float, speedup: float) -> float:
    """Mean time of SIM and RECO when a share of events is faster: (1 - f) + f/s."""
    return (1 - share) + share / speedup


def volume_pb(events: float, size_mb: float) -> float:
    """One copy, PB (10¹⁵ bytes)."""
    return events * size_mb / 1e9


def relative_cost(offloaded: Number, ratio: float = 2.8) -> Number:
    """Cost of a workload of which a share runs on GPUs, CPU alone = 1: (1 - f) + f/ratio.

    Cost only: the ratio says nothing of capacity. That CPU is the dearer one is our reading of the talk's bare "2.8x".
    """
    return (1 - offloaded) + offloaded / ratio
