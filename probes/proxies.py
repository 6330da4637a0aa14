"""The proxies that a job of this node goes through, in the order in which a CVMFS client would try them.

A library of the probes that ask over HTTP, not a probe. The grammar is that of CVMFS_HTTP_PROXY: `|` between proxies
that share the load, `;` between groups of which the next is tried when the one before is down, `DIRECT` for none,
`auto` for what WPAD says (CVMFS documentation, "Network settings" and "Network path selection").
"""

from __future__ import annotations

from dataclasses import dataclass

from probes.host import Host
from probes.settings import Settings

DIRECT = "DIRECT"


@dataclass(frozen=True)
class ProxyChoice:
    """Proxies in groups.

    Attributes:
        groups: the first is used while one of it works; each member is "http://host:port" or "DIRECT". Never empty.
        origin: where they are configured, for people.
        problems: one sentence each for what was found and could not be used.
    """

    groups: tuple[tuple[str, ...], ...]
    origin: str
    problems: tuple[str, ...] = ()

    @property
    def routes(self) -> tuple[str, ...]:
        """Each member once, in order."""
        return tuple(dict.fromkeys(member for group in self.groups for member in group))


def proxy_groups(host: Host, settings: Settings) -> ProxyChoice:
    """Find the proxies: configured for sitecap, else CVMFS's own configuration, else SITECONF's, else DIRECT."""
    raise NotImplementedError
