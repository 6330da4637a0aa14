"""Tokens that an issuer signed (WLCG Common JWT Profile, SciTokens): who it is and what it may do here."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple

from joserfc import jws, jwt
from joserfc.errors import ExpiredTokenError, InvalidClaimError, JoseError, MissingClaimError

from capacity.service.credentials import UnauthenticatedError
from capacity.service.issuer_keys import Fetch, IssuerKeys, fetch_json
from capacity.service.principal import Principal, Role
from capacity.settings import AuthSettings, Grant, IssuerSettings

MAX_SUBJECT_CHARACTERS = 100
_SITE = r"(T[0-9]_[A-Z]{2}_[A-Za-z0-9_]{1,48})"


class Verified(NamedTuple):
    """A token that was right, and until when (seconds of the Unix epoch)."""

    principal: Principal
    expires_at_s: float


class SignedTokens:
    """Verifies JWTs of the configured issuers.

    Args:
        settings: issuers, their grants, clock skew.
        now: seconds of the Unix epoch.
        fetch: how keys are had.
    """

    def __init__(self, settings: AuthSettings, now: Callable[[], float], fetch: Fetch = fetch_json) -> None:
        self._settings = settings
        self._now = now
        self._issuers = {one.issuer: (one, IssuerKeys(one, settings, fetch)) for one in settings.issuers}

    def verify(self, text: str) -> Verified:
        """Signature, issuer, audience, times, and what its scopes are good for.

        Raises:
            UnauthenticatedError: it cannot be believed, or it is good for nothing here.
            UnavailableError: the issuer's keys cannot be had now.
        """
        try:
            header, claimed = _unverified(text)
            issuer, keys = self._issuer(claimed)
            key = keys.find(header.get("kid"))
            if key is None:
                raise UnauthenticatedError("the token is signed with a key that its issuer does not publish")
            claims = jwt.decode(text, key, algorithms=list(issuer.algorithms)).claims
            self._check(claims, issuer)
        except ExpiredTokenError as error:
            raise UnauthenticatedError("the token has expired: get a new one") from error
        except MissingClaimError as error:
            raise UnauthenticatedError(f"the token misses a claim: {error.description}") from error
        except InvalidClaimError as error:
            raise UnauthenticatedError(
                f"the token is not for this service or not for now: {error.description}"
            ) from error
        except (JoseError, ValueError, TypeError, RecursionError) as error:
            raise UnauthenticatedError("the token's signature or form is wrong") from error
        return Verified(_principal(claims, issuer), float(claims["exp"]))

    def _issuer(self, claimed: Mapping[str, Any]) -> tuple[IssuerSettings, IssuerKeys]:
        name = claimed.get("iss")
        if not isinstance(name, str) or name not in self._issuers:
            raise UnauthenticatedError("the token's issuer is not among auth.issuers of this service")
        return self._issuers[name]

    def _check(self, claims: dict[str, Any], issuer: IssuerSettings) -> None:
        registry = jwt.JWTClaimsRegistry(
            now=int(self._now()),
            leeway=self._settings.clock_skew_s,
            iss={"essential": True, "value": issuer.issuer},
            sub={"essential": True},
            exp={"essential": True},
            aud={"essential": True, "values": list(issuer.audience)},
        )
        registry.validate(claims)


def _unverified(text: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims, only to find whose key is to be asked for."""
    found = jws.extract_compact(text.encode("ascii"))
    claims = json.loads(found.payload)
    header = found.headers()
    if not isinstance(claims, dict) or not isinstance(header.get("kid"), str | None):
        raise TypeError
    return header, claims


def _principal(claims: Mapping[str, Any], issuer: IssuerSettings) -> Principal:
    subject = claims["sub"]
    if not subject.isprintable() or len(subject) > MAX_SUBJECT_CHARACTERS:
        raise UnauthenticatedError(
            f"the token's subject is not printable or longer than {MAX_SUBJECT_CHARACTERS} characters"
        )
    words = _words(claims.get("scope"))
    groups = claims.get("wlcg.groups")
    roles: set[Role] = set()
    sites: set[str] = set()
    everywhere = False
    for grant in issuer.grants:
        if grant.subject not in (None, subject):
            continue
        if grant.group is not None and not (isinstance(groups, list) and grant.group in groups):
            continue
        granted = _sites(grant, words)
        if granted is None:
            continue
        roles.add(Role(grant.role))
        # A read grant is good for every site and must not make a submit grant of one site wider.
        if grant.role != "read":
            everywhere = everywhere or granted == "*"
            sites |= set() if granted == "*" else set(granted)
    if not roles:
        raise UnauthenticatedError(
            "no scope of the token is good for anything here: see auth.issuers of the service"
        )
    return Principal(
        subject=f"{subject}@{issuer.issuer}",
        roles=frozenset(roles),
        sites=None if everywhere else frozenset(sites),
    )


def _words(scope: object) -> tuple[str, ...]:
    """Words of the scope claim: one string (RFC 8693 §4.2) or, in old SciTokens, a list."""
    if isinstance(scope, str):
        return tuple(scope.split())
    return tuple(word for word in scope if isinstance(word, str)) if isinstance(scope, list) else ()


def _sites(grant: Grant, words: tuple[str, ...]) -> tuple[str, ...] | Literal["*"] | None:
    """Sites that a grant gives with these scopes; None = the grant does not apply."""
    if "{site}" not in grant.scope:
        return grant.sites if grant.scope in words else None
    before, _, after = grant.scope.partition("{site}")
    shape = re.compile(re.escape(before) + _SITE + re.escape(after))
    named = tuple(match.group(1) for word in words if (match := shape.fullmatch(word)))
    return named or None
