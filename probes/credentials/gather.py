"""Facts about credentials, asked at the host door. Times become spans from this clock, because a judge has none."""

from __future__ import annotations

from probes.credential_answers import AttributesSeen, ProxySeen, TokenSeen
from probes.credentials.doors import host_of
from probes.errors import HostError
from probes.hanging import PATIENCE_S, hangs
from probes.host import Host
from probes.network_steps import is_address, without_addresses
from probes.private_text import PrivateText
from probes.remote_settings import SAM_LFN
from probes.settings import Settings
from probes.sitelocal import read_site
from profiles.facts.credentials import (
    AuthorityFacts,
    CredentialFile,
    CredentialsFacts,
    ProxyFacts,
    TokenFacts,
    VomsFacts,
)

GRID_AUTHORITIES = "/etc/grid-security/certificates"
SYSTEM_AUTHORITIES = (
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)
"""Of Red Hat, Debian, SUSE, Alpine (the places that curl's configure looks at)."""

WEBDAV_PROTOCOLS = ("webdav", "davs", "https")
MAX_HOSTS = 64


def gather(host: Host, settings: Settings) -> CredentialsFacts:
    """Look at the token, the proxy and the authorities."""
    try:
        about = _Gathering(host, settings)
    except HostError as error:
        # A recording of before this probe has no clock for it.
        reasons = dict.fromkeys(("token", "proxy", "authorities"), error.text)
        return CredentialsFacts(token=None, proxy=None, authorities=None, absent=reasons)
    absent: dict[str, str] = {}
    token = proxy = None
    try:
        token = about.token()
        if token is None:
            absent["token"] = "WLCG discovery finds no token"  # noqa: S105 - a reason
    except HostError as error:
        absent["token"] = about.clean(error.text)
    try:
        proxy = about.proxy()
        if proxy is None:
            absent["proxy"] = "X509_USER_PROXY is not set and /tmp/x509up_u<uid> does not exist"
    except HostError as error:
        absent["proxy"] = about.clean(error.text)
    authorities = about.authorities()
    if authorities is None:
        absent["authorities"] = (
            f"X509_CERT_DIR is not set, and neither {GRID_AUTHORITIES} nor a system's bundle exists"
        )
    return CredentialsFacts(
        token=token,
        proxy=proxy,
        authorities=authorities,
        storage_hosts=_storage_hosts(host, settings),
        absent=absent,
    )


def _storage_hosts(host: Host, settings: Settings) -> tuple[str, ...]:
    """Hosts for which a token is used here; doors given by address are left out, as no audience is an address."""
    urls = [*settings.xrootd.local_urls, *settings.webdav.urls]
    site = read_site(host, settings)
    lfn = settings.siteconf.test_lfn or SAM_LFN
    urls += [pfn.url for pfn in site.pfns(lfn) if pfn.entry.site == site.name]
    urls += [pfn.url for pfn in site.pfns_of(WEBDAV_PROTOCOLS, lfn)]
    found: dict[str, None] = {}
    for url in urls:
        name = host_of(url)
        if name and not is_address(name):
            found[name] = None
    return tuple(found)[:MAX_HOSTS]


