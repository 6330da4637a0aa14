"""The page of the computing model: what was asked by form, and the needs that follow."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from urllib.parse import urlencode

from pydantic import Field

from capacity.errors import BadInputError
from capacity.fleet.model import Roll
from capacity.service.planning import fleet_of
from capacity.service.views.common import View
from computing_model.errors import ModelError
from computing_model.layers import assignments, described
from computing_model.numbers import leaves
from computing_model.outlook import DEFAULT_SCENARIOS, Outlook, Scenario, outlook
from computing_model.render.table import UNITS, columns_of, ending
from computing_model.supply import pledged

SCENARIOS = DEFAULT_SCENARIOS
SCHEDULES = {"": "as in the talk of 2022", "schedule-2030": "HL-LHC from June 2030"}
BUDGETS = {
    "": "pledges of 2018, 15 ± 5 %",
    "flat-2019": "origin of CMS's plots, 15 ± 5 %",
    "flat-2025": "WLCG proposal 2025, 10 ± 5 %",
}
GPUS = {"": "none, as in the talk", "gpu-probable": "weighted probable", "gpu-optimistic": "optimistic"}
PARAMETERS: dict[str, tuple[str, str]] = {
    "reco.speedup": ("Reconstruction is faster by", "×"),
    "sim.speedup": ("Simulation is faster by", "×"),
    "simulation.fast_chain.share": ("Share of the fast chain", "0–1"),
    "run.run4.pileup": ("Pile-up of Run 4", ""),
    "run.run4.hlt_rate_hz": ("HLT rate of Run 4", "Hz"),
    "run.run5.hlt_rate_hz": ("HLT rate of Run 5", "Hz"),
    "budget.growth": ("Growth under flat budget", "a year"),
}
"""Key → label and unit of the parameters that the form shows; any other goes into its free field."""
MAX_SETS = 30


class Asked(View):
    """What the form sends; the address of the page holds all of it, so that a link gives the same view."""

    scenario: tuple[str, ...] = Field(default=SCENARIOS, description="shipped scenarios")
    schedule: str = ""
    flat: str = Field(default="", description="preset of the flat budget")
    gpu: str = Field(default="", description="GPU layer; no scenario of the talk has one")
    set: tuple[str, ...] = Field(default=(), description="KEY=VALUE, any assumption")

    @property
    def given(self) -> dict[str, str]:
        """Key → value, as it was written."""
        return {key.strip(): value.strip() for key, _, value in (one.partition("=") for one in self.set)}

    @property
    def free(self) -> tuple[str, ...]:
        """Assumptions that have no field of their own."""
        return tuple(one for one in self.set if one.partition("=")[0].strip() not in PARAMETERS)

    @property
    def query(self) -> str:
        """The query string that asks for this again."""
        pairs = [("scenario", one) for one in self.scenario]
        pairs += [(name, value) for name in ("schedule", "flat", "gpu") if (value := getattr(self, name))]
        return urlencode(pairs + [("set", one) for one in self.set])


class Column(View):
    """One column of the table of a resource."""

    title: str
    need: bool = Field(description="a need; otherwise what there is")
    values: tuple[float | None, ...]
    short: tuple[bool, ...] = Field(
        description="the need is more than the flat budget with its expected growth"
    )


class Resource(View):
    """CPU, disk or tape by year."""

    name: str
    title: str
    columns: tuple[Column, ...]
    endings: tuple[str, ...] = Field(
        description="one sentence a scenario: when each supply stops covering the need"
    )


class Used(View):
    """A scenario as it was computed."""

    name: str
    title: str
    inputs_sha256: str
    gpu_khs06_years: tuple[float, ...] = Field(
        description="work on GPUs as what CPUs would need; in no CPU column"
    )
    relative_cost: tuple[float, ...] = Field(description="with GPUs at their cost ratio; 1 = all on CPUs")


class Source(View):
    """Where an assumption comes from."""

    key: str
    status: str
    source: str


class Choice(View):
    """One field of the form in which one of some layers is chosen."""

    name: str
    label: str
    options: dict[str, str]


class Parameter(View):
    """One number that the form shows by itself."""

    key: str
    label: str
    unit: str
    now: float


class PlanView(View):
    """Needs of CMS beside what there is."""

    asked: Asked
    query: str
    offered: tuple[str, ...] = Field(description="scenarios that the form offers")
    years: tuple[int, ...]
    resources: tuple[Resource, ...]
    scenarios: tuple[Used, ...]
    layers: dict[str, str] = Field(description="what ships, with a sentence each")
    sources: tuple[Source, ...]
    fleet_says: str
    choices: tuple[Choice, ...]
    parameters: tuple[Parameter, ...]
    generated_at: datetime


def asked_of(
    scenario: Sequence[str] | None,
    schedule: str,
    flat: str,
    gpu: str,
    sets: Sequence[str] | None,
    fields: Mapping[str, str],
) -> Asked:
    """What a form or a link says: lines of assumptions, and a field for some; an empty field is no assumption."""
    lines = [line.strip() for text in sets or () for line in text.splitlines()]
    named = [f"{key}={value.strip()}" for key in PARAMETERS if (value := fields.get(key, "")).strip()]
    given = tuple(line for line in (*lines, *named) if line)
    return Asked(scenario=tuple(scenario or SCENARIOS), schedule=schedule, flat=flat, gpu=gpu, set=given)


def outlook_of(asked: Asked, cms: Roll | None, now: datetime) -> Outlook:
    """Compute what was asked.

    Args:
        asked: by the form.
        cms: sum of the fleet; None = not wanted.
        now: when it was summed.

    Raises:
        BadInputError: an assumption is not known or not possible.
    """
    for chosen, known in ((asked.schedule, SCHEDULES), (asked.flat, BUDGETS), (asked.gpu, GPUS)):
        if chosen not in known:
            raise BadInputError(
                f"there is no choice {chosen[:40]!r}; known: {', '.join(filter(None, known))}"
            )
    if len(asked.set) > MAX_SETS:
        raise BadInputError(
            f"more than {MAX_SETS} assumptions at once: put them into a file for `capacity plan`"
        )
    shipped = dict(described())
    for name in asked.scenario:
        if name not in shipped:  # files are for the command line; a page reads none
            raise BadInputError(f"there is no scenario {name[:40]!r}; known: {', '.join(SCENARIOS)}")
    joined = [layer for layer in (asked.schedule, asked.flat, asked.gpu) if layer]
    measured, missing = (None, "not asked for") if cms is None else fleet_of(cms, now, "this service")
    promised = (
        {}
        if cms is None or cms.pledge_hs23 is None or cms.pledge_year is None
        else {cms.pledge_year: cms.pledge_hs23 / 1000}
    )
    try:
        return outlook(
            ["+".join([name, *joined]) for name in asked.scenario or SCENARIOS],
            assignments(asked.set),
            fleet=measured,
            fleet_missing=missing,
            pledges_khs06=pledged(promised, "pledges of this service"),
        )
    except ModelError as error:
        raise BadInputError(str(error)) from None


def plan_view(asked: Asked, cms: Roll | None, now: datetime) -> PlanView:
    """The page.

    Raises:
        BadInputError: see `outlook_of`.
    """
    made = outlook_of(asked, cms, now)
    numbers = dict(leaves(made.scenarios[0].loaded.parameters))
    return PlanView(
        asked=asked,
        query=asked.query,
        offered=SCENARIOS,
        years=made.years,
        resources=tuple(_resource(made, name, title) for name, title in UNITS.items()),
        scenarios=tuple(_used(scenario) for scenario in made.scenarios),
        layers=dict(described()),
        sources=tuple(
            Source(key=key, **entry.model_dump())
            for key, entry in sorted(made.scenarios[0].loaded.parameters.provenance.items())
        ),
        fleet_says=_fleet_says(made),
        choices=(
            Choice(name="schedule", label="Schedule", options=SCHEDULES),
            Choice(name="flat", label="Flat budget", options=BUDGETS),
            Choice(name="gpu", label="GPU layer", options=GPUS),
        ),
        parameters=tuple(
            Parameter(key=key, label=label, unit=unit, now=now_is)
            for key, (label, unit) in PARAMETERS.items()
            if (now_is := numbers.get(key)) is not None
        ),
        generated_at=now,
    )


def _resource(made: Outlook, name: str, title: str) -> Resource:
    offer = made.flat(name)
    columns = []
    for number, (heading, values) in enumerate(columns_of(made, name)):
        need = number < len(made.scenarios)
        short = [
            need and offer is not None and bool(value > limit)
            for value, limit in zip(values, offer if offer is not None else values, strict=True)
        ]
        numbers = tuple(None if math.isnan(value) else float(value) for value in values)
        columns.append(Column(title=heading, need=need, values=numbers, short=tuple(short)))
    endings = tuple(f"{scenario.title}: {ending(made, scenario, name)}" for scenario in made.scenarios)
    return Resource(name=name, title=title, columns=tuple(columns), endings=endings)


def _used(scenario: Scenario) -> Used:
    return Used(
        name=scenario.name,
        title=scenario.title,
        inputs_sha256=scenario.digest,
        gpu_khs06_years=tuple(float(value) for value in scenario.gpu_khs06_years),
        relative_cost=tuple(float(value) for value in scenario.relative_cost),
    )


def _fleet_says(made: Outlook) -> str:
    if made.fleet is None:
        return f"no fleet: {made.fleet_missing}"
    value, low, high = made.fleet.nominal_khs06
    return (
        f"{value:,.1f} kHS06-equivalent ({low:,.1f} to {high:,.1f}, 68 %) of {made.fleet.source}, usable"
        f" {made.fleet.usable_khs06[0]:,.1f}, carried on with the growth of the flat budget;"
        f" {made.fleet.provisional_share:.0%} of it stand on a provisional calibration"
    )
