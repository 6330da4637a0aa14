"""Which year belongs to which run, after a delay of the machine."""

from __future__ import annotations

from typing import NamedTuple

from computing_model.errors import ModelError
from computing_model.parameters import Parameters


class Calendar(NamedTuple):
    """Years of a plan.

    Attributes:
        years: all that are computed, from the first of any run or the first printed one.
        first_shown: index in `years` of the first year that is printed.
        run_of: year → key of the run that takes data in it; absent = shutdown.
        first_years: first years of runs.
    """

    years: tuple[int, ...]
    first_shown: int
    run_of: dict[int, str]
    first_years: frozenset[int]

    def last_running(self, year: int) -> int | None:
        """The last year of data taking up to this one; None before all."""
        return max((running for running in self.run_of if running <= year), default=None)

    def starts_shutdown(self, year: int) -> bool:
        """This is the first year without data after one with data."""
        return year not in self.run_of and year - 1 in self.run_of


def calendar_of(parameters: Parameters) -> Calendar:
    """The calendar of some assumptions.

    Raises:
        ModelError: a run ends before it begins, two runs claim one year, or no run overlaps the years asked for.
    """
    run_of: dict[int, str] = {}
    first_years = set()
    shift, moved_from = parameters.schedule.shift_years, None
    if parameters.schedule.shift_from is not None:
        moved_from = parameters.run[parameters.schedule.shift_from].first_year
    for name, run in parameters.run.items():
        delay = shift if moved_from is not None and run.first_year >= moved_from else 0
        if run.last_year < run.first_year:
            raise ModelError(f"run.{name}: last_year {run.last_year} is before first_year {run.first_year}")
        first_years.add(run.first_year + delay)
        for year in range(run.first_year + delay, run.last_year + delay + 1):
            if year in run_of:
                raise ModelError(
                    f"run.{name} and run.{run_of[year]} both take data in {year}: mend their years"
                )
            run_of[year] = name
    years = parameters.years
    if not any(running <= years.last for running in run_of):
        raise ModelError(
            f"years: no run takes data up to {years.last}; runs begin in {min(run_of)}: ask for later years"
        )
    begin = min(years.first, *run_of)
    return Calendar(tuple(range(begin, years.last + 1)), years.first - begin, run_of, frozenset(first_years))
