"""How many events a year brings: collected ones, and simulated ones."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from computing_model.calendar import Calendar
from computing_model.curves import ramp
from computing_model.inputs.events import ByLuminosity
from computing_model.numbers import Array, Numbers
from computing_model.parameters import Parameters


class Events(NamedTuple):
    """Events of each year; arrays of shape (years,), or (samples, years) where a number they hang on is sampled.

    Attributes:
        data: run → events collected.
        luminosity_fb: recorded, fb⁻¹.
        mc: campaign → events simulated.
        pileup: campaign → pile-up of its events; shape (years,) or (samples, years).
    """

    data: dict[str, Array]
    luminosity_fb: Array
    mc: dict[str, Array]
    pileup: dict[str, Array]


def events_of(parameters: Parameters, numbers: Numbers, calendar: Calendar) -> Events:
    """Events by the rules of the talk (rate · live time; 9 + N·0.2·L) or of the CMS model of 2017 (ratio to data)."""
    data: dict[str, Array] = {}
    luminosity: Array = np.zeros(len(calendar.years))
    for name in parameters.run:
        share = _running(name, numbers, calendar)
        rate, livetime = numbers(f"run.{name}.hlt_rate_hz"), numbers(f"run.{name}.livetime_s")
        data[name] = rate * livetime * numbers("data.event_overlap_factor") * share
        recorded = numbers(f"run.{name}.luminosity_fb") * numbers("data.luminosity_recording_efficiency")
        luminosity = luminosity + recorded * share
    total = np.sum(np.broadcast_arrays(*data.values()), axis=0)
    mc: dict[str, Array] = {}
    pileup: dict[str, Array] = {}
    for name, campaign in parameters.mc.items():
        if isinstance(campaign, ByLuminosity):
            weight = _negative_weights(parameters, numbers, calendar)
            mc[name] = _by_luminosity(name, campaign, numbers, calendar, weight * luminosity)
            pileup[name] = _pileup_of_runs(campaign, numbers, calendar)
        else:
            mc[name] = ramp(campaign.ratio, calendar.years) * _basis(campaign.era_year, calendar, total)
            pileup[name] = numbers(f"mc.{name}.pileup") * np.ones(len(calendar.years))
    return Events(data, luminosity, mc, pileup)


def _running(run: str, numbers: Numbers, calendar: Calendar) -> Array:
    """Share of a full year in which the run takes data."""
    share: Array = np.zeros(len(calendar.years))
    for index, year in enumerate(calendar.years):
        if calendar.run_of.get(year) == run:
            first = year in calendar.first_years
            part = numbers(f"run.{run}.first_year_share") if first else 1.0
            share = share + part * np.eye(1, len(calendar.years), index)[0]
    return share


def _by_luminosity(
    name: str, campaign: ByLuminosity, numbers: Numbers, calendar: Calendar, weighted_fb: Array
) -> Array:
    offset, slope = numbers(f"mc.{name}.offset_events"), numbers(f"mc.{name}.events_per_fb")
    made = offset + slope * weighted_fb
    columns = []
    for year in calendar.years:
        running = calendar.last_running(year)
        mine = running is not None and calendar.run_of[running] in campaign.runs
        share = 0.0 if not mine else 1.0 if running == year else numbers(f"mc.{name}.shutdown_share")
        column = (
            made[..., calendar.years.index(running)]
            if running is not None and mine
            else np.zeros(made.shape[:-1])
        )
        columns.append(column[..., np.newaxis] * share)
    return np.concatenate(np.broadcast_arrays(*columns), axis=-1) if columns else made


def _negative_weights(parameters: Parameters, numbers: Numbers, calendar: Calendar) -> Array:
    """N of each year: what R&D leaves of the events beyond N = 1."""
    factor = numbers("simulation.negative_weight_factor")
    left = 1 + (factor - 1) * (1 - numbers("rnd.negative_weight_reduction"))
    result: Array = np.where(np.array(calendar.years) >= parameters.rnd.first_year, left, factor)
    return result


def _pileup_of_runs(campaign: ByLuminosity, numbers: Numbers, calendar: Calendar) -> Array:
    """Of the run that takes data, or took them last; before all, of the campaign's first."""
    columns = []
    for year in calendar.years:
        running = calendar.last_running(year)
        run = calendar.run_of[running] if running is not None else campaign.runs[0]
        columns.append(np.atleast_1d(numbers(f"run.{run}.pileup")))
    return np.concatenate(np.broadcast_arrays(*columns), axis=-1)


def _basis(era_year: int, calendar: Calendar, data: Array) -> Array:
    """Data events that the ratio is to."""
    columns = []
    for index, year in enumerate(calendar.years):
        candidates = [index]
        running = calendar.last_running(year)
        if year not in calendar.run_of and running is not None:
            candidates.append(calendar.years.index(running))
        if era_year > year and era_year in calendar.years:
            candidates.append(calendar.years.index(era_year))
        columns.append(data[..., candidates].max(axis=-1, keepdims=True))
    return np.concatenate(columns, axis=-1)
