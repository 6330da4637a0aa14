"""The fleet as sums: sites, federations, countries and CMS, from groups that the database adds up."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy.orm import Session

from capacity.fleet.model import FleetSettings, Pledge, Roll, SiteInfo, Total
from capacity.fleet.places import by_name, completed
from capacity.fleet.rollup import RollKind, roll
from capacity.fleet.staleness import fresh_after
from capacity.store import nodes, sites
from capacity.store.nodes import SiteTotals


class Fleet(NamedTuple):
    """What is known of the fleet at a moment.

    Attributes:
        totals: groups of like nodes, by site.
        gpus: device → number, by site.
        sites: all that have nodes (of those asked for) or were described, by name.
        pledges: of the latest year that has any.
    """

    totals: dict[str, list[Total]]
    gpus: dict[str, dict[str, int]]
    sites: dict[str, SiteInfo]
    pledges: list[Pledge]


def fleet(session: Session, now: datetime, settings: FleetSettings, site: str | None = None) -> Fleet:
    """Ask the database for all sites, or for the sums of one.

    Args:
        session: a transaction.
        now: decides what is stale.
        settings: of the fleet's rules.
        site: only its nodes; where sites belong and what was pledged is complete nevertheless.
    """
    bound = fresh_after(now, settings)
    totals: dict[str, list[Total]] = defaultdict(list)
    for group in nodes.site_totals(session, bound, site):
        totals[group.site].append(_total(group))
    pledges = sites.pledges(session)
    year = max((pledge.year for pledge in pledges), default=None)
    return Fleet(
        totals=dict(totals),
        gpus=nodes.site_gpus(session, bound, site),
        # Every node is in some group, so that nodes need not be asked for their sites again.
        sites={name: by_name(name) for name in totals}
        | {info.name: completed(info) for info in sites.described(session)},
        pledges=[pledge for pledge in pledges if pledge.year == year],
    )


def of_site(found: Fleet, site: str) -> Roll:
    """One site. Its federation's pledge is its own only if no other site is in the federation."""
    federation = _info(found, site).federation
    members = [one for one in found.sites.values() if one.federation == federation]
    alone = federation is not None and len(members) == 1
    pledges = [pledge for pledge in found.pledges if alone and pledge.federation == federation]
    return roll("site", site, found.totals.get(site, ()), pledges, found.gpus.get(site))


def of_sites(found: Fleet) -> list[Roll]:
    """All sites that have nodes, by name."""
    return [of_site(found, site) for site in sorted(found.totals)]


def of_federations(found: Fleet) -> list[Roll]:
    """All federations that have nodes or pledged something, by name."""
    names = {pledge.federation for pledge in found.pledges}
    names |= {one.federation for one in found.sites.values() if one.federation is not None}
    return [
        _sum(
            found,
            "federation",
            name,
            [site for site in found.totals if _info(found, site).federation == name],
            [pledge for pledge in found.pledges if pledge.federation == name],
        )
        for name in sorted(names)
    ]


def of_countries(found: Fleet) -> list[Roll]:
    """All countries that have nodes or pledged something, by code.

    A pledge counts for a country if all sites of its federation are there.
    """
    places: dict[str, set[str]] = defaultdict(set)
    for one in found.sites.values():
        if one.federation is not None and one.country is not None:
            places[one.federation].add(one.country)
    countries = {info.country for site in found.totals if (info := _info(found, site)).country is not None}
    countries |= {next(iter(place)) for place in places.values() if len(place) == 1}
    return [
        _sum(
            found,
            "country",
            country,
            [site for site in found.totals if _info(found, site).country == country],
            [pledge for pledge in found.pledges if places.get(pledge.federation) == {country}],
        )
        for country in sorted(filter(None, countries))
    ]


def of_cms(found: Fleet) -> Roll:
    """Everything that CMS has, held against all that was pledged to it."""
    return _sum(found, "cms", "CMS", list(found.totals), found.pledges)


def _sum(found: Fleet, kind: RollKind, name: str, members: Sequence[str], pledges: Sequence[Pledge]) -> Roll:
    gpus: Counter[str] = Counter()
    for site in members:
        gpus.update(found.gpus.get(site, {}))
    return roll(kind, name, [group for site in members for group in found.totals[site]], pledges, dict(gpus))


def _info(found: Fleet, site: str) -> SiteInfo:
    return found.sites.get(site) or by_name(site)


def _total(group: SiteTotals) -> Total:
    counted = group.method is not None
    return Total(
        site=group.site,
        cpu_key=group.cpu_key,
        method=group.method,
        calibration_version=group.calibration_version,
        provisional=bool(group.provisional),
        usable=group.usable,
        unusable_reason=group.unusable_reason,
        stale=not group.fresh,
        nodes=group.nodes,
        granted_cores=group.granted_cores if counted else 0.0,
        hs23=group.hs23 if counted else 0.0,
        hs23_sigma=group.hs23_sigma,
        hs23_sigma_sq=group.hs23_sigma_squared,
        last_seen_at=group.last_seen_at,
    )
