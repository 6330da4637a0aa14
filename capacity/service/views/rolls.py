"""Sums of sites, federations, countries and CMS, from a few hundred grouped rows of the database."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from sqlalchemy.orm import Session

from capacity.fleet.model import Pledge, Roll, SiteInfo, Total
from capacity.fleet.rollup import RollKind, roll
from capacity.store import nodes, sites
from capacity.store.nodes import SiteTotals


class Fleet(NamedTuple):
    """What the database says of the fleet, added up by site.

    Attributes:
        totals: groups of like nodes by site.
        gpus: device → number by site.
        sites: all that are known, with their federations and countries.
        pledges: of the latest year that somebody pledged for.
    """

    totals: dict[str, list[Total]]
    gpus: dict[str, dict[str, int]]
    sites: dict[str, SiteInfo]
    pledges: list[Pledge]


def fleet(session: Session, fresh_after: datetime, site: str | None = None) -> Fleet:
    """Ask for all sites, or for one.

    Args:
        session: the transaction.
        fresh_after: nodes last seen before are stale.
        site: only this one; federations and pledges are complete nevertheless.
    """
    by_site: dict[str, list[Total]] = defaultdict(list)
    for group in nodes.site_totals(session, fresh_after, site):
        by_site[group.site].append(_total(group))
    pledges = sites.pledges(session)
    year = max((pledge.year for pledge in pledges), default=None)
    return Fleet(
        totals=dict(by_site),
        gpus=nodes.site_gpus(session, fresh_after, site),
        sites={one.name: one for one in sites.infos(session)},
        pledges=[pledge for pledge in pledges if pledge.year == year],
    )


def of_site(found: Fleet, name: str) -> Roll:
    """One site; it has a pledge if it is all of its federation."""
    return roll("site", name, found.totals.get(name, ()), _own_pledges(found, name), found.gpus.get(name))


def of_sites(found: Fleet) -> list[Roll]:
    """Every site that has nodes."""
    return [of_site(found, name) for name in sorted(found.totals)]


def of_federations(found: Fleet) -> list[Roll]:
    """Every federation that has nodes or a pledge."""
    names = {pledge.federation for pledge in found.pledges}
    return _grouped(found, "federation", names)


def of_countries(found: Fleet) -> list[Roll]:
    """Every country that has nodes; its pledges are those of federations whose sites are all in it."""
    return _grouped(found, "country", set())


def of_cms(found: Fleet) -> Roll:
    """Everything."""
    groups = [group for totals in found.totals.values() for group in totals]
    return roll("cms", "CMS", groups, found.pledges, _added(found.gpus.values()))


def _grouped(found: Fleet, kind: RollKind, names: set[str]) -> list[Roll]:
    members: dict[str, list[str]] = {name: [] for name in names}
    for site in found.totals:
        name = _place(found, kind, site)
        if name is not None:
            members.setdefault(name, []).append(site)
    return [
        roll(
            kind,
            name,
            [group for site in inside for group in found.totals[site]],
            [pledge for pledge in found.pledges if _owner(found, kind, pledge.federation) == name],
            _added(found.gpus.get(site, {}) for site in inside),
        )
        for name, inside in sorted(members.items())
    ]


def _place(found: Fleet, kind: RollKind, site: str) -> str | None:
    info = found.sites.get(site)
    if info is None:
        return None
    return info.federation if kind == "federation" else info.country


def _owner(found: Fleet, kind: RollKind, federation: str) -> str | None:
    if kind == "federation":
        return federation
    countries = {site.country for site in found.sites.values() if site.federation == federation}
    return countries.pop() if len(countries) == 1 else None


def _own_pledges(found: Fleet, name: str) -> list[Pledge]:
    federation = found.sites[name].federation if name in found.sites else None
    if federation is None or sum(one.federation == federation for one in found.sites.values()) > 1:
        return []
    return [pledge for pledge in found.pledges if pledge.federation == federation]


def _added(inventories: Iterable[dict[str, int]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for inventory in inventories:
        total.update(inventory)
    return dict(total)


def _total(group: SiteTotals) -> Total:
    return Total(
        site=group.site,
        method=group.method,
        calibration_version=group.calibration_version,
        provisional=bool(group.provisional),
        usable=group.usable,
        unusable_reason=group.unusable_reason,
        stale=not group.fresh,
        nodes=group.nodes,
        granted_cores=group.granted_cores if group.method else 0.0,
        hs23=group.hs23 if group.method else 0.0,
        hs23_sigma=group.hs23_sigma,
        hs23_sigma_sq=group.hs23_sigma_squared,
        last_seen_at=group.last_seen_at,
    )
