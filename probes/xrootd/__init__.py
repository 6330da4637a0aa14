"""XRootD: how far this node gets with the site's doors and the federation's redirectors, and what a job sees there.

Doors are visited side by side and each keeps to what is left of `xrootd.budget_s`, so a silent one costs the others
nothing. The write test comes last and only where it is configured.
"""

from __future__ import annotations

import time

from probes import live_xrootd_clients
from probes.errors import HostError
from probes.host import Host
from probes.settings import NO_OUTBOUND, Settings
from probes.sitelocal import read_site
from probes.spec import Probe
from probes.xrootd.checks import CHECKS
from probes.xrootd.doors import chosen
from probes.xrootd.facts import door_of
from probes.xrootd.judge import judge, summarise
from probes.xrootd.route import route_of
from probes.xrootd.visit import Visitor
from probes.xrootd.write import write
from profiles.facts.xrootd import XrootdClients, XrootdFacts

DEADLINE_S = 60.0
MARGIN_S = 4.0
"""What is left of the deadline for killing clients and writing the facts down."""


def gather(host: Host, settings: Settings) -> XrootdFacts:
    """Visit every door; in the no-outbound profile nothing is opened."""
    if settings.site_profile == "no-outbound":
        return XrootdFacts.nothing(NO_OUTBOUND)
    deadline = time.perf_counter() + min(settings.xrootd.budget_s, DEADLINE_S - MARGIN_S)
    clients, absent = _clients(host)
    doors = chosen(settings, read_site(host, settings))
    visitor = Visitor(host, settings.xrootd, clients or XrootdClients(xrdfs=False, xrdcp=False), deadline)
    visits = visitor.visit_all(doors)
    now_s = _now_s(host)
    written, reason = write(
        host, settings.xrootd, clients or XrootdClients(xrdfs=False, xrdcp=False), deadline
    )
    if reason is not None:
        absent["write"] = reason
    return XrootdFacts(
        clients=clients,
        doors=tuple(door_of(visit, now_s) for visit in visits),
        routes=tuple(route_of(visit) for visit in visits),
        write=written,
        absent=absent,
    )


def _now_s(host: Host) -> float | None:
    """Seconds since 1970 by this node's clock, for the ends of certificates."""
    try:
        return host.now().timestamp()
    except HostError:
        return None


def _clients(host: Host) -> tuple[XrootdClients | None, dict[str, str]]:
    try:
        found = host.observe("xrootd_clients", [], live_xrootd_clients.installed)
    except HostError as error:
        return None, {"clients": error.text}
    if not isinstance(found, dict):
        return None, {"clients": "the answer is not an object"}
    version = found.get("bindings")
    return XrootdClients(
        bindings=version[:64] if isinstance(version, str) else None,
        xrdfs=isinstance(found.get("xrdfs"), str),
        xrdcp=isinstance(found.get("xrdcp"), str),
        missing_proxy=_missing_proxy(host),
    ), {}


def _missing_proxy(host: Host) -> str | None:
    """What X509_USER_PROXY names, if that does not exist."""
    path = host.env("X509_USER_PROXY")
    if not path:
        return None
    try:
        host.stat(path)
    except HostError as error:
        return path if error.is_absent else None
    return None


PROBE = Probe(
    name="xrootd",
    title="whether files are found, opened and read through the site's doors and the federation, and how fast",
    section="Data",
    facts_model=XrootdFacts,
    gather=gather,
    judge=judge,
    summarise=summarise,
    checks=CHECKS,
    deadline_s=DEADLINE_S,
    uses_network=True,
)
