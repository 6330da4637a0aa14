"""Tables that people keep: scores that a site measured, sites with their federations, CMS's own capacity list."""

from __future__ import annotations

import re
from datetime import date

from pydantic import ValidationError

from capacity.errors import BadInputError
from capacity.fleet.model import Pledge, SiteInfo
from capacity.hs06.model import CpuDescription
from capacity.imports.cric import pledge_quarter
from capacity.imports.model import Imported, ImportedScore
from capacity.imports.reading import bounded, integer, json_of, moment, number, rows_of, shown, text

SCORE_COLUMNS = (
    "site", "hostname", "node_id", "cpu_model", "arch", "logical_cpus", "physical_cores", "threads_per_core", "memory_gb",
    "hs23", "hs06", "loaded_cpus", "measured_on", "source",
)  # fmt: skip
"""Of a table of scores; needed are one of hs23 and hs06 (totals of the node) and logical_cpus or loaded_cpus."""

_SITE = re.compile(r"T[0-9]_[A-Z]{2}_[A-Za-z0-9_]{1,48}")


def read_scores(data: bytes) -> Imported:
    """Scores that a site measured itself, one run a row (CSV with the columns of `SCORE_COLUMNS`).

    Raises:
        BadInputError: not CSV, or without the columns that are needed.
    """
    scores: list[ImportedScore] = []
    problems: list[str] = []
    for line, row in rows_of(data, "the table of scores"):
        if not {"hs23", "hs06"} & row.keys() or not {"logical_cpus", "loaded_cpus"} & row.keys():
            raise BadInputError(
                "the table of scores needs the columns hs23 or hs06 (of the whole node) and logical_cpus; "
                f"it may have {', '.join(SCORE_COLUMNS)}"
            )
        found = _score(row)
        if isinstance(found, str):
            problems.append(f"line {line}: {found}")
        else:
            scores.append(found)
    return Imported(scores=tuple(scores), problems=bounded(problems))


def _score(row: dict[str, str]) -> ImportedScore | str:
    kind = "HS23" if number(row.get("hs23")) else "HS06"
    total = number(row.get(kind.lower()))
    cpus = integer(row.get("logical_cpus"))
    loaded = integer(row.get("loaded_cpus")) or cpus
    model, site = text(row.get("cpu_model")), text(row.get("site"), 64)
    if not total or not loaded:
        return f"{shown(row.get('hs23') or row.get('hs06'))} on {shown(row.get('logical_cpus'))} CPUs is no score"
    if site is not None and not _SITE.fullmatch(site):
        return f"{shown(site)} is not the name of a CMS site such as T2_LV_Example"
    if model is None and text(row.get("hostname")) is None and text(row.get("node_id")) is None:
        return "neither cpu_model nor hostname nor node_id: nobody could tell what was measured"
    memory_gb = number(row.get("memory_gb"))
    when = text(row.get("measured_on"), 40)
    measured_at = moment(when)
    if when is not None and measured_at is None:
        return f"measured_on {shown(when)} is no date: write 2026-11-20"
    name = "|".join(row.get(column, "") for column in SCORE_COLUMNS)
    try:
        return ImportedScore.model_validate(
            {
                "report_id": f"{kind} {name}"[:255],
                "kind": kind,
                "total": total,
                "loaded_cpus": loaded,
                "site": site,
                "hostname": text(row.get("hostname")),
                "node_id": text(row.get("node_id"), 32),
                "measured_at": measured_at,
                "source": text(row.get("source"), 180) or "measured by the site",
                "cpu": CpuDescription(
                    model_name=model,
                    arch=text(row.get("arch"), 16),
                    logical_cpus=cpus,
                    physical_cores=integer(row.get("physical_cores")),
                    threads_per_core=integer(row.get("threads_per_core")),
                    memory_bytes=int(memory_gb * 1e9) if memory_gb else None,
                ),
            }
        )
    except ValidationError as error:
        first = error.errors()[0]
        return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"


def read_sites(data: bytes) -> Imported:
    """Sites and where they belong: CSV with the columns site, federation, country, tier.

    Raises:
        BadInputError: not CSV, or without the column site.
    """
    sites: list[SiteInfo] = []
    problems: list[str] = []
    for line, row in rows_of(data, "the table of sites"):
        if "site" not in row:
            raise BadInputError(
                "the table of sites needs the column site; it may have federation, country and tier"
            )
        if not _SITE.fullmatch(row["site"]):
            problems.append(
                f"line {line}: {shown(row['site'])} is not the name of a CMS site such as T2_LV_Example"
            )
            continue
        tier = integer(row.get("tier"))
        sites.append(
            SiteInfo(
                name=row["site"],
                federation=text(row.get("federation"), 120),
                country=text(row.get("country"), 64),
                tier=tier if tier is not None and tier <= 9 else None,
            )
        )
    return Imported(sites=tuple(sites), problems=bounded(problems))


def read_site_capacity(data: bytes, today: date) -> Imported:
    """CMS's capacity list (SiteCapacity.json of SiteSupport): which federation a site belongs to, and its pledge.

    Its hs06_per_core is what we replace and is not taken. A pledge in it is the site's share of its federation's; the shares
    of one federation are added up.

    Raises:
        BadInputError: it is not that list.
    """
    value = json_of(data, "the capacity list")
    if not isinstance(value, list) or not all(isinstance(one, dict) and "name" in one for one in value):
        raise BadInputError("this is not SiteCapacity.json: a list of objects with a name is expected")
    sites: list[SiteInfo] = []
    pledged: dict[str, float] = {}
    problems: list[str] = []
    for one in value:
        name = text(one["name"], 64)
        if name is None or not _SITE.fullmatch(name):
            problems.append(f"{shown(one['name'])} is not the name of a CMS site")
            continue
        federation = text(one.get("wlcg_federation_name"), 120)
        sites.append(SiteInfo(name=name, federation=federation))
        hs23 = number(one.get("hs06_pledge"))
        if federation is not None and hs23:
            pledged[federation] = pledged.get(federation, 0.0) + hs23
    year, _ = pledge_quarter(today)
    pledges = [
        Pledge(federation=name, year=year, cpu_hs23=hs23, source="SiteCapacity.json of CMS SiteSupport")
        for name, hs23 in sorted(pledged.items())
        if hs23 <= 1e9
    ]
    return Imported(sites=tuple(sites), pledges=tuple(pledges), problems=bounded(problems))
