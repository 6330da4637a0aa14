"""Capacity by day: of a site, a federation, a country, or of all of CMS.

A day that is over stays as it was summed then: under that day's calibration, membership and profiles. What comes late, and
what is estimated anew, changes the sums from the day on which it came. Today is the sum of this moment.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

from pydantic import Field

from capacity.errors import NotFoundError
from capacity.fleet.model import Roll
from capacity.fleet.rollup import RollKind
from capacity.service.views.common import RollRow, View, roll_row
from capacity.service.views.sums import Sums
from capacity.store import history
from capacity.store.database import Database
from capacity.store.history import CapacityDay

KEPT_ON_PAGES = timedelta(days=400)
"""A little more than the year of a pledge."""


class HistoryDay(View):
    """What something was said to be worth at the end of a day (UTC); of today, at this moment."""

    day: date
    hs23: float = Field(description="sum over nodes that were seen lately")
    low: float | None = Field(default=None, description="of 68 %; null = not known of this day")
    high: float | None = None
    hs23_usable: float | None = Field(default=None, description="behind open gates; null = not known")
    granted_cores: float | None = None
    nodes: int = Field(description="with a figure")
    pledge_hs23: float | None = Field(default=None, description="held against it then; null = none")
    calibration_version: str | None = Field(default=None, description="in use then; null = not known")


class HistoryView(View):
    """Everything the page of a history shows."""

    generated_at: datetime
    kind: RollKind
    name: str
    row: RollRow | None = Field(description="as of now; null = it has no node any more")
    history: tuple[HistoryDay, ...] = Field(description="latest first")


def day_of(roll: Roll, at: datetime, calibration_version: str | None) -> CapacityDay:
    """The sum of a moment as that of its day (UTC)."""
    return CapacityDay(
        kind=roll.kind,
        name=roll.name,
        day=at.astimezone(UTC).date(),
        at=at,
        nodes=sum(roll.methods.values()),
        granted_cores=roll.granted_cores,
        hs23=roll.hs23.value,
        low=roll.hs23.low,
        high=roll.hs23.high,
        hs23_usable=roll.hs23_usable.value,
        pledge_hs23=roll.pledge_hs23,
        calibration_version=calibration_version,
    )


def days_of(sums: Sums) -> list[CapacityDay]:
    """All sums of a moment; none while there is no node."""
    if not sums.cms.nodes:
        return []
    rolls = [sums.cms, *sums.sites, *sums.federations, *sums.countries]
    return [day_of(roll, sums.at, sums.calibration_version) for roll in rolls if roll.nodes]


def record(database: Database, sums: Sums) -> None:
    """Write the day's sums down; again on the same day replaces them.

    Raises:
        UnavailableError: the database cannot be asked; the next time makes up for it.
    """
    with database.session() as session:
        history.put(session, days_of(sums))


def shown(kept: Sequence[CapacityDay], today: CapacityDay | None) -> tuple[HistoryDay, ...]:
    """Days that were kept with the sum of this moment, latest first."""
    days = [one for one in kept if today is None or one.day < today.day]
    if today is not None and (days or today.nodes):
        days.append(today)
    return tuple(
        HistoryDay(**{name: getattr(one, name) for name in HistoryDay.model_fields}) for one in reversed(days)
    )


def history_view(database: Database, sums: Sums, kind: RollKind, name: str) -> HistoryView:
    """The history of a federation, a country, a site or CMS.

    Raises:
        NotFoundError: nothing was ever known under this name.
        UnavailableError: the database cannot be asked.
    """
    roll = next((one for one in _rolls(sums, kind) if one.name == name), None)
    with database.reading() as session:
        kept = history.days(session, kind, name, (sums.at - KEPT_ON_PAGES).date())
    if roll is None and not kept:
        raise NotFoundError(f"nothing is known of the {kind} {name}: the overview lists what is")
    today = None if roll is None else day_of(roll, sums.at, sums.calibration_version)
    return HistoryView(
        generated_at=sums.at,
        kind=kind,
        name=name,
        row=None if roll is None else roll_row(roll),
        history=shown(kept, today),
    )


def _rolls(sums: Sums, kind: RollKind) -> Sequence[Roll]:
    return {
        "cms": [sums.cms],
        "site": sums.sites,
        "federation": sums.federations,
        "country": sums.countries,
    }[kind]
