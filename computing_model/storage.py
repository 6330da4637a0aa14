"""Disk and tape of each year by tier: what was written, how many versions and copies of it are kept at which age."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from computing_model.calendar import Calendar
from computing_model.curves import ramp, steps
from computing_model.errors import ModelError
from computing_model.events import Events
from computing_model.numbers import Array, Numbers
from computing_model.parameters import Parameters

MB_PER_PB = 1e9
TUNED = {"RAW": "raw", "AOD": "aod", "MiniAOD": "miniaod", "NanoAOD": "nanoaod"}
"""Tier → the R&D reduction that speaks of it."""
STATIC = "static"


class Volumes(NamedTuple):
    """Storage, PB (10¹⁵ bytes); arrays (years,) or (samples, years).

    Attributes:
        produced_data: tier → written in the year, one copy.
        produced_mc: the same of simulation.
        disk: tier, and "static" → kept on disk, all versions and copies.
        tape: the same on tape.
        moved: tier → carried over the wide-area network in the year: each new copy but the first travels once.
    """

    produced_data: dict[str, Array]
    produced_mc: dict[str, Array]
    disk: dict[str, Array]
    tape: dict[str, Array]
    moved: dict[str, Array]

    @property
    def disk_total_pb(self) -> Array:
        """All tiers."""
        return sum(self.disk.values(), np.zeros(1))

    @property
    def tape_total_pb(self) -> Array:
        """All tiers."""
        return sum(self.tape.values(), np.zeros(1))


def volumes_of(parameters: Parameters, numbers: Numbers, calendar: Calendar, events: Events) -> Volumes:
    """Storage of all years."""
    years = calendar.years
    ages = _ages(calendar)
    produced_data: dict[str, Array] = {}
    produced_mc: dict[str, Array] = {}
    disk: dict[str, Array] = {}
    tape: dict[str, Array] = {}
    moved: dict[str, Array] = {}
    for name, tier in parameters.tier.items():
        smaller = _smaller(name, parameters, numbers, calendar)
        written: Array = np.zeros(len(years))
        if tier.data:
            for run, collected in events.data.items():
                detector = parameters.run[run].detector
                written = written + collected * _size_mb(
                    name, detector, numbers, numbers(f"run.{run}.pileup")
                )
        simulated: Array = np.zeros(len(years))
        if tier.mc:
            for campaign, made in events.mc.items():
                detector = parameters.mc[campaign].detector
                simulated = simulated + made * _size_mb(name, detector, numbers, events.pileup[campaign])
        produced_data[name] = written * smaller / MB_PER_PB
        produced_mc[name] = simulated * smaller / MB_PER_PB
        volume = produced_data[name] + produced_mc[name]
        versions = steps(tier.versions, ages)
        on_disk = numbers("storage.disk_factor") * _relief(name, numbers)
        disk[name] = volume @ (versions * steps(tier.disk_replicas, ages)) * on_disk
        tape[name] = volume @ (versions * steps(tier.tape_replicas, ages)) * numbers("storage.tape_factor")
        copies = tier.versions[0] * (tier.disk_replicas[0] + tier.tape_replicas[0])
        moved[name] = volume * max(copies - 1.0, 0.0)
    disk[STATIC] = ramp(parameters.storage.static_disk_pb, years)
    tape[STATIC] = ramp(parameters.storage.static_tape_pb, years)
    return Volumes(produced_data, produced_mc, disk, tape, moved)


def _ages(calendar: Calendar) -> np.ndarray[tuple[int, int], np.dtype[np.int_]]:
    """Age of what year p wrote (row) in year y (column); -1 before it is written. In a shutdown nothing ages."""
    clock = [calendar.last_running(year) or year for year in calendar.years]
    written, now = np.meshgrid(calendar.years, calendar.years, indexing="ij")
    age = np.array(clock)[np.newaxis, :] - written
    return np.where(now < written, -1, np.maximum(age, 0))


def _size_mb(tier: str, detector: str, numbers: Numbers, pileup: Array | float) -> Array:
    result: Array = np.asarray(numbers.curve(f"tier.{tier}.size_mb.{detector}", pileup))
    return result


def _smaller(tier: str, parameters: Parameters, numbers: Numbers, calendar: Calendar) -> Array:
    key = TUNED.get(tier)
    if key is None:
        return np.ones(len(calendar.years))
    applies = np.array(calendar.years) >= parameters.rnd.first_year
    result: Array = np.where(applies, 1 - numbers(f"rnd.{key}_size_reduction"), 1.0)
    return result


def _relief(tier: str, numbers: Numbers) -> Array | float:
    """Copies on disk of AOD and MiniAOD that analyses of NanoAOD do without."""
    if tier not in ("AOD", "MiniAOD"):
        return 1.0
    more = numbers("storage.nano_share") - numbers("storage.nano_share_today")
    result: Array | float = 1 - numbers("storage.nano_relief") * np.maximum(more, 0.0)
    return result


def check_tiers(parameters: Parameters) -> None:
    """Refuse tiers whose events of some detector have no size.

    Raises:
        ModelError: it names the tier and the detector.
    """
    users = {f"run.{name}": (run.detector, "data") for name, run in parameters.run.items()}
    users |= {f"mc.{name}": (campaign.detector, "mc") for name, campaign in parameters.mc.items()}
    for name, tier in parameters.tier.items():
        for key, (detector, kind) in users.items():
            wanted = tier.data if kind == "data" else tier.mc
            if wanted and detector not in tier.size_mb:
                raise ModelError(
                    f"tier.{name}.size_mb: no size for detector {detector!r}, which {key} uses: add it"
                )
