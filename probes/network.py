"""Network: which services a job reaches from here, over which family, with whose certificate, at what time.

Endpoints are tried side by side, in steps that all have a time-out, so the whole stays below the deadline:
look-up (5.2 s: longer than the 5 s after which a resolver asks its next server) + connection (3 s, or less if so
configured) + TLS against two sets of authorities (2 × 2 s) + HTTP (2 s) = 14.2 s. The downloads run beside them
(2 × 7 s). Every question is asked once, so a replay does not depend on the order of the threads.
"""

from __future__ import annotations

import statistics
from functools import partial
from typing import TypeVar

from probes.answers import ConnectTrial, Resolution
from probes.errors import HostError
from probes.host import Host
from probes.network_checks import CHECKS
from probes.network_judge import judge, summarise
from probes.network_steps import (
    SYSTEM,
    address_kind,
    ask_header,
    fetch,
    is_address,
    seconds,
    shake_hands,
    side_by_side,
    without_addresses,
)
from probes.settings import NO_OUTBOUND, Endpoint, NetworkSettings, Settings
from probes.spec import Probe
from profiles.facts.network import (
    AddressKind,
    EndpointFacts,
    Family,
    FamilyAttempt,
    FetchFacts,
    HttpAttempt,
    NetworkFacts,
    TlsAttempt,
)

T = TypeVar("T")

LOOKUP_S = 5.2
CONNECT_S = 3.0
ADDRESSES_TRIED = 2
"""Per endpoint and family: a client goes on to the second address, hardly ever to a third."""

GRID_AUTHORITIES = "/etc/grid-security/certificates"
"""Where grid software looks for authorities if X509_CERT_DIR does not say (IGTF distribution)."""

KEEPALIVE = "/proc/sys/net/ipv4/tcp_keepalive_time"


def gather(host: Host, settings: Settings) -> NetworkFacts:
    """Try all configured endpoints; in the no-outbound profile, nothing is opened."""
    if settings.site_profile == "no-outbound":
        return NetworkFacts.nothing(NO_OUTBOUND)
    tried = _Endpoints(host, settings.network)
    fetches: list[FetchFacts] = []
    finished = side_by_side(
        {"endpoints": tried.run, "fetches": lambda: fetches.extend(_fetches(host, settings.network))}
    )
    for outcome in finished.values():
        if isinstance(outcome, HostError):
            raise outcome
    return _facts(host, settings.network, tried, fetches)


def _fetches(host: Host, wanted: NetworkSettings) -> list[FetchFacts]:
    """One after the other: side by side they would share the line and both look slow."""
    if wanted.throughput_url is None:
        return []
    proxies = (None,) if wanted.http_proxy is None else (wanted.http_proxy, None)
    return [fetch(host, wanted.throughput_url, proxy) for proxy in proxies]


def _facts(host: Host, wanted: NetworkSettings, tried: _Endpoints, fetches: list[FetchFacts]) -> NetworkFacts:
    endpoints = tuple(tried.facts_of(endpoint) for endpoint in wanted.endpoints)
    clocks = [
        (facts.http.clock_skew_s, facts.http.clock_uncertainty_s)
        for facts in endpoints
        if facts.http is not None
    ]
    skews = [skew_s for skew_s, _ in clocks if skew_s is not None]
    absent: dict[str, str] = {}
    if not skews:
        absent["clock_skew_s"] = absent["clock_uncertainty_s"] = "no endpoint told the time over HTTP"
    kinds = tried.local_kinds()
    for family, name in ((Family.IPV4, "ipv4_local_kind"), (Family.IPV6, "ipv6_local_kind")):
        if kinds.get(family) is None:
            absent[name] = f"no connection over {family.value} succeeded"
    keepalive_s, reason = _keepalive(host)
    if reason is not None:
        absent["tcp_keepalive_s"] = reason
    if not fetches:
        absent["fetches"] = "network.throughput_url is not set"
    return NetworkFacts(
        endpoints=endpoints,
        clock_skew_s=statistics.median(skews) if skews else None,
        clock_uncertainty_s=max(bound for _, bound in clocks if bound is not None) if skews else None,
        ipv4_local_kind=kinds.get(Family.IPV4),
        ipv6_local_kind=kinds.get(Family.IPV6),
        tcp_keepalive_s=keepalive_s,
        fetches=tuple(fetches) or None,
        absent=absent,
    )


