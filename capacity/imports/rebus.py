"""REBUS, which kept WLCG's pledges until CRIC took over: its JSON list and its CSV (`/apps/pledges/resources/YEAR/all/…`)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from capacity.errors import BadInputError
from capacity.fleet.model import Pledge
from capacity.imports.model import Imported
from capacity.imports.reading import bounded, json_of, number, rows_of, shown, text

_CPU = "cpu"


def read(data: bytes, year: int) -> Imported:
    """CPU pledges to CMS of one year; HS06 counts as HS23 (1:1, WLCG policy).

    Args:
        data: JSON or CSV.
        year: the year that was asked of REBUS; the file does not say.

    Raises:
        BadInputError: it is neither.
    """
    rows = _json_rows(data) if data.lstrip()[:1] in (b"[", b"{") else _csv_rows(data)
    pledges: list[Pledge] = []
    problems: list[str] = []
    for place, federation, kind, value in rows:
        if not (kind or "").lower().startswith(_CPU) or value in (None, ""):
            continue
        hs23 = number(value)
        if federation is None or hs23 is None or hs23 > 1e9:
            problems.append(f"{place}: {shown(federation)} with {shown(value)} is no pledge of CPU")
        elif hs23 > 0:
            pledges.append(
                Pledge(federation=federation, year=year, cpu_hs23=hs23, source=f"REBUS, pledges of {year}")
            )
    if not pledges and not problems:
        raise BadInputError(
            "this REBUS file holds no pledge of CPU to CMS: is it the list of all federations?"
        )
    return Imported(pledges=tuple(pledges), problems=bounded(problems))


_Row = tuple[str, str | None, str | None, Any]


def _json_rows(data: bytes) -> Iterator[_Row]:
    value = json_of(data, "the REBUS list")
    if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
        raise BadInputError(
            "this is not REBUS's list of pledges: fetch /apps/pledges/resources/YEAR/all/json"
        )
    for index, row in enumerate(value, 1):
        yield (
            f"entry {index}",
            text(row.get("Federation"), 120),
            text(row.get("PledgeType"), 40),
            row.get("CMS"),
        )


def _csv_rows(data: bytes) -> Iterator[_Row]:
    for line, row in rows_of(data, "the REBUS list"):
        kind = row.get("pledge type") or row.get("pledgetype")
        if kind is None or "cms" not in row or "federation" not in row:
            raise BadInputError(
                "this is not REBUS's list of pledges: it needs the columns Federation, Pledge Type and CMS"
            )
        yield f"line {line}", text(row["federation"], 120), kind, row["cms"]