class _Gathering:
    def __init__(self, host: Host, settings: Settings) -> None:
        self._host = host
        self._cvmfs = f"{settings.cvmfs.mount_path}/"
        self._private = PrivateText(host)
        self._now = host.now().timestamp()
        self._uid = host.identity().euid

    def clean(self, text: str) -> str:
        return without_addresses(self._private.hide(text)) or ""

    def token(self) -> TokenFacts | None:
        seen = self._host.token()
        return None if seen is None else self._token(seen)

    def _token(self, seen: TokenSeen) -> TokenFacts:
        lifetime_s = None
        if seen.expires_at is not None and seen.issued_at is not None:
            lifetime_s = seen.expires_at - seen.issued_at
        return TokenFacts.model_validate(
            {
                "source": seen.source,
                "file": self._file(seen.path, seen.mode, seen.uid),
                "size_bytes": seen.size_bytes,
                "problem": None if seen.problem is None else self.clean(seen.problem),
                "algorithm": seen.algorithm,
                "issuer": None if seen.issuer is None else self.clean(seen.issuer),
                "audiences": [self.clean(one) for one in seen.audiences],
                "scopes": [self.clean(one) for one in seen.scopes],
                "groups": [self.clean(one) for one in seen.groups],
                "profile": seen.profile,
                "expires_in_s": self._until(seen.expires_at),
                "valid_in_s": self._until(seen.not_before_at),
                "issued_ago_s": None if seen.issued_at is None else round(self._now - seen.issued_at, 1),
                "lifetime_s": lifetime_s,
                "missing_claims": seen.missing,
            }
        )

    def proxy(self) -> ProxyFacts | None:
        seen = self._host.proxy()
        return None if seen is None else self._proxy(seen)

    def _proxy(self, seen: ProxySeen) -> ProxyFacts:
        return ProxyFacts.model_validate(
            {
                "source": seen.source,
                "file": self._file(seen.path, seen.mode, seen.uid),
                "problem": None if seen.problem is None else self.clean(seen.problem),
                "kind": seen.kind,
                "limited": seen.limited,
                "certificates": seen.certificates,
                "key_bits": seen.key_bits,
                "key_fits": seen.key_fits,
                "valid_in_s": self._until(seen.not_before_at),
                "expires_in_s": self._until(seen.expires_at),
                "voms": [self._voms(one) for one in seen.attributes],
                "voms_problem": seen.attribute_problem,
            }
        )

    def _voms(self, seen: AttributesSeen) -> VomsFacts:
        return VomsFacts(
            vo=seen.vo,
            fqans=seen.fqans,
            valid_in_s=round(seen.not_before_at - self._now, 1),
            expires_in_s=round(seen.expires_at - self._now, 1),
        )

    def authorities(self) -> AuthorityFacts | None:
        """X509_CERT_DIR if it is set, whatever it holds, as clients do; else the grid's; else the system's."""
        named = (self._host.env("X509_CERT_DIR") or "").strip()
        if named:
            return self._look(named, "X509_CERT_DIR")
        if self._host.exists(GRID_AUTHORITIES):
            return self._look(GRID_AUTHORITIES, "grid default")
        for path in SYSTEM_AUTHORITIES:
            if self._host.exists(path):
                return self._look(path, "system")
        return None

    def _look(self, path: str, origin: str) -> AuthorityFacts:
        about = {"path": self.clean(path), "origin": origin}
        if path.startswith(self._cvmfs) and hangs(self._host, path):
            problem = f"no answer within {PATIENCE_S:g} s: the mount hangs, see CVM-01"
            return AuthorityFacts.model_validate({**about, "problem": problem})
        try:
            seen = self._host.authorities(path)
        except HostError as error:
            return AuthorityFacts.model_validate({**about, "problem": self.clean(error.text)})
        return AuthorityFacts.model_validate(
            {
                **about,
                "certificates": seen.certificates,
                "revocation_lists": seen.revocation_lists,
                "lapsed_lists": seen.lapsed_count,
                "lapsed": seen.lapsed,
                "unreadable": seen.unreadable,
                "soonest_update_in_s": max(0.0, self._until(seen.soonest_update_at) or 0.0)
                if seen.soonest_update_at is not None
                else None,
                "complete": seen.complete,
            }
        )

    def _file(self, path: str | None, mode: int | None, uid: int | None) -> CredentialFile | None:
        if path is None:
            return None
        return CredentialFile(
            path=self.clean(path),
            mode=None if mode is None else f"{mode:04o}",
            own=None if uid is None else uid == self._uid,
        )

    def _until(self, moment: float | None) -> float | None:
        return None if moment is None else round(moment - self._now, 1)