def _keepalive(host: Host) -> tuple[float | None, str | None]:
    try:
        text = host.read_text(KEEPALIVE, limit_bytes=64).strip()
    except HostError as error:
        return None, error.text
    if text.isascii() and text.isdigit() and len(text) < 10:
        return float(text), None
    return None, f"{KEEPALIVE} does not hold a number"


class _Endpoints:
    """All endpoints, taken through the steps together; equal questions are asked once."""

    def __init__(self, host: Host, wanted: NetworkSettings) -> None:
        self._host = host
        self._wanted = wanted
        self._lookups: dict[str, Resolution | HostError] = {}
        self._connects: dict[tuple[str, int], ConnectTrial | HostError] = {}
        self._handshakes: dict[tuple[str, str, int], TlsAttempt | HostError] = {}
        self._headers: dict[str, HttpAttempt | HostError] = {}

    def run(self) -> None:
        """Ask everything; the outcomes stay here."""
        host, endpoints = self._host, self._wanted.endpoints
        connect_s = min(CONNECT_S, self._wanted.connect_timeout_s)
        names = sorted({endpoint.host for endpoint in endpoints})
        self._lookups = side_by_side(
            {name: partial(host.resolve, name, timeout_s=LOOKUP_S) for name in names}
        )
        places = [
            (address, endpoint.port)
            for endpoint in endpoints
            for family in Family
            for address in self._addresses(endpoint, family)[:ADDRESSES_TRIED]
        ]
        self._connects = side_by_side(
            {place: partial(host.connect, *place, timeout_s=connect_s) for place in dict.fromkeys(places)}
        )
        authorities = self._authorities() if any(endpoint.tls for endpoint in endpoints) else ()
        self._handshakes = side_by_side(
            {
                place: partial(shake_hands, host, *place, authorities)
                for place in dict.fromkeys(map(self._tls_place, endpoints))
                if place is not None
            }
        )
        self._headers = side_by_side(
            {
                url: partial(ask_header, host, url, ca_path, never_html=never_html)
                for url, ca_path, never_html in filter(None, map(self._question, endpoints))
            }
        )

    def _addresses(self, endpoint: Endpoint, family: Family) -> tuple[str, ...]:
        found = self._lookups.get(endpoint.host)
        if not isinstance(found, Resolution):
            return ()
        return found.ipv4 if family is Family.IPV4 else found.ipv6

    def _authorities(self) -> tuple[str | None, ...]:
        """What to verify with: as configured, else those of the grid and, failing them, those of the system."""
        if self._wanted.ca_path is not None:
            return (self._wanted.ca_path,)
        try:
            grid = self._host.env("X509_CERT_DIR") or GRID_AUTHORITIES
        except HostError:
            grid = GRID_AUTHORITIES
        return (grid, None) if self._host.exists(grid) else (None,)

    def _connected(self, endpoint: Endpoint) -> str | None:
        """The first address of an endpoint that took a connection."""
        for family in Family:
            for address in self._addresses(endpoint, family)[:ADDRESSES_TRIED]:
                trial = self._connects.get((address, endpoint.port))
                if isinstance(trial, ConnectTrial) and trial.works:
                    return address
        return None

    def _tls_place(self, endpoint: Endpoint) -> tuple[str, str, int] | None:
        address = self._connected(endpoint) if endpoint.tls else None
        return None if address is None else (endpoint.host, address, endpoint.port)

    def _question(self, endpoint: Endpoint) -> tuple[str, str | None, bool] | None:
        """URL, authorities and expectation of the HTTP question, None if there is none to ask."""
        speaks_http = endpoint.tls or endpoint.port == 80 or endpoint.http_path is not None
        if not speaks_http or self._connected(endpoint) is None:
            return None
        ca_path = None
        if endpoint.tls:
            place = self._tls_place(endpoint)
            attempt = self._handshakes.get(place) if place else None
            if not isinstance(attempt, TlsAttempt) or not attempt.verified:
                return None  # whoever answers here is not who should, and neither is the clock
            ca_path = None if attempt.authorities == SYSTEM else attempt.authorities
        return self._url(endpoint), ca_path, endpoint.http_path is not None

    @staticmethod
    def _url(endpoint: Endpoint) -> str:
        host = f"[{endpoint.host}]" if ":" in endpoint.host else endpoint.host
        scheme = "https" if endpoint.tls else "http"
        return f"{scheme}://{host}:{endpoint.port}{endpoint.http_path or '/'}"

    def local_kinds(self) -> dict[Family, AddressKind]:
        """Kind of the local address by family; the widest where endpoints are reached in several ways."""
        order: tuple[AddressKind, ...] = ("global", "private", "link-local", "loopback")
        found: dict[Family, list[AddressKind]] = {}
        for (address, _), trial in self._connects.items():
            if isinstance(trial, ConnectTrial) and trial.works and trial.local_address is not None:
                kind = address_kind(trial.local_address)
                if kind is not None:
                    found.setdefault(Family.IPV6 if ":" in address else Family.IPV4, []).append(kind)
        return {family: min(kinds, key=order.index) for family, kinds in found.items()}

    def facts_of(self, endpoint: Endpoint) -> EndpointFacts:
        """What became of one endpoint."""
        lookup = self._lookups[endpoint.host]
        numeric = is_address(endpoint.host)
        tls, tls_error = _split(self._handshakes.get(self._tls_place(endpoint) or ("", "", 0)))
        http, http_error = _split(self._headers.get(self._url(endpoint)))
        attempts = (self._attempt(endpoint, family) for family in Family)
        return EndpointFacts(
            name=without_addresses(endpoint.name) or "",
            target=f"{'(address)' if numeric else endpoint.host}:{endpoint.port}",
            essential=endpoint.essential,
            resolve_s=None if numeric or isinstance(lookup, HostError) else seconds(lookup.duration_s),
            resolve_error=_lookup_error(lookup),
            attempts=tuple(attempt for attempt in attempts if attempt is not None),
            tls_wanted=endpoint.tls,
            tls=tls,
            tls_error=tls_error,
            http=http,
            http_error=http_error,
        )

    def _attempt(self, endpoint: Endpoint, family: Family) -> FamilyAttempt | None:
        addresses = self._addresses(endpoint, family)
        trials = [self._connects[address, endpoint.port] for address in addresses[:ADDRESSES_TRIED]]
        if not trials:
            return None
        best = next((trial for trial in trials if isinstance(trial, ConnectTrial) and trial.works), trials[0])
        if isinstance(best, HostError):
            best = ConnectTrial(False, best.errno_name, best.text, None, 0.0)  # noqa: FBT003
        return FamilyAttempt(
            family=family,
            addresses=len(addresses),
            works=best.works,
            connect_s=seconds(best.duration_s) if best.works else None,
            errno_name=best.errno_name,
            detail=without_addresses(best.detail),
        )


def _lookup_error(lookup: Resolution | HostError) -> str | None:
    if isinstance(lookup, HostError):
        return without_addresses(lookup.text)
    if lookup.ipv4 or lookup.ipv6:
        return None
    return without_addresses(lookup.error) or "the name has no address"


def _split(outcome: T | HostError | None) -> tuple[T | None, str | None]:
    return (None, without_addresses(outcome.text)) if isinstance(outcome, HostError) else (outcome, None)


PROBE = Probe(
    name="network",
    title="which services are reached, over IPv4 and IPv6, with whose certificate and at what time",
    section="Network",
    facts_model=NetworkFacts,
    gather=gather,
    judge=judge,
    summarise=summarise,
    checks=CHECKS,
    deadline_s=15.0,
    uses_network=True,
)
