"""Our scenarios beside what CMS published in 2021 (CMS Public, digitised)."""

from __future__ import annotations

import csv
from functools import cache
from importlib import resources
from typing import NamedTuple

import numpy as np

from computing_model.outlook import Outlook, Scenario, outlook

COLUMNS = {
    "baseline": {"cpu_khs06_years": "no_rnd_kHS06_years", "disk_pb": "no_rnd_PB"},
    "weighted-probable": {
        "cpu_khs06_years": "rnd_most_probable_kHS06_years",
        "disk_pb": "rnd_most_probable_PB",
    },
}
_FILES = {"cpu_khs06_years": "cms_public_2021_cpu", "disk_pb": "cms_public_2021_disk"}
PLATEAUS = {"Run 4": (2028, 2030), "Run 5": (2033, 2034)}
"""Years of full running in the plots of 2021."""
WHY = (
    "The plots of 2021 hold neither the fast chain nor the end of negative weights, which the weighted-probable scenario of"
    " 2022 has; without these two our plateaus are 0.96 and 1.00 of theirs."
)


class Plateau(NamedTuple):
    """Mean CPU need of the full years of a run.

    Attributes:
        run: which.
        ours_khs06_years: of our scenario.
        theirs_khs06_years: of the plot.
    """

    run: str
    ours_khs06_years: float
    theirs_khs06_years: float

    @property
    def ratio(self) -> float:
        """Ours over theirs."""
        return self.ours_khs06_years / self.theirs_khs06_years


@cache
def curve(scenario: str, resource: str) -> dict[int, float]:
    """A digitised curve by year; scenario and resource of `COLUMNS`."""
    text = (resources.files("computing_model") / "data" / f"{_FILES[resource]}.csv").read_text("utf-8")
    rows = csv.DictReader(line for line in text.splitlines() if not line.startswith("#"))
    return {int(row["year"]): float(row[COLUMNS[scenario][resource]]) for row in rows}


def plateaus(made: Outlook, scenario: Scenario, published: str) -> tuple[Plateau, ...]:
    """Mean CPU needs of full running years beside the published ones."""
    theirs = curve(published, "cpu_khs06_years")
    found = []
    for run, (first, last) in PLATEAUS.items():
        years = [year for year in range(first, last + 1) if year in made.years]
        ours = scenario.need("cpu_khs06_years")[[made.years.index(year) for year in years]]
        found.append(Plateau(run, float(np.mean(ours)), float(np.mean([theirs[year] for year in years]))))
    return tuple(found)


def beside() -> Outlook:
    """The two scenarios that were published, over the published years."""
    return outlook(("baseline", "weighted-probable"), years=(2021, 2034))
