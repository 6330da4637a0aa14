"""One plan: the needs of each year under some assumptions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from computing_model.budget import Supply, supply_of
from computing_model.calendar import Calendar, calendar_of
from computing_model.cpu import Work, work_of
from computing_model.errors import ModelError
from computing_model.events import Events, events_of
from computing_model.numbers import Array, Numbers
from computing_model.parameters import Parameters
from computing_model.storage import Volumes, check_tiers, volumes_of

LARGEST = 1e100
"""Beyond it something overflows soon; the needs of CMS are some 10¹⁵ HS06 s a year."""


class Plan(NamedTuple):
    """Needs and flat budget; arrays run over `calendar.years`, of which `shown` are asked for."""

    calendar: Calendar
    events: Events
    work: Work
    volumes: Volumes
    supply: Supply

    @property
    def years(self) -> tuple[int, ...]:
        """Years asked for."""
        return self.calendar.years[self.calendar.first_shown :]

    def shown(self, values: Array) -> Array:
        """The part of an array that belongs to `years`."""
        full = np.broadcast_to(values, np.broadcast_shapes(values.shape, (len(self.calendar.years),)))
        return full[..., self.calendar.first_shown :]


def _check_finite(made: Plan) -> None:
    supplies = [edge for band in made.supply if band is not None for edge in band]
    needs = [
        made.work.total_hs06_s,
        made.work.power_hs06,
        made.volumes.disk_total_pb,
        made.volumes.tape_total_pb,
    ]
    for values in (*needs, *supplies):
        if not np.isfinite(values).all() or np.abs(values).max() > LARGEST:
            raise ModelError(
                "a need or a budget is beyond any number: make the largest or smallest assumption less extreme"
            )


def plan(parameters: Parameters, samples: Mapping[str, Array] | None = None) -> Plan:
    """Compute a plan.

    Args:
        parameters: the assumptions.
        samples: dotted key of a number → values, shape (samples,); results then have a first axis of samples.

    Raises:
        ModelError: the assumptions do not fit together.
    """
    check_tiers(parameters)
    calendar = calendar_of(parameters)
    numbers = Numbers(parameters, samples)
    with np.errstate(all="ignore"):  # what comes of it is looked at below
        events = events_of(parameters, numbers, calendar)
        work = work_of(parameters, numbers, calendar, events)
        volumes = volumes_of(parameters, numbers, calendar, events)
        made = Plan(calendar, events, work, volumes, supply_of(parameters, numbers, calendar.years))
        _check_finite(made)
    if numbers.idle():
        raise ModelError(f"{numbers.idle()[0]} cannot be varied in one plan: give it in a layer of its own")
    return made
