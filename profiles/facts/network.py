"""Which services this node reaches, over which family of addresses, and whether something sits in between.

Addresses are never kept: they identify a machine. What matters of the local one is its kind.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from profiles.base import Bytes, Count, Facts, Model, Seconds, Text

AddressKind = Literal["global", "private", "link-local", "loopback"]
"""private: RFC 1918, RFC 4193, and the shared space of RFC 6598 - translated before it reaches the Internet."""

SkewSeconds = Annotated[float, Field(allow_inf_nan=False)]
"""Local clock minus remote clock; positive = this node is ahead."""


class Family(StrEnum):
    """A family of IP addresses."""

    IPV4 = "IPv4"
    IPV6 = "IPv6"


class FamilyAttempt(Model):
    """What became of connecting to an endpoint over one family; only where its name has such addresses."""

    family: Family
    addresses: Count = Field(description="addresses of this family that the name has")
    works: bool = Field(description="at least one of those tried took the connection")
    connect_s: Seconds | None = Field(default=None, description="time of the connection that worked")
    errno_name: Text | None = Field(default=None, description="why none worked, e.g. ECONNREFUSED")
    detail: Text | None = None


class TlsAttempt(Model):
    """What became of a TLS handshake with verification of the certificate."""

    works: bool = Field(description="the other side speaks TLS, verified or not")
    verified: bool
    authorities: Text = Field(description="file or directory of authorities that decided, or 'system'")
    protocol: Text | None = None
    issuer: Text | None = Field(default=None, description="who signed the certificate, verified or not")
    subject: Text | None = None
    fingerprint_sha256: Text | None = None
    detail: Text | None = Field(default=None, description="why it did not work or is not verified")


class HttpAttempt(Model):
    """The header of an answer over HTTP."""

    status: Annotated[int, Field(ge=100, le=999)]
    content_type: Text | None = None
    intermediaries: tuple[Text, ...] = Field(
        default=(), max_length=8, description="header fields that only a proxy or cache adds: Via, X-Cache …"
    )
    html_unexpected: bool = Field(description="an object that is never HTML was answered with HTML")
    clock_skew_s: SkewSeconds | None = Field(
        default=None,
        description="local clock minus the Date of the answer, taken at the middle of the request",
    )
    clock_uncertainty_s: Seconds | None = Field(
        default=None,
        description="half the duration of the request plus half a second, the resolution of Date",
    )


class EndpointFacts(Model):
    """One configured service and how far this node gets with it."""

    name: Text
    target: Text = Field(description="host:port, without the host where the configuration gives an address")
    essential: bool
    resolve_s: Seconds | None = Field(default=None, description="time of the look-up; null for an address")
    resolve_error: Text | None = Field(default=None, description="why the name has no address")
    attempts: tuple[FamilyAttempt, ...] = Field(default=(), max_length=2)
    tls_wanted: bool = False
    tls: TlsAttempt | None = None
    tls_error: Text | None = Field(default=None, description="why no handshake could be tried")
    http: HttpAttempt | None = None
    http_error: Text | None = Field(default=None, description="why there is no answer over HTTP")


class FetchFacts(Model):
    """The download of one object."""

    via: Literal["proxy", "direct"]
    status: Annotated[int, Field(ge=100, le=999)] | None = None
    body_bytes: Bytes = 0
    duration_s: Seconds | None = Field(default=None, description="look-up and connection included")
    html: bool = False
    error: Text | None = None


class NetworkFacts(Facts):
    """What is reached from here."""

    endpoints: tuple[EndpointFacts, ...] | None = Field(
        max_length=64, description="one for each configured service; null if nothing was tried"
    )
    clock_skew_s: SkewSeconds | None = Field(description="median of the endpoints' clock skews")
    clock_uncertainty_s: Seconds | None = Field(description="largest uncertainty among those endpoints")
    ipv4_local_kind: AddressKind | None = Field(description="kind of the local address of an IPv4 connection")
    ipv6_local_kind: AddressKind | None = Field(description="kind of the local address of an IPv6 connection")
    tcp_keepalive_s: Seconds | None = Field(description="net.ipv4.tcp_keepalive_time")
    fetches: tuple[FetchFacts, ...] | None = Field(
        max_length=2, description="null if no object is configured"
    )
