"""Figures that others keep, read into ours. Pure: bytes in, figures and problems out."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from capacity.errors import BadInputError
from capacity.imports import cric, rebus, suite, tables
from capacity.imports.model import Imported, ImportedScore

__all__ = ["KINDS", "Imported", "ImportedScore", "read"]

KINDS: dict[str, tuple[str, Callable[[bytes, date], Imported]]] = {
    "suite": (
        "reports of the HEP Benchmark Suite, json_version 2.x and 3.x",
        lambda data, _: suite.read(data),
    ),
    "scores": ("CSV of scores that a site measured", lambda data, _: tables.read_scores(data)),
    "cric-federations": ("CRIC's federations and pledges, JSON", cric.read_federations),
    "cric-sites": ("CRIC's list of CMS sites, JSON", lambda data, _: cric.read_sites(data)),
    "rebus": (
        "REBUS's pledges of one year, JSON or CSV",
        lambda data, today: rebus.read(data, cric.pledge_quarter(today)[0]),
    ),
    "site-capacity": ("SiteCapacity.json of CMS SiteSupport", tables.read_site_capacity),
    "sites": ("CSV of sites, federations and countries", lambda data, _: tables.read_sites(data)),
}
"""Name → what it is, and what reads it."""


def read(kind: str, data: bytes, today: date) -> Imported:
    """Read one file.

    Args:
        kind: a key of `KINDS`.
        data: the file.
        today: decides which quarter of a pledge counts, and of which year REBUS's list is.

    Raises:
        BadInputError: no such kind, or the file is not of that kind.
    """
    if kind not in KINDS:
        raise BadInputError(f"{kind[:40]!r} cannot be imported: use one of {', '.join(KINDS)}")
    return KINDS[kind][1](data, today)
