"""SITECONF: does the site's own description say how its jobs get their files and conditions? Opens no connection."""

from __future__ import annotations

from collections.abc import Sequence

from probes.host import Host
from probes.network_steps import without_addresses
from probes.private_text import PrivateText
from probes.remote_settings import SAM_LFN
from probes.settings import Settings
from probes.siteconf_checks import CHECKS
from probes.siteconf_judge import judge, summarise
from probes.sitelocal import Problem, Resolved, Site, read_site
from probes.spec import Probe
from profiles.facts.siteconf import FrontierFacts, SiteconfFacts, SiteconfProblem, StorageAccess

MAX_PROBLEMS = 64


def gather(host: Host, settings: Settings) -> SiteconfFacts:
    """Read the files and resolve the test file's name."""
    text = _Text(PrivateText(host))
    site = read_site(host, settings)
    lfn = settings.siteconf.test_lfn or SAM_LFN
    why = str(site.problems[0]) if site.config is None and site.problems else None
    absent = {}
    if site.directory is None:
        absent["directory"] = text.clean(why or "it was not found")
    for name, value in (("site", site.name), ("frontier", site.frontier)):
        if value is None:
            absent[name] = text.clean(why or "site-local-config.xml does not say")
    if site.subsite is None:
        absent["subsite"] = text.clean(why or "this is the site itself, not a part of it")
    return SiteconfFacts(
        directory=None if site.directory is None else text.clean(site.directory),
        origin=site.origin,
        site=text.or_none(site.name),
        subsite=text.or_none(site.subsite),
        event_data_catalogs=len(site.config.event_data) if site.config else 0,
        data_access=tuple(text.access(one) for one in site.resolve(lfn)),
        stage_out=tuple(text.access(one) for one in site.stage_out(lfn)),
        unused_volumes=tuple(text.clean(volume) for volume in _unused(site)),
        frontier=_frontier(site, text),
        sha256=site.sha256,
        test_lfn=lfn,
        problems=tuple(text.problem(one) for one in site.problems[:MAX_PROBLEMS]),
        absent=absent,
    )


def _unused(site: Site) -> tuple[str, ...]:
    file = site.storage.get(site.name or "")
    if file is None or site.config is None:
        return ()
    used = {(one.site, one.volume) for one in site.config.data_access}
    used |= {(one.site, one.volume) for one in site.config.stage_out}
    own = (entry for entry in file.entries if entry.site == site.name)
    return tuple(entry.volume for entry in own if (entry.site, entry.volume) not in used)


def _frontier(site: Site, text: _Text) -> FrontierFacts | None:
    found = site.frontier
    if found is None:
        return None
    return FrontierFacts(
        proxies=text.all(found.proxies),
        backup_proxies=text.all(found.backup_proxies),
        proxyconfigs=text.all(found.proxyconfigs),
        servers=text.all(found.servers),
        balance_proxies=found.balance_proxies,
    )


class _Text:
    """Makes facts of texts: without the login name, without addresses."""

    def __init__(self, private: PrivateText) -> None:
        self._private = private

    def clean(self, value: str) -> str:
        return without_addresses(self._private.hide(value)) or ""

    def or_none(self, value: str | None) -> str | None:
        return None if value is None else self.clean(value)

    def all(self, values: Sequence[str]) -> tuple[str, ...]:
        return tuple(self.clean(value) for value in values)

    def problem(self, found: Problem) -> SiteconfProblem:
        return SiteconfProblem(kind=found.kind, where=self.clean(found.where), text=self.clean(found.text))

    def access(self, found: Resolved) -> StorageAccess:
        pfn = found.pfn
        return StorageAccess(
            site=self.clean(found.entry.site),
            volume=self.clean(found.entry.volume),
            protocol=self.clean(found.entry.protocol),
            access=None if pfn is None else self.or_none(pfn.access),
            pfn=None if pfn is None else self.clean(pfn.url),
            problem=None if found.problem is None else self.problem(found.problem),
        )


PROBE = Probe(
    name="siteconf",
    title="SITECONF: where the site says its jobs find files and conditions",
    section="Environment",
    facts_model=SiteconfFacts,
    gather=gather,
    judge=judge,
    summarise=summarise,
    checks=CHECKS,
    deadline_s=15.0,
)
