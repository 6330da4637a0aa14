"""The assumptions of a plan, typed and bounded. Every leaf that is a number may be varied."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from computing_model.inputs.bounds import Part
from computing_model.inputs.events import ByLuminosity, Campaign, Data, Simulation
from computing_model.inputs.machine import Detector, Run, Schedule, Years
from computing_model.inputs.processing import Analysis, Cpu, Gpu, Passes, Power, Research, Shutdown, Tuning
from computing_model.inputs.supplies import Budget, Storage, Tier
from computing_model.inputs.uncertain import Uncertain
from computing_model.provenance import Provenance


class Parameters(Part):
    """All assumptions of one plan."""

    title: str
    years: Years
    schedule: Schedule = Schedule()
    run: Annotated[dict[str, Run], Field(min_length=1)]
    detector: Annotated[dict[str, Detector], Field(min_length=1)]
    data: Data = Data()
    mc: Annotated[dict[str, Campaign], Field(min_length=1)]
    simulation: Simulation = Simulation()
    passes: Passes
    shutdown: Shutdown = Shutdown()
    analysis: Analysis
    cpu: Cpu = Cpu()
    gpu: Gpu = Gpu()
    power: Power = Power()
    gen: Tuning = Tuning()
    sim: Tuning = Tuning()
    digi: Tuning = Tuning()
    reco: Tuning = Tuning()
    rnd: Research = Research()
    tier: dict[str, Tier] = Field(default_factory=dict)
    storage: Storage = Storage()
    budget: Budget
    uncertain: tuple[Uncertain, ...] = ()
    provenance: dict[str, Provenance] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.years.last < self.years.first:
            raise ValueError(f"years: last ({self.years.last}) is before first ({self.years.first})")
        known = set(self.detector)
        users = {f"run.{name}": run.detector for name, run in self.run.items()}
        users |= {f"mc.{name}": campaign.detector for name, campaign in self.mc.items()}
        for key, detector in users.items():
            if detector not in known:
                raise ValueError(
                    f"{key}.detector: there is no detector {detector!r}; known: {', '.join(sorted(known))}"
                )
        for name, campaign in self.mc.items():
            for run in campaign.runs if isinstance(campaign, ByLuminosity) else ():
                if run not in self.run:
                    raise ValueError(f"mc.{name}.runs: there is no run {run!r}; known: {', '.join(self.run)}")
        for name in self.shutdown.campaigns:
            if name not in self.mc:
                raise ValueError(
                    f"shutdown.campaigns: there is no MC campaign {name!r}; known: {', '.join(self.mc)}"
                )
        if self.schedule.shift_from is not None and self.schedule.shift_from not in self.run:
            raise ValueError(f"schedule.shift_from: there is no run {self.schedule.shift_from!r}")
        return self
