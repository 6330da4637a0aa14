"""The assumptions of a plan, typed and bounded. Every leaf that is a number may be varied."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from computing_model.provenance import Provenance

Share = Annotated[float, Field(ge=0, le=1)]
NotNegative = Annotated[float, Field(ge=0)]
Positive = Annotated[float, Field(gt=0)]
Year = Annotated[int, Field(ge=2000, le=2100)]
ByYear = Annotated[dict[Year, float], Field(min_length=1)]
ByPileup = Annotated[dict[Annotated[int, Field(gt=0, le=1000)], NotNegative], Field(min_length=1)]
ByAge = Annotated[tuple[NotNegative, ...], Field(min_length=1, max_length=30)]

STEPS = ("gen", "sim", "digi", "reco")
"""Steps whose time an R&D line changes; RECO of data and of simulation change together."""


class Part(BaseModel):
    """A table of the assumptions: nothing unknown, nothing infinite."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Years(Part):
    """Years that are printed; events before the first are counted in what is stored."""

    first: Year
    last: Year


class Run(Part):
    """Years of data taking with one detector and one kind of beam.

    Attributes:
        first_year: of data taking.
        last_year: of data taking.
        detector: key of `detector`.
        pileup: mean number of collisions a bunch crossing.
        luminosity_fb: delivered in a full year, fb⁻¹.
        livetime_s: of proton collisions in a full year.
        hlt_rate_hz: prompt rate of the high-level trigger.
        first_year_share: of a full year's live time and luminosity in the first year.
    """

    first_year: Year
    last_year: Year
    detector: str
    pileup: Positive
    luminosity_fb: NotNegative
    livetime_s: NotNegative
    hlt_rate_hz: NotNegative
    first_year_share: Share = 1.0


class Schedule(Part):
    """A delay of the machine: run `shift_from` and all later ones begin and end `shift_years` later."""

    shift_from: str | None = None
    shift_years: Annotated[int, Field(ge=-10, le=20)] = 0


class Times(Part):
    """Time of each step, HS06 s an event, by pile-up; between two of them on a straight line."""

    gen: ByPileup
    sim: ByPileup
    digi: ByPileup
    reco_data: ByPileup
    reco_mc: ByPileup


class Detector(Part):
    """What events of one detector cost.

    Attributes:
        time_hs06_s: of each step.
        improvement: year → factor by which software became faster in that year, straight lines between;
            the product of all years since `improvement_from` divides the times.
        improvement_from: first year of that product.
    """

    time_hs06_s: Times
    improvement: ByYear = {2000: 1.0}
    improvement_from: Year = 2000


class Tuning(Part):
    """What R&D does to the time of one step: (1 - reduction) / speedup, from `rnd.first_year` on."""

    reduction: Annotated[float, Field(ge=0, lt=1)] = 0.0
    speedup: Positive = 1.0


class Research(Part):
    """From which year R&D pays, and what it takes off the sizes of events and off the MC events beyond N = 1."""

    first_year: Year = 2000
    negative_weight_reduction: Share = 0.0
    raw_size_reduction: Annotated[float, Field(ge=0, lt=1)] = 0.0
    aod_size_reduction: Annotated[float, Field(ge=0, lt=1)] = 0.0
    miniaod_size_reduction: Annotated[float, Field(ge=0, lt=1)] = 0.0
    nanoaod_size_reduction: Annotated[float, Field(ge=0, lt=1)] = 0.0


class ByLuminosity(Part):
    """MC events of a year: offset + N · per_fb · recorded luminosity (talk: 9 + N·0.2·L in 10⁹)."""

    rule: Literal["luminosity"]
    detector: str
    runs: Annotated[tuple[str, ...], Field(min_length=1)]
    offset_events: NotNegative
    events_per_fb: NotNegative
    shutdown_share: Share = 1.0
    """Of the last running year's events in a year of shutdown after it."""


class ByData(Part):
    """MC events of a year as a ratio to data (CMS model of 2017).

    The ratio is to the largest of: data of this year; of the last running year, in a shutdown; of `era_year`, while that
    is to come.
    """

    rule: Literal["data"]
    detector: str
    era_year: Year
    pileup: Positive
    ratio: ByYear


Campaign = Annotated[ByLuminosity | ByData, Field(discriminator="rule")]


