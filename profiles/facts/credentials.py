"""Which credentials a job has here: dates, audiences, scopes, groups and file modes.

Never the token, its signature or subject, nor a private key or distinguished name: a profile leaves the site.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from profiles.base import Bytes, Count, Facts, Model, Seconds, Text
from profiles.facts.credential_steps import proxy_route, token_route
from profiles.facts.routes import Route

SignedSeconds = Annotated[float, Field(allow_inf_nan=False)]
"""A time span that may be negative: then the moment has passed."""

Mode = Annotated[str, Field(pattern=r"^[0-7]{4}$")]
"""Permission bits of a file in octal, e.g. 0600."""

Source = Literal["BEARER_TOKEN", "BEARER_TOKEN_FILE", "XDG_RUNTIME_DIR", "/tmp", "X509_USER_PROXY"]  # noqa: S108


class CredentialFile(Model):
    """The file in which a credential lies."""

    path: Text
    mode: Mode | None = Field(default=None, description="null = it could not be opened")
    own: bool | None = Field(default=None, description="whether it belongs to the user of this process")


class TokenFacts(Model):
    """The bearer token that WLCG discovery finds. It was parsed, its signature was not verified."""

    source: Source = Field(description="place in the order of WLCG Bearer Token Discovery")
    file: CredentialFile | None = Field(default=None, description="null = it is in a variable")
    size_bytes: Bytes
    problem: Text | None = Field(default=None, description="why it is no token; the claims are then empty")
    algorithm: Text | None = None
    issuer: Text | None = None
    audiences: tuple[Text, ...] = Field(default=(), max_length=64)
    scopes: tuple[Text, ...] = Field(default=(), max_length=64)
    groups: tuple[Text, ...] = Field(default=(), max_length=64, description="wlcg.groups")
    profile: Text | None = Field(default=None, description="wlcg.ver, or ver of a SciToken")
    expires_in_s: SignedSeconds | None = Field(default=None, description="exp minus this clock")
    valid_in_s: SignedSeconds | None = Field(default=None, description="nbf minus this clock, null = no nbf")
    issued_ago_s: SignedSeconds | None = Field(
        default=None, description="this clock minus iat, null = no iat"
    )
    lifetime_s: SignedSeconds | None = Field(default=None, description="exp minus iat")
    missing_claims: tuple[Text, ...] = Field(
        default=(), max_length=16, description="claims that the WLCG profile requires and it lacks"
    )


class VomsFacts(Model):
    """One VOMS attribute certificate."""

    vo: Text | None
    fqans: tuple[Text, ...] = Field(
        default=(), max_length=64, description="groups and roles, the primary first"
    )
    valid_in_s: SignedSeconds
    expires_in_s: SignedSeconds


class ProxyFacts(Model):
    """The X.509 proxy."""

    source: Source
    file: CredentialFile
    problem: Text | None = Field(default=None, description="why it is no proxy; the rest is then empty")
    kind: Literal["rfc3820", "other", "none"] = Field(
        description="other: of before RFC 3820; none: a certificate that is no proxy"
    )
    limited: bool = Field(default=False, description="a limited proxy, with which no job is submitted")
    certificates: Count = Field(default=0, description="length of the chain in the file")
    key_bits: Count | None = None
    key_fits: bool | None = Field(
        default=None, description="whether the key belongs to the certificate; null = no readable key"
    )
    valid_in_s: SignedSeconds | None = Field(
        default=None, description="latest notBefore of the chain minus this clock"
    )
    expires_in_s: SignedSeconds | None = Field(
        default=None, description="earliest notAfter of the chain minus this clock"
    )
    voms: tuple[VomsFacts, ...] = Field(default=(), max_length=8)
    voms_problem: Text | None = Field(default=None, description="why a VOMS extension cannot be read")


class AuthorityFacts(Model):
    """The certification authorities that grid clients use here."""

    path: Text
    origin: Literal["X509_CERT_DIR", "grid default", "system"]
    problem: Text | None = Field(default=None, description="why it cannot be read; the rest is then empty")
    certificates: Count = 0
    revocation_lists: Count = 0
    lapsed_lists: Count = Field(default=0, description="lists whose nextUpdate has passed")
    lapsed: tuple[Text, ...] = Field(default=(), max_length=16, description="some of them")
    unreadable: tuple[Text, ...] = Field(default=(), max_length=16)
    soonest_update_in_s: Seconds | None = Field(
        default=None, description="until the first of the good lists lapses; null = there is none"
    )
    complete: bool = Field(default=True, description="false = more files than are looked at")


class CredentialsFacts(Facts):
    """Tokens, proxies and authorities, as this process has them."""

    token: TokenFacts | None = Field(description="bearer token")
    proxy: ProxyFacts | None = Field(description="X.509 proxy")
    authorities: AuthorityFacts | None = Field(description="certification authorities")
    storage_hosts: tuple[Text, ...] = Field(
        default=(), max_length=64, description="hosts of the site's storage, from configuration and SITECONF"
    )

    @property
    def routes(self) -> tuple[Route, ...]:
        """The way of each credential that was found; drawn, not stored, because it says nothing new."""
        found = [token_route(self.token)] if self.token else []
        return (*found, proxy_route(self.proxy)) if self.proxy else tuple(found)
