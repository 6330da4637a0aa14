"""CPU work of each year by activity and step, and the power that must be there at once."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from computing_model.calendar import Calendar
from computing_model.curves import ramp
from computing_model.events import Events
from computing_model.inputs.processing import STEPS
from computing_model.numbers import Array, Numbers
from computing_model.parameters import Parameters
from computing_model.talk import Line, offload, relative_cost

SECONDS_PER_YEAR = 365.25 * 86400
MONTH_S = 30 * 86400
SIM_STEPS = ("gen", "sim", "digi", "reco_mc")


class Work(NamedTuple):
    """CPU work that has to be provided, efficiency in it; arrays (years,) or (samples, years).

    Attributes:
        by_step: prompt, rereco, gen, sim, digi, reco_mc, analysis → HS06 s.
        by_campaign: MC campaign → HS06 s of all its steps.
        power_hs06: what must be there at once, HS06.
        offloaded: what GPUs take over, as the HS06 s that CPUs would need for it; in no other figure.
        relative_cost: of all work, the GPU's share at the cost ratio; 1 = all on CPUs.
    """

    by_step: dict[str, Array]
    by_campaign: dict[str, Array]
    power_hs06: Array
    offloaded: Array
    relative_cost: Array

    @property
    def total_hs06_s(self) -> Array:
        """All steps."""
        return sum(self.by_step.values(), np.zeros(1))


def khs06_years(work_hs06_s: Array) -> Array:
    """Work in kHS06·years, the unit of CMS's public plots."""
    return work_hs06_s / SECONDS_PER_YEAR / 1000


def work_of(parameters: Parameters, numbers: Numbers, calendar: Calendar, events: Events) -> Work:
    """Work and power of all years."""
    model = _Model(parameters, numbers, calendar)
    prompt, rereco, rereco_power = model.data(events)
    campaigns = {name: model.campaign(name, events) for name in parameters.mc}
    steps: dict[str, Array] = {"prompt": prompt, "rereco": rereco}
    for step in SIM_STEPS:
        steps[step] = sum((made[step] for made in campaigns.values()), np.zeros(1))
    by_campaign = {name: sum(made.values(), np.zeros(1)) for name, made in campaigns.items()}
    rest = sum(steps.values(), np.zeros(1))
    steps["analysis"] = model.analysis(rest)
    power = model.power(prompt, rereco_power, by_campaign, steps["analysis"])
    left = {step: value * model.kept(step) for step, value in steps.items()}
    offloaded = sum((value * model.moved(step) for step, value in steps.items()), np.zeros(1))
    before = sum(steps.values(), np.zeros(1))
    share = np.divide(
        offloaded, before, out=np.zeros(np.broadcast(offloaded, before).shape), where=before > 0
    )
    cost = relative_cost(share, numbers("gpu.cost_ratio"))
    return Work(left, by_campaign, power * _ratio(left, before), offloaded, cost)


def _ratio(left: dict[str, Array], before: Array) -> Array:
    total = sum(left.values(), np.zeros(1))
    return np.divide(total, before, out=np.ones(np.broadcast(total, before).shape), where=before > 0)


