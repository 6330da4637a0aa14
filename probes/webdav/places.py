"""Which WebDAV doors there are to try, and with whose authorities. A library of the webdav probe, not a probe."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from probes.errors import HostError
from probes.host import Host
from probes.network_steps import is_address, without_addresses
from probes.remote_settings import SAM_LFN
from probes.settings import Settings
from probes.sitelocal import read_site

PROTOCOLS = ("WebDAV", "davs", "https")
"""Names that sites give this protocol in storage.json (CMS SITECONF; "WebDAV" is the usual one)."""

GRID_AUTHORITIES = "/etc/grid-security/certificates"
MAX_DOORS = 8
_SCHEMES = {"davs": "https", "https": "https", "dav": "http", "http": "http"}
_PORTS = {"https": 443, "http": 80}


@dataclass(frozen=True, kw_only=True)
class Place:
    """A file at a door.

    Attributes:
        url: http or https.
        host: name or address.
        port: TCP port.
        path: of the file in the URL, without its query, because that may be a capability.
        origin: which setting or entry of SITECONF names it.
    """

    url: str
    host: str
    port: int
    path: str
    origin: str

    @property
    def secure(self) -> bool:
        """Whether it is asked over TLS."""
        return self.url.startswith("https:")

    @property
    def target(self) -> str:
        """host:port as it may stand in a profile."""
        return f"{'(address)' if is_address(self.host) else self.host}:{self.port}"


def places(host: Host, settings: Settings) -> tuple[tuple[Place, ...], str | None]:
    """The doors of the settings, else those of SITECONF; or none, with the reason."""
    if settings.webdav.urls:
        named = [(url, "webdav.urls") for url in settings.webdav.urls]
    else:
        site = read_site(host, settings)
        if site.config is None:
            why = str(site.problems[0]) if site.problems else "no SITECONF"
            return (), f"webdav.urls is not set, and SITECONF cannot be read: {why}"
        pfns = site.pfns_of(PROTOCOLS, settings.siteconf.test_lfn or SAM_LFN)
        named = [(pfn.url, f"SITECONF: {pfn.entry.volume}, {pfn.protocol}") for pfn in pfns]
        if not named:
            return (), "webdav.urls is not set, and SITECONF names no WebDAV protocol of this site"
    found: dict[str, Place] = {}
    for url, origin in named:
        place = _place(url, origin)
        if place is not None:
            found.setdefault(place.url, place)
    if not found:
        return (
            (),
            f"{without_addresses(named[0][0])} is not a davs://, https://, dav:// or http:// URL of a file",
        )
    return tuple(found.values())[:MAX_DOORS], None


def _place(url: str, origin: str) -> Place | None:
    try:
        parts = urlsplit(url)
        scheme = _SCHEMES.get(parts.scheme)
        if scheme is None or not parts.hostname or parts.username is not None or parts.port == 0:
            return None
        port = parts.port or _PORTS[scheme]
    except ValueError:
        return None
    # Some catalogues write a second slash to mark an absolute path; doors take either.
    return Place(
        url=parts._replace(scheme=scheme, fragment="").geturl(),
        host=parts.hostname,
        port=port,
        path=parts.path or "/",
        origin=origin,
    )


def authorities(host: Host, settings: Settings) -> str | None:
    """File or directory of authorities to verify with; None = those of the system."""
    configured = settings.webdav.ca_path or settings.network.ca_path
    if configured is not None:
        return configured
    try:
        named = host.env("X509_CERT_DIR")
    except HostError:
        named = None
    if named:
        return named
    return GRID_AUTHORITIES if host.exists(GRID_AUTHORITIES) else None
