"""Parts that several pages share."""

from __future__ import annotations

import math
from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from capacity.fleet.model import Interval, Roll
from capacity.hs06.model import Estimate, Method

CONFIDENCE = 0.68
"""Probability that an interval of the service covers the truth."""


METHOD_TITLES = {
    Method.MEASURED: "Measured HEPscore23 on this node",
    Method.CATALOGUE: "Same CPU model in the catalogue",
    Method.PAYLOAD: "Payload scores through the calibration",
    Method.FAMILY: "Model of the CPU family",
    Method.DEFAULT: "Default: constant 10 per core",
}


class View(BaseModel):
    """Base of all views: frozen, nothing unknown; numbers that JSON cannot hold become null."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="null")


class Fact(View):
    """One line of a list of properties."""

    label: str
    value: str | float | int | None
    unit: str | None = None
    reason: str | None = Field(default=None, description="why there is no value")


class Paging(View):
    """Where a long list stands."""

    size: int = Field(description="rows on a page at most")
    shown: int
    total: int | None = Field(default=None, description="rows in all; null = not counted")
    next: str | None = Field(default=None, description="value of `after` for the next page; null = last page")
    first: bool = True


class Against(View):
    """A capacity held against something that was promised or assumed."""

    hs23: float = Field(description="the promise or assumption, HS23")
    ratio: Interval | None = Field(
        default=None, description="capacity / hs23, 68 % interval; null = no capacity"
    )


class RollRow(View):
    """Capacity of a site, federation or country as a row of a table."""

    roll: Roll
    pledge: Against | None = Field(default=None, description="null = no pledge is known for it")
    constant: Against | None = Field(default=None, description="against 10 HS06 per core; null = no cores")
    coverage_share: float | None = Field(
        default=None, description="nodes with a fresh figure / nodes; null = no nodes"
    )

    @property
    def provisional(self) -> bool:
        """Whether any part of the sum hangs on a provisional calibration."""
        return self.roll.provisional_share > 0


class GpuCount(View):
    """Inventory of one kind of GPU or MIG slice."""

    device: str
    count: int


def gpu_counts(gpus: dict[str, int]) -> tuple[GpuCount, ...]:
    """The inventory, most frequent device first."""
    ordered = sorted(gpus.items(), key=lambda item: (-item[1], item[0]))
    return tuple(GpuCount(device=device, count=count) for device, count in ordered)


def against(capacity: Interval, hs23: float | None) -> Against | None:
    """Hold a capacity (HS23) against another figure (HS23); None where there is no such figure."""
    if hs23 is None or hs23 <= 0:
        return None
    if capacity.value <= 0:
        return Against(hs23=hs23)
    ratio = Interval(value=capacity.value / hs23, low=capacity.low / hs23, high=capacity.high / hs23)
    return Against(hs23=hs23, ratio=ratio)


def roll_row(roll: Roll) -> RollRow:
    """A roll-up beside its pledge and beside the constant 10."""
    counted = roll.nodes - roll.stale_nodes - roll.pending_nodes
    return RollRow(
        roll=roll,
        pledge=against(roll.hs23, roll.pledge_hs23),
        constant=against(roll.hs23, roll.constant_10_hs23),
        coverage_share=max(counted, 0) / roll.nodes if roll.nodes else None,
    )


def scaled(estimate: Estimate, hs23: float) -> Interval:
    """A multiple of the figure per core with the same relative interval (68 %), HS23."""
    per_core = estimate.hs23_per_core
    return Interval(value=hs23, low=hs23 * estimate.low / per_core, high=hs23 * estimate.high / per_core)


def log_interval(value: float, sigma: float | None) -> Interval:
    """The 68 % interval of a score whose logarithm has the standard deviation `sigma`."""
    factor = math.exp(sigma or 0.0)
    return Interval(value=value, low=value / factor, high=value * factor)


def age_s(moment: datetime, now: datetime) -> float:
    """Seconds from a moment to now; 0 if it lies ahead (clocks differ)."""
    return max((now - moment).total_seconds(), 0.0)
