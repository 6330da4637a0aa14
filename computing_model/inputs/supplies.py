"""Storage of what is kept, and the budget."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from computing_model.inputs.bounds import ByAge, ByPileup, ByYear, Part, Positive, Share


class Tier(Part):
    """What one data tier takes.

    Attributes:
        size_mb: detector → size of an event by pile-up, MB (10⁶ bytes); straight lines between.
        data: data have this tier.
        mc: MC have it.
        versions: that exist of an event's output, by its age in years; the last entry holds for ever.
        disk_replicas: of each version, by age.
        tape_replicas: of each version, by age.
    """

    size_mb: Annotated[dict[str, ByPileup], Field(min_length=1)]
    data: bool
    mc: bool
    versions: ByAge
    disk_replicas: ByAge
    tape_replicas: ByAge


class Storage(Part):
    """From volumes to what has to be bought.

    Attributes:
        disk_factor: buffers and fill factor: volume · factor is the disk needed.
        tape_factor: the same of tape.
        static_disk_pb: by year, what no tier counts (operations, older runs); straight lines between.
        static_tape_pb: the same on tape.
        nano_share: of analyses that read NanoAOD; MiniAOD and AOD replicas on disk go down by `nano_relief` of its rise
            above `nano_share_today`.
        nano_share_today: in the replicas that `tier` gives.
        nano_relief: see `nano_share`.
    """

    disk_factor: Positive = 1.0
    tape_factor: Positive = 1.0
    static_disk_pb: ByYear = Field(default={2000: 0.0})
    static_tape_pb: ByYear = Field(default={2000: 0.0})
    nano_share: Share = 0.0
    nano_share_today: Share = 0.0
    nano_relief: Share = 0.0


class Budget(Part):
    """Flat budget: what the same money a year buys, C(y) = C0 · (1 + growth)^(y - origin_year)."""

    origin_year: Annotated[float, Field(ge=2000, le=2100)]
    cpu_khs06: Positive
    disk_pb: Positive
    tape_pb: Positive | None = None
    growth: Annotated[float, Field(gt=-1, le=1)]
    growth_low: Annotated[float, Field(gt=-1, le=1)]
    growth_high: Annotated[float, Field(gt=-1, le=1)]
