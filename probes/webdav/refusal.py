"""Why a door answered 401 or 403, as far as this node's own credentials tell. Pure.

A door says 403 to an expired token, to a wrong audience and to no token alike, so the reason has to be found here.
"""

from __future__ import annotations

from typing import NamedTuple

from profiles.facts.credentials import CredentialsFacts, ProxyFacts, TokenFacts
from profiles.facts.webdav import CredentialTry, WebdavDoor

ANY_AUDIENCE = "https://wlcg.cern.ch/jwt/v1/any"
"""Audience that every service takes (WLCG Common JWT Profile, "aud")."""

READING = ("storage.read", "storage.stage", "read")
"""Scopes that allow reading: of the WLCG profile, and of SciTokens."""


class Refusal(NamedTuple):
    """A clause for the verdict, and what to do."""

    reason: str
    hint: str


def why(door: WebdavDoor, credentials: CredentialsFacts | None) -> Refusal:
    """The first thing wrong with what was sent to `door`; `credentials` None = that probe did not run."""
    if not door.secure:
        return Refusal(
            "no credential is sent over plain HTTP", "name the door as davs:// or https:// in webdav.urls"
        )
    tried = {one.credential: one for one in door.tried}
    token, proxy = tried.get("token"), tried.get("x509")
    if not (_sent(token) or _sent(proxy)):
        reasons = "; ".join(one.reason for one in (token, proxy) if one is not None and one.reason)
        return Refusal(
            f"no credential to send: {reasons or 'none was found'}",
            "give the job a token (BEARER_TOKEN_FILE) or a proxy (X509_USER_PROXY)",
        )
    if credentials is not None:
        found = _token_fault(credentials.token, door) if _sent(token) else None
        found = found or (_proxy_fault(credentials.proxy) if _sent(proxy) else None)
        if found is not None:
            return found
    names = " and ".join(one.credential for one in door.tried if _sent(one))
    return Refusal(
        f"it refuses the {names}, with which nothing is wrong as far as this node can tell",
        "let the door authorise the token's issuer, audience and scope, or the proxy's VOMS group: its log says which it lacks",
    )


def _sent(one: CredentialTry | None) -> bool:
    return one is not None and one.status is not None


def _token_fault(token: TokenFacts | None, door: WebdavDoor) -> Refusal | None:
    if token is None:
        return None
    if token.problem is not None:
        return Refusal(
            f"the token is none: {token.problem}", "replace the token by one as the issuer gave it"
        )
    if token.expires_in_s is not None and token.expires_in_s <= 0:
        return Refusal(
            f"the token expired {-token.expires_in_s:.0f} s ago",
            "renew the token, and look at what should renew it; if it is fresh, at this node's clock (CTX-03)",
        )
    if token.valid_in_s is not None and token.valid_in_s > 0:
        return Refusal(
            f"the token is valid in {token.valid_in_s:.0f} s only", "look at this node's clock (CTX-03)"
        )
    if token.audiences and not _meant_for(token, door):
        shown = ", ".join(token.audiences[:3])
        return Refusal(
            f"the token's audience is {shown}, not this door",
            f"get a token for the audience https://{door.target} or {ANY_AUDIENCE}",
        )
    return _scope_fault(token, door)


def _meant_for(token: TokenFacts, door: WebdavDoor) -> bool:
    host = door.target.rpartition(":")[0]
    good = {ANY_AUDIENCE, host, door.target, f"https://{host}", f"https://{door.target}", "ANY"}
    return any(audience.rstrip("/") in good for audience in token.audiences)


def _scope_fault(token: TokenFacts, door: WebdavDoor) -> Refusal | None:
    reading = [scope for scope in token.scopes if scope.partition(":")[0] in READING]
    if token.scopes and not reading:
        shown = ", ".join(token.scopes[:4])
        return Refusal(
            f"the token's scopes ({shown}) allow no reading", "get a token with the scope storage.read:/"
        )
    paths = [scope.partition(":")[2] or "/" for scope in reading]
    if reading and not any(_below(door.path, path) for path in paths):
        return Refusal(
            f"the token allows reading below {', '.join(paths[:4])}, and the file is {door.path}",
            "get a token whose storage.read covers the file, or look at the base path that the door adds to scopes",
        )
    return None


def _below(path: str, top: str) -> bool:
    """Whether a path is `top` or below it; a door may serve a path of its own before the token's."""
    inner = top.strip("/")
    return not inner or f"/{inner}/" in f"/{path.strip('/')}/"


def _proxy_fault(proxy: ProxyFacts | None) -> Refusal | None:
    if proxy is None:
        return None
    if proxy.problem is not None:
        return Refusal(f"the X.509 proxy is none: {proxy.problem}", "make the proxy anew (`voms-proxy-init`)")
    if proxy.expires_in_s is not None and proxy.expires_in_s <= 0:
        return Refusal(
            f"the X.509 proxy expired {-proxy.expires_in_s:.0f} s ago",
            "renew the proxy, and look at what should renew it",
        )
    if not proxy.voms:
        return Refusal(
            "the X.509 proxy has no VOMS attributes", "make the proxy with `voms-proxy-init -voms cms`"
        )
    return None
