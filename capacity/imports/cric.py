"""CRIC, the grid's information system: federations with their pledges, and the sites of CMS.

Federations: `/api/core/federation/query/?json` of wlcg-cric, an object by federation with `name`, `accounting_name`,
`pledges` → year → Q1…Q4 → `cms` → `CPU` (HS06, since 2023 HS23, 1:1 by WLCG policy). A pledge year begins on 1 April, so
Q1 is April to June. Sites: `/api/cms/site/query/?json` of cms-cric, an object by site name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date

from capacity.errors import BadInputError
from capacity.fleet.model import Pledge, SiteInfo
from capacity.imports.model import Imported
from capacity.imports.reading import at, bounded, integer, json_of, number, shown, text

VO = "cms"
_SITE = re.compile(r"T[0-9]_[A-Z]{2}_[A-Za-z0-9_]{1,48}")
_STORAGE_ONLY = ("_Disk", "_Buffer", "_Export", "_MSS")
_MAX_HS23 = 1e9  # the whole of WLCG pledges some 2e7


def pledge_quarter(today: date) -> tuple[int, int]:
    """Pledge year and quarter of a day: 1 April 2026 begins Q1 of 2026, 31 March 2027 is in its Q4."""
    return (today.year - 1, 4) if today.month < 4 else (today.year, (today.month - 1) // 3)


def read_federations(data: bytes, today: date) -> Imported:
    """CPU pledges of all years; of the current year as they stand in its current quarter, of others in the last one.

    Raises:
        BadInputError: it is not CRIC's list of federations.
    """
    value = json_of(data, "CRIC's list of federations")
    if not isinstance(value, dict) or not any(at(one, "pledges") is not None for one in value.values()):
        raise BadInputError(
            "this is not CRIC's list of federations: fetch /api/core/federation/query/?json from wlcg-cric.cern.ch"
        )
    pledges: list[Pledge] = []
    problems: list[str] = []
    for key, entry in value.items():
        name = text(at(entry, "name"), 120) or text(key, 120)
        years = at(entry, "pledges")
        if name is None or not isinstance(years, Mapping):
            problems.append(f"federation {shown(key)} has no name or no pledges")
            continue
        for year, quarters in years.items():
            found = _pledge(name, year, quarters, today, problems)
            if found is not None:
                pledges.append(found)
    return Imported(pledges=tuple(pledges), problems=bounded(problems))


def _pledge(name: str, year: object, quarters: object, today: date, problems: list[str]) -> Pledge | None:
    number_of_year = integer(year)
    if number_of_year is None or not 2000 <= number_of_year <= 2100 or not isinstance(quarters, Mapping):
        problems.append(f"federation {shown(name)}: {shown(year)} is not a year with quarters")
        return None
    year_now, quarter_now = pledge_quarter(today)
    order = [f"Q{quarter_now}"] if number_of_year == year_now else []
    order += ["Q4", "Q3", "Q2", "Q1"]
    quarter = next((one for one in order if at(quarters, one, VO, "CPU") is not None), None)
    if quarter is None:
        return None  # it pledges no CPU to this experiment
    hs23 = number(at(quarters, quarter, VO, "CPU"))
    if hs23 is None or hs23 > _MAX_HS23:
        problems.append(
            f"federation {shown(name)}, {number_of_year} {quarter}: {shown(at(quarters, quarter, VO, 'CPU'))} is no pledge of CPU"
        )
        return None
    if hs23 == 0:
        return None
    return Pledge(
        federation=name,
        year=number_of_year,
        cpu_hs23=hs23,
        source=f"CRIC, {quarter} as of {today.isoformat()}",
    )


def read_sites(data: bytes) -> Imported:
    """CMS sites with country and tier; those that are only storage are left out.

    Raises:
        BadInputError: it is not CRIC's list of CMS sites.
    """
    value = json_of(data, "CRIC's list of sites")
    if not isinstance(value, dict) or not any(_SITE.fullmatch(name) for name in value):
        raise BadInputError(
            "this is not CRIC's list of CMS sites: fetch /api/cms/site/query/?json from cms-cric.cern.ch"
        )
    sites: list[SiteInfo] = []
    problems: list[str] = []
    for key, entry in value.items():
        name = text(at(entry, "name"), 64) or text(key, 64)
        if name is None or not _SITE.fullmatch(name):
            problems.append(f"{shown(key)} is not the name of a CMS site")
        elif not name.endswith(_STORAGE_ONLY):
            tier = integer(at(entry, "tier_level"))
            sites.append(
                SiteInfo(
                    name=name,
                    federation=text(at(entry, "federation"), 120),
                    country=text(at(entry, "country_code"), 64) or text(at(entry, "country"), 64),
                    tier=tier if tier is not None and tier <= 9 else None,
                )
            )
    return Imported(sites=tuple(sites), problems=bounded(problems))
