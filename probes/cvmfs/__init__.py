"""CVMFS over HTTP, without mount or FUSE: is there a way from here to verified software, and which hop breaks the others?

Every (proxy or direct) × Stratum-1 × repository is a route, and all are taken side by side: first the chain of signatures,
then, once it is known which manifests are good and none is rolled back, root catalog and one real file. Whether time is
left is asked through the host door, so a replay decides as the live run did.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from probes.cvmfs import geo
from probes.cvmfs.ages import Remembered, Seen, newest, parse_breadcrumb, rolled_back
from probes.cvmfs.asking import Clock, Comparison, Traffic, Way, label
from probes.cvmfs.checks import CHECKS
from probes.cvmfs.contents import fetch_contents, ordered_to_lead
from probes.cvmfs.faults import FaultError
from probes.cvmfs.judge import judge, summarise
from probes.cvmfs.keys import master_keys, read_blacklist
from probes.cvmfs.trust import Travelled, Trust, travel
from probes.errors import HostError
from probes.host import Host
from probes.network_steps import seconds, side_by_side, without_addresses
from probes.proxies import DIRECT, ProxyChoice, proxy_groups
from probes.remote_settings import CvmfsSettings
from probes.settings import NO_OUTBOUND, Settings
from probes.spec import Probe
from profiles.facts.cvmfs import CvmfsFacts, CvmfsRoute, GeoAnswer, NewestManifest

DEADLINE_S = 130.0
"""Above the longest `cvmfs.budget_s` that can be set, by which the probe ends itself."""

TRUST_SHARE = 0.55
"""Of the budget, for the chain of signatures; what comes after has the rest."""

CONTENTS_SHARE = 0.9
GEO_SHARE = 1.0
COMPARISON_SHARE = 0.25
"""Of cvmfs.max_total_bytes, for looks past a proxy, on top of it."""


def gather(host: Host, settings: Settings) -> CvmfsFacts:
    """Take all routes; in the no-outbound profile nothing is opened."""
    if settings.site_profile == "no-outbound":
        return CvmfsFacts.nothing(NO_OUTBOUND)
    return _Run(host, settings).facts()


class _Run:
    """One run over all routes."""

    def __init__(self, host: Host, settings: Settings) -> None:
        self._host = host
        self._wanted: CvmfsSettings = settings.cvmfs
        self._clock = Clock(host)
        self._traffic = Traffic()
        self._comparison = Comparison(int(settings.cvmfs.max_total_bytes * COMPARISON_SHARE))
        self._now_s = host.now().timestamp()
        self._problems: list[str] = []
        self._choice: ProxyChoice = proxy_groups(host, settings)
        self._problems.extend(self._choice.problems)

    def facts(self) -> CvmfsFacts:
        """Everything, in order."""
        travelled = self._travel()
        self._mark_rolled_back(travelled)
        groups: dict[tuple[str, object], list[Travelled]] = {}
        for route in ordered_to_lead([route for route in travelled if route.verified]):
            assert route.manifest is not None
            groups.setdefault((route.way.repository, route.manifest.root_catalog), []).append(route)
            route.way.until_s = self._wanted.budget_s * CONTENTS_SHARE
        fetch_contents(list(groups.values()), self._wanted, self._comparison)
        answers = self._geo(travelled)
        return self._facts(travelled, answers)

    def _travel(self) -> list[Travelled]:
        ways = self._ways()
        blacklist = read_blacklist(self._host)
        tasks = {}
        for repository in dict.fromkeys(way.repository for way in ways):
            known = master_keys(self._host, self._wanted.keys_path, repository)
            self._problems.extend(known.problems)
            trust = Trust(known.keys, blacklist, self._now_s)
            for number, way in enumerate(ways):
                if way.repository == repository:
                    tasks[number] = partial(travel, way, trust, self._comparison)
        done = []
        for outcome in side_by_side(tasks).values():
            if isinstance(outcome, HostError):
                raise outcome
            done.append(outcome)
        return done

    def _ways(self) -> list[Way]:
        wanted = self._wanted
        ways = [
            Way(
                self._host,
                wanted,
                self._clock,
                self._traffic,
                server.rstrip("/"),
                repository,
                None if proxy == DIRECT else proxy,
                wanted.budget_s * TRUST_SHARE,
            )
            for repository in dict.fromkeys(wanted.http_repositories)
            for proxy in self._choice.routes
            for server in dict.fromkeys(wanted.stratum_ones)
        ]
        if len(ways) > wanted.max_routes:
            self._problems.append(
                f"only the first {wanted.max_routes} of {len(ways)} routes were tried: raise cvmfs.max_routes"
            )
        return ways[: wanted.max_routes]

    def _mark_rolled_back(self, travelled: Sequence[Travelled]) -> None:
        for repository in {route.way.repository for route in travelled}:
            mine = [route for route in travelled if route.way.repository == repository and route.verified]
            seen = [_seen(route) for route in mine]
            remembered = self._remembered(repository)
            for route, one in zip(mine, seen, strict=True):
                reason = rolled_back(one, seen, remembered, self._now_s)
                if reason is not None:
                    route.verified = False
                    route.note("manifest", "failed", fault=FaultError("roll-back", reason))

    def _remembered(self, repository: str) -> Remembered | None:
        """What this node's client has seen; its cache is often private to it, and then nothing is known."""
        base = self._wanted.cache_path.rstrip("/")
        for folder in (f"{base}/shared", f"{base}/{repository}"):
            text = self._host.read_text_or_none(f"{folder}/cvmfschecksum.{repository}", limit_bytes=1024)
            if text is not None:
                return parse_breadcrumb(text)
        return None

    def _geo(self, travelled: Sequence[Travelled]) -> tuple[GeoAnswer, ...] | None:
        if not self._wanted.geo_order:
            return None
        firsts: dict[str, Way] = {}
        for route in sorted(travelled, key=lambda route: not route.verified):
            firsts.setdefault(route.way.server, route.way)
        servers = tuple(dict.fromkeys(server.rstrip("/") for server in self._wanted.stratum_ones))
        tasks = {}
        for server, way in firsts.items():
            way.until_s = self._wanted.budget_s * GEO_SHARE
            tasks[server] = partial(geo.ask_order, way, servers)
        outcomes = side_by_side(tasks).values()
        return tuple(outcome for outcome in outcomes if isinstance(outcome, GeoAnswer))

    def _facts(self, travelled: Sequence[Travelled], answers: tuple[GeoAnswer, ...] | None) -> CvmfsFacts:
        best = []
        for repository in dict.fromkeys(route.way.repository for route in travelled):
            mine = [route for route in travelled if route.way.repository == repository and route.verified]
            found = newest([_seen(route) for route in mine])
            if found is not None:
                best.append(found.manifest)
        absent = {} if answers is not None else {"geo": "cvmfs.geo_order is off"}
        published = {manifest.name: manifest.published_s for manifest in best}
        return CvmfsFacts(
            routes=tuple(
                _fact(route, published.get(route.way.repository), self._now_s) for route in travelled
            ),
            newest=tuple(
                NewestManifest(
                    repository=manifest.name,
                    revision=manifest.revision,
                    root_catalog=str(manifest.root_catalog),
                    published_s=manifest.published_s,
                    ttl_s=min(manifest.ttl_s, 2**31 - 1),
                )
                for manifest in best
            ),
            proxies_origin=without_addresses(self._choice.origin),
            now_s=self._now_s,
            fetched_bytes=self._traffic.fetched_bytes,
            problems=tuple(without_addresses(problem) or "" for problem in dict.fromkeys(self._problems))[
                :64
            ],
            geo=answers,
            absent=absent,
        )


