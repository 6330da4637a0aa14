"""WebDAV: how far this node gets with each of the site's doors, and what they can do."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from profiles.base import Bytes, Facts, Model, Seconds, Text
from profiles.facts.network import FamilyAttempt
from profiles.facts.routes import Route

CredentialKind = Literal["token", "x509", "none"]

Adler32 = Annotated[str, Field(pattern=r"^[0-9a-f]{8}$")]


class CredentialTry(Model):
    """What a door said to a question asked with one kind of credential."""

    credential: CredentialKind
    status: Annotated[int, Field(ge=100, le=999)] | None = Field(
        default=None,
        description="HTTP status; null if the question could not be asked with it or got no answer",
    )
    reason: Text | None = Field(default=None, description="why there is no status")


class WebdavDoor(Model):
    """One file at one door."""

    target: Text = Field(description="host:port, without the host where the configuration gives an address")
    path: Text = Field(description="path of the file in its URL")
    origin: Text = Field(description="which setting or which entry of SITECONF names it")
    secure: bool = Field(description="over TLS; a token is never sent otherwise")
    attempts: tuple[FamilyAttempt, ...] = Field(default=(), max_length=2)
    tried: tuple[CredentialTry, ...] = Field(default=(), max_length=3)
    credential: CredentialKind | None = Field(default=None, description="with which the door let us in")
    server: Text | None = Field(default=None, description="the Server field of its answers")
    dav: Text | None = Field(
        default=None, description="the DAV field of its answer to OPTIONS (RFC 4918 §10.1)"
    )
    redirected_to: tuple[Text, ...] = Field(
        default=(), max_length=8, description="host:port of the servers that it sends readers on to"
    )
    size_bytes: Bytes | None = None
    modified: Text | None = Field(
        default=None, description="getlastmodified of the file, as the door writes it"
    )
    digest_adler32: Adler32 | None = Field(default=None, description="as the door gives it (RFC 3230)")
    read_adler32: Adler32 | None = Field(
        default=None, description="of the bytes read, if that was the whole file"
    )
    read_bytes: Bytes | None = Field(default=None, description="read in sequence")
    read_s: Seconds | None = Field(default=None, description="connection and TLS handshake included")
    first_byte_s: Seconds | None = Field(
        default=None, description="until the header of the answer of that read"
    )


class WebdavFacts(Facts):
    """The site's WebDAV doors as a job meets them."""

    doors: tuple[WebdavDoor, ...] | None = Field(max_length=16, description="null if nothing was tried")
    routes: tuple[Route, ...] | None = Field(max_length=16, description="one for each door, in their order")
