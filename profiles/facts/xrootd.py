"""XRootD: how far this node gets with each door and redirector, and what a job would see there."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from profiles.base import Bytes, Count, Facts, Model, Seconds, Text
from profiles.facts.network import Family
from profiles.facts.routes import Route

DoorKind = Literal["local", "redirector"]
"""local: a door of the site's own storage; redirector: of the federation, asked for files that are not at the site."""

ClientKind = Literal["bindings", "xrdfs", "protocol"]
"""Python bindings of XRootD, its commands xrdfs and xrdcp, or the bare protocol with no client software."""


class XrootdClients(Model):
    """XRootD's own software that is installed here."""

    bindings: Text | None = Field(default=None, description="version of the Python bindings")
    xrdfs: bool
    xrdcp: bool
    missing_proxy: Text | None = Field(
        default=None,
        description="file that X509_USER_PROXY names and that is not there: every TLS handshake then fails",
    )


class DoorFamily(Model):
    """One family of addresses of a door; only where its name has such addresses."""

    family: Family
    addresses: Count
    works: bool = Field(description="it answered the hello of the protocol")
    connect_s: Seconds | None = None
    hello_s: Seconds | None = Field(default=None, description="hello and kXR_protocol, one round trip")
    ping_s: Seconds | None = Field(
        default=None, description="kXR_ping; null where a login wants authentication"
    )
    fault: Text | None = None
    detail: Text | None = None


class DoorServer(Model):
    """What a server says of itself."""

    protocol: Text = Field(description="version of the protocol, e.g. 5.1.1")
    software: Text | None = Field(default=None, description="version of the server, where it tells strangers")
    roles: tuple[Text, ...] = Field(
        default=(), max_length=8, description="manager, server, meta, proxy, cache"
    )
    site_name: Text | None = None
    tls_offered: bool
    tls_demands: tuple[Text, ...] = Field(default=(), max_length=8, description="what it does over TLS only")
    auth: tuple[Text, ...] | None = Field(
        default=None,
        max_length=64,
        description="authentication protocols it takes; empty = none is wanted, null = unknown",
    )


class DoorCertificate(Model):
    """The server's certificate, seen after it was asked for TLS."""

    authorities: Text = Field(description="file or directory of authorities that XRootD's client uses here")
    verified: bool
    fault: Text | None = Field(
        default=None, description="tls-no-ca, tls-untrusted, tls-host-name, tls-expired, tls"
    )
    detail: Text | None = None
    protocol: Text | None = None
    names: tuple[Text, ...] = Field(default=(), max_length=32, description="DNS names in subjectAltName")
    issuer: Text | None = None
    expires_in_s: Annotated[float, Field(allow_inf_nan=False)] | None = Field(
        default=None, description="at the time of the probe; negative = has expired"
    )


class Transfer(Model):
    """Bytes that were read, and the time that the reading took."""

    read_bytes: Bytes
    duration_s: Seconds
    requests: Count = Field(default=1, description="chunks of a vector read")


class DoorChecksum(Model):
    """Checksum of the file: as the server gives it, and of the bytes that were read."""

    algorithm: Text | None = None
    server: Text | None = None
    read: Text | None = Field(default=None, description="null unless the whole file was read")
    reason: Text | None = Field(default=None, description="why there is nothing to compare")


class XrootdDoor(Model):
    """One file at one door."""

    target: Text = Field(description="host:port, without the host where the configuration gives an address")
    path: Text
    kind: DoorKind
    origin: Text = Field(description="which setting or which entry of SITECONF names it")
    resolve_s: Seconds | None = None
    families: tuple[DoorFamily, ...] = Field(default=(), max_length=2)
    server: DoorServer | None = None
    certificate: DoorCertificate | None = None
    client: ClientKind = "protocol"
    hops: tuple[Text, ...] = Field(
        default=(), max_length=32, description="servers along the redirections, first to last"
    )
    loop: bool = Field(
        default=False, description="the redirections lead back to a server that was asked before"
    )
    located: tuple[Text, ...] = Field(
        default=(), max_length=64, description="who has the file, as the door says"
    )
    size_bytes: Bytes | None = None
    data_server: Text | None = Field(default=None, description="which served the data")
    first_byte_s: Seconds | None = Field(
        default=None, description="as a new job: connection, login, open and first 4 KiB together"
    )
    first_byte_warm_s: Seconds | None = Field(
        default=None, description="open and first 4 KiB on that connection"
    )
    sequential: Transfer | None = None
    sparse: Transfer | None = Field(default=None, description="spread chunks as TTreeCache asks for them")
    checksum: DoorChecksum | None = None
    vector_same: bool | None = Field(
        default=None, description="what vector reads gave is what plain reads gave; null if not compared"
    )


class XrootdWrite(Model):
    """The opt-in write test."""

    target: Text
    steps: tuple[Text, ...] = Field(max_length=8, description="those that went well")
    fault: Text | None = None
    detail: Text | None = None
    checksum_same: bool | None = Field(default=None, description="null if the server gives no checksum")
    left_behind: bool = Field(default=False, description="the file could not be deleted")


class XrootdFacts(Facts):
    """The site's XRootD doors and the federation's redirectors as a job meets them."""

    clients: XrootdClients | None
    doors: tuple[XrootdDoor, ...] | None = Field(max_length=24, description="null if nothing was tried")
    routes: tuple[Route, ...] | None = Field(max_length=24, description="one for each door, in their order")
    write: XrootdWrite | None