def _seen(route: Travelled) -> Seen:
    assert route.manifest is not None
    return Seen(route.way.server, route.manifest, route.snapshot_s)


LAST_SECOND = 253_402_300_799
"""End of the year 9999."""


def _fact(route: Travelled, newest_s: int | None, now_s: float) -> CvmfsRoute:
    manifest, whitelist = route.manifest, route.whitelist
    their_now_s = now_s - (route.clock_skew_s or 0.0)
    behind = newest_s is not None and manifest is not None and route.verified
    return CvmfsRoute(
        subject=route.way.repository,
        target=label(route.way.server),
        via=label(route.way.proxy),
        steps=route.all_steps,
        verified=route.verified,
        revision=manifest.revision if manifest else None,
        published_s=min(manifest.published_s, LAST_SECOND) if manifest else None,
        root_catalog=str(manifest.root_catalog) if manifest else None,
        catalog_bytes=manifest.catalog_bytes if manifest else None,
        ttl_s=min(manifest.ttl_s, 2**31 - 1) if manifest else None,
        behind_s=float(max(0, newest_s - manifest.published_s)) if behind and newest_s and manifest else None,
        whitelist_expires_s=whitelist.expires_s if whitelist and route.master_key else None,
        master_key=route.master_key,
        snapshot_age_s=None if route.snapshot_s is None else max(0.0, their_now_s - route.snapshot_s),
        initial_snapshot=route.initial_snapshot,
        clock_skew_s=route.clock_skew_s,
        cold_s=seconds(route.cold_s),
        warm_s=seconds(route.warm_s),
        directly=route.directly,
    )


PROBE = Probe(
    name="cvmfs",
    title="whether verified software is had from CVMFS over HTTP, over every proxy and Stratum-1",
    section="Software",
    facts_model=CvmfsFacts,
    gather=gather,
    judge=judge,
    summarise=summarise,
    checks=CHECKS,
    deadline_s=DEADLINE_S,
    memory_bytes=2 * 1024**3,
    uses_network=True,
)
