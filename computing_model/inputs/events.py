"""How events are counted."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from computing_model.inputs.bounds import ByYear, NotNegative, Part, Positive, Share, Year


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