class _Model:
    def __init__(self, parameters: Parameters, numbers: Numbers, calendar: Calendar) -> None:
        self._parameters = parameters
        self._numbers = numbers
        self._calendar = calendar
        self._years = calendar.years
        self._efficiency = numbers("cpu.efficiency")

    def time(self, detector: str, step: str, pileup: Array) -> Array:
        """HS06 s an event in each year, R&D and improvements in it."""
        table = self._parameters.detector[detector]
        value = self._numbers.curve(f"detector.{detector}.time_hs06_s.{step}", pileup)
        faster = ramp(table.improvement, self._years)
        faster = np.where(np.array(self._years) < table.improvement_from, 1.0, faster)
        tuned = "reco" if step.startswith("reco") else step
        assert tuned in STEPS
        factor = (1 - self._numbers(f"{tuned}.reduction")) / self._numbers(f"{tuned}.speedup")
        applies = np.array(self._years) >= self._parameters.rnd.first_year
        result: Array = value / np.cumprod(faster) * np.where(applies, factor, 1.0)
        return result

    def moved(self, step: str) -> Array | float:
        """Share of a step that GPUs take over."""
        gpu = self._parameters.gpu
        part = {"sim": "sim", "prompt": "reco", "rereco": "reco", "reco_mc": "reco"}.get(step)
        if part is None or gpu.use == "none":
            return 0.0
        lines = [
            Line(
                name,
                self._numbers(f"gpu.kernel.{name}.share"),
                self._numbers(f"gpu.kernel.{name}.probability"),
                one.group,
            )
            for name, one in gpu.kernel.items()
            if one.step == part
        ]
        share: Array | float = offload(lines, weighted=gpu.use == "weighted")
        return share

    def kept(self, step: str) -> Array | float:
        """Share of a step that stays on CPUs, with the overhead of what moves."""
        share: Array | float = 1 - self.moved(step) * (1 - self._numbers("gpu.overhead"))
        return share

    def data(self, events: Events) -> tuple[Array, Array, Array]:
        """Prompt work, work of re-reconstruction, and power of the latter."""
        power = self._parameters.power
        full: Array = np.zeros(len(self._years))
        again: Array = np.zeros(len(self._years))
        for name, run in self._parameters.run.items():
            pileup = self._numbers(f"run.{name}.pileup") * np.ones(len(self._years))
            once = events.data[name] * self.time(run.detector, "reco_data", pileup) / self._efficiency
            full = full + once
            again = again + self._again(events.data[name], run.detector, pileup)
        prompt = self._numbers("passes.prompt") * full
        rereco = self._numbers("passes.rereco") * full + again
        in_year = full * self._numbers("power.rereco_in_year_share") / (power.rereco_in_year_months * MONTH_S)
        in_all = full / (power.rereco_full_months * MONTH_S)
        return prompt, rereco, np.maximum(in_year, in_all) + again / SECONDS_PER_YEAR

    def _again(self, data: Array, detector: str, pileup: Array) -> Array:
        """Data of the last running year, times `shutdown.data_years`, with the times of the shutdown's first year."""
        time = self.time(detector, "reco_data", pileup)
        again: Array = (
            self._in_shutdowns(data, self._numbers("shutdown.data_years")) * time / self._efficiency
        )
        return again

    def _in_shutdowns(self, of_year: Array, times: Array) -> Array:
        columns = []
        for index, year in enumerate(self._years):
            again = self._calendar.starts_shutdown(year) and year >= self._parameters.shutdown.first_year
            columns.append(of_year[..., [index - 1]] * times if again else np.zeros((*of_year.shape[:-1], 1)))
        return np.concatenate(np.broadcast_arrays(*columns), axis=-1)

    def campaign(self, name: str, events: Events) -> dict[str, Array]:
        """Work of each step of a campaign."""
        campaign = self._parameters.mc[name]
        shutdown = self._parameters.shutdown
        made = events.mc[name]
        remade = np.zeros(made.shape)
        if name in shutdown.campaigns:
            remade = self._in_shutdowns(made, self._numbers("shutdown.mc_years"))
            made = np.where((remade > 0) & ~np.bool_(shutdown.mc_from_digi), 0.0, made)
        fast = self._numbers("simulation.fast_chain.share")
        chain = (1 - fast) + fast / self._numbers("simulation.fast_chain.speedup")
        chain = np.where(np.array(self._years) >= self._parameters.rnd.first_year, chain, 1.0)
        work = {}
        for step in SIM_STEPS:
            time = self.time(campaign.detector, step, events.pileup[name])
            count = made if shutdown.mc_from_digi and step in ("gen", "sim") else made + remade
            work[step] = count * time * (chain if step in ("sim", "reco_mc") else 1.0) / self._efficiency
        return work

    def analysis(self, rest: Array) -> Array:
        """A share of the rest, or a factor on the year before."""
        growth = self._parameters.analysis.growth
        share = self._numbers.curve("analysis.share_of_rest", np.array(self._years, dtype=float)) * rest
        columns: list[Array] = []
        for index, year in enumerate(self._years):
            grown = year in growth and bool(columns)
            columns.append(columns[-1] * growth[year] if grown else share[..., [index]])
        return np.concatenate(np.broadcast_arrays(*columns), axis=-1)

    def power(
        self, prompt: Array, rereco_power: Array, campaigns: dict[str, Array], analysis: Array
    ) -> Array:
        """Prompt within the live time, re-reconstruction within months, MC and analysis within the year."""
        livetime: Array = np.zeros(len(self._years))
        for index, year in enumerate(self._years):
            run = self._calendar.run_of.get(year)
            if run is not None:
                first = year in self._calendar.first_years
                part = self._numbers(f"run.{run}.first_year_share") if first else 1.0
                unit = np.eye(1, len(self._years), index)[0]
                livetime = livetime + self._numbers(f"run.{run}.livetime_s") * part * unit
        at_once = np.divide(
            prompt, livetime, out=np.zeros(np.broadcast(prompt, livetime).shape), where=livetime > 0
        )
        new = np.isin(self._years, self._parameters.power.new_detector_years)
        mc = sum(campaigns.values(), np.zeros(1)) / np.where(new, SECONDS_PER_YEAR / 2, SECONDS_PER_YEAR)
        result: Array = at_once + rereco_power + mc + analysis / SECONDS_PER_YEAR
        return result
