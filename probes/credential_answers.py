"""What the host door says of credentials: what an admin needs to know, and nothing that could be used or names a person."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple


class TokenSeen(NamedTuple):
    """What may be told of a bearer token: nothing with which somebody could act, nothing that names a person."""

    source: str
    """Which of the places of WLCG Bearer Token Discovery: BEARER_TOKEN, BEARER_TOKEN_FILE, XDG_RUNTIME_DIR, /tmp."""
    path: str | None
    mode: int | None
    """Permission bits of the file; None if it is in a variable or could not be opened."""
    uid: int | None
    size_bytes: int
    problem: str | None
    """Why it is no token, one clause; the claims are then empty."""
    algorithm: str | None
    issuer: str | None
    audiences: tuple[str, ...]
    scopes: tuple[str, ...]
    groups: tuple[str, ...]
    """wlcg.groups."""
    profile: str | None
    """wlcg.ver, or ver of a SciToken."""
    expires_at: float | None
    """exp, nbf and iat, seconds since 1970."""
    not_before_at: float | None
    issued_at: float | None
    missing: tuple[str, ...]
    """Claims that the WLCG profile requires and this token does not have."""


class AttributesSeen(NamedTuple):
    """One VOMS attribute certificate."""

    vo: str | None
    fqans: tuple[str, ...]
    not_before_at: float
    expires_at: float


class ProxySeen(NamedTuple):
    """What may be told of an X.509 proxy: neither its key nor whose it is."""

    source: str
    """X509_USER_PROXY, or /tmp."""
    path: str
    mode: int | None
    uid: int | None
    problem: str | None
    """Why it is no proxy, one clause; the rest is then empty."""
    kind: Literal["rfc3820", "other", "none"]
    """other: a proxy of before RFC 3820, which OpenSSL no longer takes; none: not a proxy but a certificate."""
    limited: bool
    """A limited proxy (policy 1.3.6.1.4.1.3536.1.1.1.9), with which no job is submitted."""
    certificates: int
    key_bits: int | None
    key_fits: bool | None
    """Whether the private key belongs to the first certificate; None if there is no readable key."""
    not_before_at: float | None
    """The latest notBefore and the earliest notAfter of the chain, seconds since 1970."""
    expires_at: float | None
    attributes: tuple[AttributesSeen, ...]
    attribute_problem: str | None
    """Why a VOMS extension that is there cannot be read."""


class AuthoritiesSeen(NamedTuple):
    """What a hashed directory or a file of authorities holds."""

    certificates: int
    """Distinct files, or certificates in the one file."""
    revocation_lists: int
    unreadable: tuple[str, ...]
    """Names of some files that cannot be read or understood."""
    lapsed: tuple[str, ...]
    """Names of some revocation lists whose nextUpdate has passed."""
    lapsed_count: int
    soonest_update_at: float | None
    """Earliest nextUpdate of the lists that are still good, seconds since 1970."""
    complete: bool
    """False if there were more files than are looked at."""


def token_seen(answer: list[Any]) -> TokenSeen:
    """The answer to "token" as it comes from a recording, with its lists made immutable."""
    return TokenSeen(*_immutable(answer))


def proxy_seen(answer: list[Any]) -> ProxySeen:
    """The answer to "x509" likewise."""
    seen = ProxySeen(*answer)
    found = [AttributesSeen(*one) for one in seen.attributes]
    return seen._replace(attributes=tuple(one._replace(fqans=tuple(one.fqans)) for one in found))


def authorities_seen(answer: list[Any]) -> AuthoritiesSeen:
    """The answer to "authorities" likewise."""
    return AuthoritiesSeen(*_immutable(answer))


def _immutable(answer: list[Any]) -> list[Any]:
    return [tuple(part) if isinstance(part, list) else part for part in answer]
