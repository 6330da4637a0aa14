"""What the facts of the credentials probe say about a refusal; pure.

The order of the clues is that of their certainty: what makes a client leave a credential out comes first, then what makes
a server refuse it, then that there is none.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from probes.judging import Judging
from profiles.facts.credentials import CredentialsFacts, ProxyFacts, TokenFacts
from profiles.facts.xrootd import XrootdDoor, XrootdFacts

ANY_AUDIENCES = ("https://wlcg.cern.ch/jwt/v1/any", "ANY")
"""Audiences that any server takes (WLCG Common JWT Profile; SciTokens)."""

OTHERS_MAY_READ = 0o077
MAX_TOKEN_BYTES = 4096
"""Default of the server's token plug-in, which it tells clients at the login ("ztn,0:4096:")."""

TOKEN_PROTOCOL, PROXY_PROTOCOL = "ztn", "gsi"
READ_SCOPES = ("storage.read", "storage.stage", "read")
"""Scopes that let one read (WLCG Common JWT Profile; SciTokens)."""


@dataclass(frozen=True)
class Clue:
    """Something about a credential that explains a refusal."""

    text: str
    hint: str
    missing: bool = False
    """There is no such credential; one that is there and bad is the likelier cause."""


def clues(judging: Judging, door: XrootdDoor, fault: str) -> list[Clue]:
    """Explanations of a refusal at a door, the likeliest first; none if the credentials were not looked at.

    Args:
        judging: for the facts of the credentials probe.
        door: that refused.
        fault: "no-credential-accepted" (the login failed) or "denied" (the login worked, the file is refused).
    """
    found = list(of_missing_proxy(judging, door))
    facts = judging.facts_of("credentials", CredentialsFacts)
    if facts is None:
        return found
    wanted = door.server.auth if door.server is not None and door.server.auth else ()
    if not wanted or TOKEN_PROTOCOL in wanted:
        found += _of_token(facts, door, fault, judging)
    if PROXY_PROTOCOL in wanted:
        found += _of_proxy(facts, fault)
    return sorted(found, key=lambda clue: clue.missing)


def of_missing_proxy(judging: Judging, door: XrootdDoor) -> Iterator[Clue]:
    """A proxy that is named and missing, which keeps clients from TLS altogether."""
    own = judging.facts_of("xrootd", XrootdFacts)
    missing = own.clients.missing_proxy if own is not None and own.clients is not None else None
    if missing is not None and door.server is not None and door.server.tls_offered:
        # Observed with client 6.2.1 and 5.5.3: "TLS: Unable to use cert+key file", and then no TLS, so no token.
        yield Clue(
            f"X509_USER_PROXY names {missing}, which does not exist, and XRootD's client then does no TLS at all",
            "unset X509_USER_PROXY in jobs that have no proxy, or put the proxy there",
        )


def _of_token(facts: CredentialsFacts, door: XrootdDoor, fault: str, judging: Judging) -> Iterator[Clue]:
    token = facts.token
    if token is None:
        if fault == "no-credential-accepted":
            reason = facts.absent.get("token", "none is found")
            yield Clue(
                f"there is no bearer token ({reason})",
                "give the job a token: BEARER_TOKEN_FILE, or $XDG_RUNTIME_DIR/bt_u<uid> (WLCG Bearer Token Discovery)",
                missing=True,
            )
        return
    yield from _token_file(token)
    if token.problem is not None:
        yield Clue(
            f"what lies in {_place(token)} is no token: {token.problem}",
            "write a fresh token there, and nothing else (no quotes, no line of its own before it)",
        )
        return
    yield from _token_times(token)
    if fault == "denied":
        yield from _token_rights(token, door, judging.settings.credentials.audiences)


def _place(token: TokenFacts) -> str:
    return token.file.path if token.file is not None else token.source


def _token_file(token: TokenFacts) -> Iterator[Clue]:
    file = token.file
    if file is None or file.mode is None:
        return
    if int(file.mode, 8) & OTHERS_MAY_READ:
        yield Clue(
            f"the token file {file.path} has mode {file.mode}, and XRootD's client silently leaves out a token that "
            "others may read",
            f"chmod 600 {file.path}",
        )
    if file.own is False:
        yield Clue(
            f"the token file {file.path} belongs to another user", "let the job's own user write its token"
        )


def _token_times(token: TokenFacts) -> Iterator[Clue]:
    if token.expires_in_s is not None and token.expires_in_s <= 0:
        yield Clue(
            f"the token in {_place(token)} expired {_span(-token.expires_in_s)} ago",
            "renew the token (condor_credmon, htgettoken, oidc-agent), and see that the job's copy is renewed too",
        )
    early_s = max(token.valid_in_s or 0.0, -(token.issued_ago_s or 0.0))
    if early_s > 0:
        yield Clue(
            f"the token in {_place(token)} is issued or valid only {_span(early_s)} from now: is this clock behind?",
            "look at the clock (CTX-03): `chronyc tracking`",
        )
    if token.size_bytes > MAX_TOKEN_BYTES:
        yield Clue(
            f"the token in {_place(token)} has {token.size_bytes} bytes, and XRootD takes {MAX_TOKEN_BYTES} as it is shipped",
            "ask the issuer for fewer scopes and groups, or let the server take more (sec.protocol ztn -maxsz)",
        )


