"""Which doors are asked for which file: the settings' or SITECONF's, and the federation's redirectors."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from probes.network_steps import is_address
from probes.remote_settings import SAM_LFN
from probes.settings import Settings
from probes.sitelocal import Pfn, Site
from profiles.facts.xrootd import DoorKind

SCHEMES = {"root": False, "xroot": False, "roots": True, "xroots": True}
"""Scheme → whether the client itself asks for TLS."""

PORT = 1094
"""XRootD's registered port."""

MAX_DOORS = 8
"""Of each kind."""


@dataclass(frozen=True)
class Door:
    """A server and the file to ask it for."""

    kind: DoorKind
    host: str
    port: int
    secure: bool
    path: str
    origin: str

    @property
    def url(self) -> str:
        """For clients, without the path."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'roots' if self.secure else 'root'}://{host}:{self.port}"

    @property
    def target(self) -> str:
        """For people: host:port, without the host where it is an address."""
        return f"{'(address)' if is_address(self.host) else self.host}:{self.port}"


def parsed(url: str, kind: DoorKind, path: str | None, origin: str) -> Door | None:
    """The door of a root:// URL; None if it is no such URL. `path` = the URL's own."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port or PORT
    except ValueError:
        return None
    if parts.scheme not in SCHEMES or not host:
        return None
    own = "/" + parts.path.lstrip("/")
    return Door(kind, host, port, SCHEMES[parts.scheme], own if path is None else path, origin)


def chosen(settings: Settings, site: Site) -> tuple[Door, ...]:
    """Local doors, then those where jobs fall back to by SITECONF, then the redirectors; each server and file once."""
    wanted = settings.xrootd
    lfn = settings.siteconf.test_lfn or SAM_LFN
    found: list[Door | None] = [
        parsed(url, "local", _path(url) or lfn, "xrootd.local_urls") for url in wanted.local_urls
    ]
    if not wanted.local_urls:
        found += [
            parsed(pfn.url, "local", None, f"SITECONF {pfn.entry.volume} {pfn.protocol}")
            for pfn in site.pfns(lfn)
            if is_local(site, pfn)
        ]
    local = _unique(found)[:MAX_DOORS]
    remote = [
        parsed(pfn.url, "redirector", None, f"SITECONF {pfn.entry.volume} {pfn.protocol}")
        for pfn in site.pfns(wanted.federation_lfn)
        if not is_local(site, pfn)
    ] + [parsed(url, "redirector", wanted.federation_lfn, "xrootd.redirectors") for url in wanted.redirectors]
    return (*local, *_unique(remote)[:MAX_DOORS])


def is_local(site: Site, pfn: Pfn) -> bool:
    """Whether a data-access entry is of the site's own storage: that of another site is a fall-back."""
    return site.name is None or pfn.entry.site == site.name


def _path(url: str) -> str | None:
    """Path of a setting's URL if it has one besides slashes."""
    path = url.partition("://")[2].partition("/")[2].strip("/")
    return f"/{path}" if path else None


def _unique(doors: list[Door | None]) -> list[Door]:
    seen: dict[tuple[str, int, str], Door] = {}
    for door in doors:
        if door is not None:
            seen.setdefault((door.host, door.port, door.path), door)
    return list(seen.values())
