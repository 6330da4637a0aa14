"""The machine and the detector: years, runs, times of an event."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from computing_model.inputs.bounds import ByPileup, ByYear, NotNegative, Part, Positive, Share, Year


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
    improvement: ByYear = Field(default={2000: 1.0})
    improvement_from: Year = 2000
