"""WebDAV: how far a job gets with the site's HTTPS doors, step by step.

Doors are walked side by side; each asks at most ten small questions and reads one bounded piece. Nothing is written. A
token is sent over TLS only, and only after the door's certificate was verified.
"""

from __future__ import annotations

import time
from functools import partial

from probes.errors import HostError
from probes.host import Host
from probes.network_steps import side_by_side
from probes.settings import NO_OUTBOUND, Settings
from probes.spec import Probe
from probes.webdav.asking import Asking
from probes.webdav.checks import CHECKS
from probes.webdav.door import walk
from probes.webdav.judge import judge, summarise
from probes.webdav.places import authorities, places
from profiles.facts.webdav import WebdavFacts

DEADLINE_S = 125.0
"""Above the longest `webdav.budget_s` that can be set, by which the probe ends itself."""


def gather(host: Host, settings: Settings) -> WebdavFacts:
    """Walk to every door; in the no-outbound profile, nothing is opened."""
    if settings.site_profile == "no-outbound":
        return WebdavFacts.nothing(NO_OUTBOUND)
    end = time.monotonic() + settings.webdav.budget_s
    found, reason = places(host, settings)
    if reason is not None:
        return WebdavFacts.nothing(reason)
    ca_path = authorities(host, settings)
    walks = side_by_side(
        {place.url: partial(walk, Asking(host, place, settings.webdav, ca_path, end)) for place in found}
    )
    doors, routes = [], []
    for outcome in walks.values():
        if isinstance(outcome, HostError):
            raise outcome
        doors.append(outcome[0])
        routes.append(outcome[1])
    return WebdavFacts(doors=tuple(doors), routes=tuple(routes))


PROBE = Probe(
    name="webdav",
    title="WebDAV doors of the site: ranges, checksums, credentials",
    section="Data",
    facts_model=WebdavFacts,
    gather=gather,
    judge=judge,
    summarise=summarise,
    checks=CHECKS,
    deadline_s=DEADLINE_S,
    uses_network=True,
)