def _token_rights(token: TokenFacts, door: XrootdDoor, taken: tuple[str, ...]) -> Iterator[Clue]:
    host = door.target.rpartition(":")[0]
    if token.audiences and not any(
        audience in taken or _fits(audience, host) for audience in token.audiences
    ):
        yield Clue(
            f"the token is for the audience {', '.join(token.audiences[:3])}, not for {host}",
            f"ask the issuer for a token with the server's audience (https://{door.target}) or with {ANY_AUDIENCES[0]}",
        )
    readable = [scope for scope in token.scopes if scope.partition(":")[0] in READ_SCOPES]
    if not readable and not token.groups:
        yield Clue(
            f"the token's scope {' '.join(token.scopes[:4]) or '(none)'} does not let anyone read",
            "ask the issuer for the scope storage.read:/",
        )
    elif readable and not any(_covers(scope, door.path) for scope in readable):
        yield Clue(
            f"the token's scope {' '.join(readable[:4])} does not cover {door.path}",
            f"ask the issuer for storage.read of a directory above {door.path}, as the server's base_path maps it",
        )


def _fits(audience: str, host: str) -> bool:
    """Whether an audience is any server, this host, or a URL of it."""
    if audience in ANY_AUDIENCES:
        return True
    name = audience.partition("://")[2] or audience
    return name.partition("/")[0].partition(":")[0].lower() == host.lower()


def _covers(scope: str, path: str) -> bool:
    """Whether the path of a scope is the file's or one above it; a scope without a path covers all."""
    below = scope.partition(":")[2].rstrip("/")
    return not below or path == below or path.startswith(f"{below}/")


def _of_proxy(facts: CredentialsFacts, fault: str) -> Iterator[Clue]:
    proxy = facts.proxy
    if proxy is None:
        if fault == "no-credential-accepted":
            reason = facts.absent.get("proxy", "none is found")
            yield Clue(
                f"there is no X.509 proxy ({reason})",
                "give the job a proxy: voms-proxy-init -voms cms, X509_USER_PROXY",
                missing=True,
            )
        return
    path = proxy.file.path
    if proxy.problem is not None:
        yield Clue(
            f"what lies in {path} is no proxy: {proxy.problem}", "make a new one: voms-proxy-init -voms cms"
        )
    elif proxy.expires_in_s is not None and proxy.expires_in_s <= 0:
        yield Clue(
            f"the proxy in {path} expired {_span(-proxy.expires_in_s)} ago",
            "renew the proxy (voms-proxy-init -voms cms), and see that the job's copy is renewed too",
        )
    elif proxy.valid_in_s is not None and proxy.valid_in_s > 0:
        yield Clue(
            f"the proxy in {path} is valid only in {_span(proxy.valid_in_s)}: is this clock behind?",
            "look at the clock (CTX-03): `chronyc tracking`",
        )
    else:
        yield from _proxy_rights(facts, proxy)


def _proxy_rights(facts: CredentialsFacts, proxy: ProxyFacts) -> Iterator[Clue]:
    path = proxy.file.path
    if proxy.file.mode is not None and int(proxy.file.mode, 8) & OTHERS_MAY_READ:
        yield Clue(
            f"the proxy {path} has mode {proxy.file.mode}: clients refuse one that others may read",
            f"chmod 600 {path}",
        )
    if facts.authorities is not None and (facts.authorities.problem or not facts.authorities.certificates):
        yield Clue(
            f"there are no authorities in {facts.authorities.path}, so the server cannot be verified and GSI ends there",
            "install the grid's authorities, or set X509_CERT_DIR to a copy (CRD-05)",
        )
    if not proxy.voms:
        yield Clue(
            f"the proxy in {path} has no VOMS attributes, so the server does not know the virtual organisation",
            "make it with voms-proxy-init -voms cms",
        )
    elif all(one.expires_in_s <= 0 for one in proxy.voms):
        yield Clue(
            f"the VOMS attributes in {path} have expired", "make a new proxy: voms-proxy-init -voms cms"
        )


def _span(duration_s: float) -> str:
    """A duration for people."""
    for unit, name in ((86_400, "days"), (3600, "hours"), (60, "minutes")):
        if duration_s >= 2 * unit:
            return f"{duration_s / unit:.0f} {name}"
    return f"{duration_s:.0f} seconds"
