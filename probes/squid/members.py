"""Which proxies and Frontier servers are asked: those of the settings, of CVMFS and of SITECONF, merged."""

from __future__ import annotations

from dataclasses import dataclass, replace

from probes.host import Host
from probes.proxies import DIRECT, WLCG_BACKUPS, ProxyChoice, frontier_groups, normal, proxy_groups, shown
from probes.settings import Settings
from probes.sitelocal import read_site
from probes.wpad import MAX_PROXIES
from profiles.facts.squid import ProxyRole

LAUNCHPAD = (
    "http://cmsfrontier.cern.ch:8000/FrontierProd",
    "http://cmsfrontier1.cern.ch:8000/FrontierProd",
    "http://cmsfrontier2.cern.ch:8000/FrontierProd",
    "http://cmsfrontier3.cern.ch:8000/FrontierProd",
)
"""CMS's Frontier servers (CMS computing documentation, site-local-config.xml, example of frontier-connect)."""


@dataclass(frozen=True, kw_only=True)
class Member:
    """One proxy to ask.

    Attributes:
        proxy: "http://host:port".
        name: as it is shown, unique among the members.
    """

    proxy: str
    name: str
    role: ProxyRole
    group: int
    for_frontier: bool
    origin: str


@dataclass(frozen=True, kw_only=True)
class Members:
    """All there is to ask; `servers` are URLs of Frontier servlets."""

    proxies: tuple[Member, ...]
    servers: tuple[str, ...]
    origin: str
    problems: tuple[str, ...]


def find(host: Host, settings: Settings) -> Members:
    """Read the configuration; never raises."""
    site = read_site(host, settings).frontier
    servers = settings.squid.frontier_servers or (site.servers if site else ()) or LAUNCHPAD
    if settings.squid.proxies:
        return _own(settings.squid.proxies, servers)
    choice = proxy_groups(host, settings)
    members = _members(choice, for_frontier=True)
    problems = list(choice.problems)
    origin = choice.origin
    if site is not None and (site.proxies or site.backup_proxies or site.proxyconfigs):
        told = frontier_groups(host, site)
        members = _merged(_members(told, for_frontier=True), members)
        problems += [problem for problem in told.problems if problem not in problems]
        origin = told.origin if told.origin == choice.origin else f"{told.origin}; {choice.origin}"
    return Members(
        proxies=_numbered(members[:MAX_PROXIES]),
        servers=tuple(servers),
        origin=origin,
        problems=tuple(problem[:512] for problem in problems[:32]),
    )


def _own(written: tuple[str, ...], servers: tuple[str, ...]) -> Members:
    problems: list[str] = []
    groups: list[tuple[str, ...]] = []
    for text in written:
        try:
            groups.append((normal(text),))
        except ValueError as error:
            problems.append(str(error))
    members = _members(ProxyChoice(tuple(groups), "squid.proxies"), for_frontier=True)
    return Members(
        proxies=_numbered(members), servers=servers, origin="squid.proxies", problems=tuple(problems)
    )


def _members(choice: ProxyChoice, *, for_frontier: bool) -> list[Member]:
    found: dict[str, Member] = {}
    for number, group in enumerate(choice.groups, 1):
        for proxy in group:
            if proxy != DIRECT and proxy not in found:
                name = shown(proxy)
                backup = proxy in choice.backups or name.partition(":")[0] in WLCG_BACKUPS
                found[proxy] = Member(
                    proxy=proxy,
                    name=name,
                    role="backup" if backup else "site",
                    group=number,
                    for_frontier=for_frontier,
                    origin=choice.origin,
                )
    return list(found.values())


def _merged(frontier: list[Member], cvmfs: list[Member]) -> list[Member]:
    """Frontier's proxies in their order, then those that only CVMFS uses."""
    known = {member.proxy for member in frontier}
    last = max((member.group for member in frontier), default=0)
    others = [
        replace(member, group=last + member.group, for_frontier=False)
        for member in cvmfs
        if member.proxy not in known
    ]
    return [*frontier, *others]


def _numbered(members: list[Member]) -> tuple[Member, ...]:
    """The same with names that differ: addresses are not shown, so several may look alike."""
    seen: dict[str, int] = {}
    named: list[Member] = []
    for member in members:
        count = seen[member.name] = seen.get(member.name, 0) + 1
        named.append(member if count == 1 else replace(member, name=f"{member.name} #{count}"))
    return tuple(named)
