"""Needs of some scenarios beside what there is: the figures that are printed, plotted and exported."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from computing_model.budget import Band, Supply
from computing_model.cpu import SECONDS_PER_YEAR, khs06_years
from computing_model.layers import Loaded, named
from computing_model.numbers import Array
from computing_model.plan import Plan, plan
from computing_model.supply import Fleet, Projected, project

DEFAULT_SCENARIOS = ("baseline", "weighted-probable", "optimistic")
RESOURCES = ("cpu_khs06_years", "disk_pb", "tape_pb")


class Scenario(NamedTuple):
    """Needs of one scenario; every array has the shape (years,).

    Attributes:
        name: as it was asked for, layers joined by "+".
        title: of its assumptions, and what layers were joined to it.
        loaded: its assumptions.
        cpu_by_step: step → kHS06·years.
        cpu_power_khs06: what must be there at once.
        disk_by_tier: tier → PB.
        tape_by_tier: tier → PB.
        data_events: collected in the year.
        mc_events: simulated in the year.
        network_pb: carried over the wide-area network in the year.
        gpu_khs06_years: work on GPUs, as what CPUs would need for it; in no CPU figure.
        relative_cost: of all work with GPUs at their cost ratio; 1 = all on CPUs.
    """

    name: str
    title: str
    loaded: Loaded
    cpu_by_step: dict[str, Array]
    cpu_power_khs06: Array
    disk_by_tier: dict[str, Array]
    tape_by_tier: dict[str, Array]
    data_events: Array
    mc_events: Array
    network_pb: Array
    gpu_khs06_years: Array
    relative_cost: Array

    def need(self, resource: str) -> Array:
        """Total of one of `RESOURCES`."""
        parts = {
            "cpu_khs06_years": self.cpu_by_step,
            "disk_pb": self.disk_by_tier,
            "tape_pb": self.tape_by_tier,
        }[resource]
        total: Array = np.sum(list(parts.values()), axis=0)
        return total

    @property
    def network_gbit_s(self) -> Array:
        """Mean rate, Gbit/s."""
        return self.network_pb * 8e6 / SECONDS_PER_YEAR

    @property
    def digest(self) -> str:
        """SHA-256 of the assumptions: equal digests give equal needs."""
        return digest_of(self.loaded)


class Outlook(NamedTuple):
    """Some scenarios over the same years, and what there is.

    Attributes:
        years: of all arrays.
        scenarios: in the order asked for.
        supply: flat budget of the first scenario's assumptions, shapes (years,).
        fleet: measured capacity; None = not asked for, or nothing is known (see `fleet_missing`).
        projected: the fleet carried on.
        fleet_missing: why there is no fleet.
        pledges_khs06: by year.
    """

    years: tuple[int, ...]
    scenarios: tuple[Scenario, ...]
    supply: Supply
    fleet: Fleet | None
    projected: Projected | None
    fleet_missing: str | None
    pledges_khs06: dict[int, float]

    def flat(self, resource: str) -> Array | None:
        """Flat budget with the expected growth; None where it has no origin."""
        band = {
            "cpu_khs06_years": self.supply.cpu_khs06,
            "disk_pb": self.supply.disk_pb,
            "tape_pb": self.supply.tape_pb,
        }[resource]
        return None if band is None else band.middle

    def gap(self, scenario: Scenario, resource: str) -> Array | None:
        """Flat budget less need: negative where it does not cover it."""
        offer = self.flat(resource)
        return None if offer is None else offer - scenario.need(resource)

    def first_short(self, scenario: Scenario, resource: str, offer: Array | None) -> int | None:
        """The first year in which an offer does not cover the need; None = it always does, or there is no offer."""
        if offer is None:
            return None
        short = (
            scenario.need(resource) > offer
        )  # a comparison with NaN is False: nothing is said of such years
        return self.years[int(np.argmax(short))] if short.any() else None


def outlook(
    names: Sequence[str] = DEFAULT_SCENARIOS,
    sets: Mapping[str, Any] | None = None,
    years: tuple[int | None, int | None] = (None, None),
    fleet: Fleet | None = None,
    fleet_missing: str | None = None,
    pledges_khs06: Mapping[int, float] | None = None,
) -> Outlook:
    """Needs of some scenarios beside flat budget, fleet and pledges.

    Args:
        names: scenarios; each a shipped layer, a file, or several joined by "+".
        sets: dotted key → value, over all of them.
        years: first and last to show; None = as the scenario says.
        fleet: measured capacity.
        fleet_missing: why there is none.
        pledges_khs06: by year.

    Raises:
        ModelError: a scenario cannot be loaded or its assumptions do not fit together.
    """
    asked = dict(zip(("years.first", "years.last"), years, strict=True))
    given = {**(sets or {}), **{key: value for key, value in asked.items() if value is not None}}
    scenarios = []
    made: Plan | None = None
    for name in names:
        loaded = named(name, given)
        computed = plan(loaded.parameters)
        scenarios.append(_scenario(name, loaded, computed))
        made = made or computed
    assert made is not None, "at least one scenario"
    cpu, disk, tape = made.supply
    supply = Supply(_shown(made, cpu), _shown(made, disk), None if tape is None else _shown(made, tape))
    growth = scenarios[0].loaded.parameters.budget.growth
    return Outlook(
        years=made.years,
        scenarios=tuple(scenarios),
        supply=supply,
        fleet=fleet,
        projected=None if fleet is None else project(fleet, growth, made.years),
        fleet_missing=fleet_missing,
        pledges_khs06=dict(pledges_khs06 or {}),
    )


def _shown(made: Plan, band: Band) -> Band:
    return Band(*(made.shown(edge) for edge in band))


def digest_of(loaded: Loaded) -> str:
    """SHA-256 of some assumptions in canonical JSON."""
    text = json.dumps(loaded.parameters.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _scenario(name: str, loaded: Loaded, made: Plan) -> Scenario:
    work, volumes, events = made.work, made.volumes, made.events
    return Scenario(
        name=name,
        title=" + ".join([loaded.parameters.title, *name.split("+")[1:]]),
        loaded=loaded,
        cpu_by_step={step: made.shown(khs06_years(value)) for step, value in work.by_step.items()},
        cpu_power_khs06=made.shown(work.power_hs06 / 1000),
        disk_by_tier={tier: made.shown(value) for tier, value in volumes.disk.items()},
        tape_by_tier={tier: made.shown(value) for tier, value in volumes.tape.items()},
        data_events=made.shown(sum(events.data.values(), np.zeros(1))),
        mc_events=made.shown(sum(events.mc.values(), np.zeros(1))),
        network_pb=made.shown(sum(volumes.moved.values(), np.zeros(1))),
        gpu_khs06_years=made.shown(khs06_years(work.offloaded)),
        relative_cost=made.shown(work.relative_cost),
    )
