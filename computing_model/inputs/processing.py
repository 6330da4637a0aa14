"""What is done with events, and what R&D makes of it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from computing_model.inputs.bounds import NotNegative, Part, Positive, Share, Year

STEPS = ("gen", "sim", "digi", "reco")
"""Steps whose time an R&D line changes; RECO of data and of simulation change together."""


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
    growth: dict[Year, NotNegative] = Field(default_factory=dict)


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
    kernel: dict[str, Kernel] = Field(default_factory=dict)
    overhead: Share = 0.0
    cost_ratio: Positive = 2.8


class Cpu(Part):
    """CPU efficiency, applied once: work / efficiency is what has to be provided."""

    efficiency: Annotated[float, Field(gt=0, le=1)] = 1.0