class FastChain(Part):
    """Share of MC events that the fast chain makes from `rnd.first_year` on, and how much faster its SIM and RECO are."""

    share: Share = 0.0
    speedup: Positive = 1.0


class Simulation(Part):
    """What holds for all MC campaigns."""

    negative_weight_factor: Annotated[float, Field(ge=1)] = 1.0
    fast_chain: FastChain = FastChain()


class Data(Part):
    """Collected events = HLT rate · live time · overlap; recorded luminosity = delivered · efficiency."""

    event_overlap_factor: Positive = 1.0
    luminosity_recording_efficiency: Share = 1.0


class Passes(Part):
    """How often data of a running year are reconstructed; `prompt` includes express, repack and calibration."""

    prompt: NotNegative
    rereco: NotNegative


class Shutdown(Part):
    """What is done again in the first year of a shutdown.

    Attributes:
        data_years: running years of data to be reconstructed again; 0 = none.
        mc_years: times the last running year's MC events of `campaigns` are made again, in place of new ones; 0 = none.
        campaigns: keys of `mc`.
        first_year: shutdowns that begin earlier are not touched.
        mc_from_digi: MC is only digitised and reconstructed again.
    """

    data_years: NotNegative = 0.0
    mc_years: NotNegative = 0.0
    campaigns: tuple[str, ...] = ()
    first_year: Year = 2000
    mc_from_digi: bool = False


class Analysis(Part):
    """Work of analysis: by year a share of all other work, but in the years of `growth` a factor on the year before."""

    share_of_rest: Annotated[dict[Year, NotNegative], Field(min_length=1)]
    growth: dict[Year, NotNegative] = {}


class Power(Part):
    """What must be there at once, HS06: work over the time in which it has to be done.

    Attributes:
        rereco_in_year_share: of a year's data, within `rereco_in_year_months`.
        rereco_in_year_months: of 30 days.
        rereco_full_months: for all of a year's data.
        new_detector_years: MC of these years is to be made in half of the year.
    """

    rereco_in_year_share: Share = 0.25
    rereco_in_year_months: Positive = 1.0
    rereco_full_months: Positive = 3.0
    new_detector_years: tuple[Year, ...] = ()


class Kernel(Part):
    """One kernel that may run on GPUs.

    Attributes:
        step: that it is a part of.
        share: of that step's CPU time.
        probability: that it will be offloaded.
        group: kernels of one group do the same work in two ways, so only the larger counts; None = alone.
    """

    step: Literal["sim", "reco"]
    share: Share
    probability: Share
    group: str | None = None


class Gpu(Part):
    """An added layer, never inside the three scenarios: work that GPUs take over from the CPUs.

    Attributes:
        use: "none", "weighted" by the kernels' probabilities, or "all" of them.
        kernel: name → kernel.
        overhead: CPU time for transfers and launches, as a share of what moves.
        cost_ratio: CPU over GPU, cost of one unit of computation; for cost only, never for capacity.
    """

    use: Literal["none", "weighted", "all"] = "none"
    kernel: dict[str, Kernel] = {}
    overhead: Share = 0.0
    cost_ratio: Positive = 2.8


class Cpu(Part):
    """CPU efficiency, applied once: work / efficiency is what has to be provided."""

    efficiency: Annotated[float, Field(gt=0, le=1)] = 1.0


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
    static_disk_pb: ByYear = {2000: 0.0}
    static_tape_pb: ByYear = {2000: 0.0}
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


class Success(Part):
    """A line of R&D that succeeds or not: with `probability` it takes `reduction` of what other lines leave."""

    kind: Literal["success"]
    name: str
    keys: Annotated[tuple[str, ...], Field(min_length=1)]
    probability: Share
    reduction: Share


class Factor(Part):
    """A factor on numbers, log-normal: 68 % of it between low and high."""

    kind: Literal["factor"]
    name: str
    keys: Annotated[tuple[str, ...], Field(min_length=1)]
    low: Positive
    high: Positive


class Between(Part):
    """A number anywhere between low and high."""

    kind: Literal["between"]
    name: str
    keys: Annotated[tuple[str, ...], Field(min_length=1)]
    low: float
    high: float


Uncertain = Annotated[Success | Factor | Between, Field(discriminator="kind")]


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
    tier: dict[str, Tier] = {}
    storage: Storage = Storage()
    budget: Budget
    uncertain: tuple[Uncertain, ...] = ()
    provenance: dict[str, Provenance] = {}

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
