"""Squid and Frontier: whether software and conditions come through the site's proxies, each tried from this node.

All proxies are asked side by side, and directly besides, so that a dead server is not taken for a dead proxy. Each way
has the same time in all, `squid.budget_s`; what was not reached by then is said so, and nothing that came is lost.
"""

from __future__ import annotations

import time
from functools import partial

from probes.errors import HostError
from probes.host import Host
from probes.network_steps import side_by_side
from probes.proxies import place
from probes.settings import NO_OUTBOUND, Settings
from probes.spec import Probe
from probes.squid.checks import CHECKS
from probes.squid.judge import judge, summarise
from probes.squid.members import Members, find
from probes.squid.steps import Ask, manifest_url, walk
from profiles.facts.routes import Route
from profiles.facts.squid import ProxyFacts, SquidFacts

DIRECT = "direct"
DEADLINE_S = 130.0
"""Above the longest `squid.budget_s` that can be set, by which the probe ends itself."""


Way = tuple[Route, tuple[float | None, ...]]


def gather(host: Host, settings: Settings) -> SquidFacts:
    """Ask through every proxy and directly; in the no-outbound profile, nothing is opened."""
    if settings.site_profile == "no-outbound":
        return SquidFacts.nothing(NO_OUTBOUND)
    end = time.monotonic() + settings.squid.budget_s
    members = find(host, settings)
    ways = _walk(host, settings, members, end)
    proxies = tuple(
        ProxyFacts(
            name=member.name,
            role=member.role,
            group=member.group,
            for_frontier=member.for_frontier,
            origin=member.origin,
            first_s=next(iter(ways[member.name][1]), None),
            second_s=next(iter(ways[member.name][1][1:]), None),
        )
        for member in members.proxies
    )
    return SquidFacts(
        proxies=proxies,
        routes=tuple(route for route, _ in ways.values()),
        origin=members.origin,
        servers=tuple(place(server) for server in members.servers[:16]),
        problems=members.problems,
    )


def _walk(host: Host, settings: Settings, members: Members, end: float) -> dict[str, Way]:
    wanted = settings.cvmfs
    repository = (*wanted.http_repositories, *wanted.repositories)[0]
    manifests = tuple(manifest_url(server, repository) for server in wanted.stratum_ones)
    proxies: dict[str, str | None] = {member.name: member.proxy for member in members.proxies}
    proxies[DIRECT] = None
    outcomes = side_by_side(
        {
            name: partial(
                walk,
                Ask(host, proxy, settings.squid.timeout_s, end),
                manifests,
                members.servers,
                name=name,
                subject=repository,
            )
            for name, proxy in proxies.items()
        }
    )
    ways: dict[str, Way] = {}
    for name, outcome in outcomes.items():
        if isinstance(outcome, HostError):
            raise outcome
        ways[name] = outcome
    return ways


PROBE = Probe(
    name="squid",
    title="whether CVMFS and Frontier come through the site's proxies",
    section="Software",
    facts_model=SquidFacts,
    gather=gather,
    judge=judge,
    summarise=summarise,
    checks=CHECKS,
    deadline_s=DEADLINE_S,
    uses_network=True,
)
