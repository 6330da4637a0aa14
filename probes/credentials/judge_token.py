"""CRD-03 and CRD-04: the bearer token and its file. Pure."""

from __future__ import annotations

from probes.credentials.doors import host_of
from probes.credentials.words import CLOCK_HINT, clock_story, open_to_others, span
from probes.judging import Judging
from probes.remote_settings import SAM_LFN
from profiles.checks import CheckResult
from profiles.facts.credentials import CredentialsFacts, TokenFacts

ANY_AUDIENCES = frozenset({"https://wlcg.cern.ch/jwt/v1/any", "ANY"})
"""Taken by every service: of the WLCG Common JWT Profile, and of SciTokens."""

READING = frozenset({"storage.read", "storage.stage", "read"})
"""Capabilities that include reading (WLCG Common JWT Profile; the last one is SciTokens' spelling)."""


def judge_token(facts: CredentialsFacts, judging: Judging) -> CheckResult:
    """CRD-03: form, dates, audience, scope, in this order; the first fault is the verdict."""
    token = facts.token
    if token is None:
        return judging.skip("CRD-03", facts.absent.get("token", "there is no token"))
    where = token.file.path if token.file is not None else "the environment"
    evidence = [f"found by {token.source} in {where}"]
    if token.problem is not None or token.expires_in_s is None:
        hint = None
        if token.source == "BEARER_TOKEN":
            hint = "unset BEARER_TOKEN or put a good token there: discovery stops at the first place that holds something"
        return judging.critical(
            "CRD-03",
            f"the token cannot be used: {token.problem or 'it has no end'}",
            evidence=evidence,
            hint=hint,
        )
    evidence += _claims(token)
    more = {"value": token.expires_in_s, "unit": "s", "evidence": evidence}
    early_s = max(token.valid_in_s or 0.0, -(token.issued_ago_s or 0.0))
    if early_s > judging.number("CRD-03", "skew_s"):
        more["evidence"] = evidence + clock_story(judging)
        text = (
            f"the token is of the future: issued or valid only {span(early_s)} from now, so this clock is behind "
            f"by {span(early_s)} or more"
        )
        return judging.critical("CRD-03", text, hint=CLOCK_HINT, **more)
    if token.expires_in_s <= 0:
        return judging.critical("CRD-03", f"the token expired {span(-token.expires_in_s)} ago", **more)
    audience = _audience(facts, token, judging)
    if audience is not None:
        strict = bool(judging.settings.credentials.audiences)
        verdict = judging.critical if strict else judging.warn
        return verdict(
            "CRD-03",
            f"wrong audience: {audience}",
            hint="ask for a token with the audience of this site's storage; XRootD refuses this one with 3010, HTTP "
            "with 403; if the storage takes it all the same, name it in credentials.audiences",
            **more,
        )
    scope = _scope(token, judging)
    if scope is not None:
        return judging.warn(
            "CRD-03",
            f"wrong scope: {scope}",
            hint="ask for storage.read:/store (or :/); XRootD refuses this one with 3010, HTTP with 403",
            **more,
        )
    return _lifetime(token, token.expires_in_s, judging, more)


def _lifetime(token: TokenFacts, left_s: float, judging: Judging, more: dict[str, object]) -> CheckResult:
    left = f"token valid for {span(left_s)}"
    if left_s < judging.number("CRD-03", "warn_below_s"):
        return judging.warn("CRD-03", f"{left} only", **more)
    if token.lifetime_s is not None and token.lifetime_s > judging.number("CRD-03", "warn_lifetime_above_s"):
        text = f"the token lives {span(token.lifetime_s)}, longer than the WLCG profile allows"
        return judging.warn("CRD-03", text, hint="ask the issuer for a shorter lifetime, and renew", **more)
    if token.size_bytes > judging.number("CRD-03", "warn_above_bytes"):
        text = f"the token has {token.size_bytes} bytes, more than XRootD takes as it is shipped"
        return judging.warn("CRD-03", text, hint="ask for fewer scopes and groups", **more)
    if token.missing_claims:
        text = f"the token lacks {', '.join(token.missing_claims)}, which the WLCG profile requires"
        return judging.warn("CRD-03", text, hint="look at the issuer's configuration for this client", **more)
    return judging.ok("CRD-03", left, **more)


def _claims(token: TokenFacts) -> list[str]:
    return [
        f"issuer {token.issuer or 'not named'}",
        f"audience {', '.join(token.audiences) or 'not named'}",
        f"scope {' '.join(token.scopes) or 'not named'}",
        *([f"groups {', '.join(token.groups)}"] if token.groups else []),
    ]


def _audience(facts: CredentialsFacts, token: TokenFacts, judging: Judging) -> str | None:
    """What is wrong with the audience; None if it suits one of the site's doors or nothing is known of them."""
    wanted = judging.settings.credentials.audiences
    if ANY_AUDIENCES.intersection(token.audiences):
        return None
    said = ", ".join(token.audiences) or "none"
    if wanted:
        good = set(wanted).intersection(token.audiences)
        return None if good else f"it is for {said}, the site's storage takes {', '.join(wanted)}"
    hosts = set(facts.storage_hosts)
    if not hosts or any(host_of(audience) in hosts for audience in token.audiences):
        return None
    return f"it is for {said}, the site's doors are {', '.join(sorted(hosts)[:4])}"


def _scope(token: TokenFacts, judging: Judging) -> str | None:
    """Why the test file may not be read; None if it may, or groups decide."""
    paths = [
        path or "/" for name, _, path in (scope.partition(":") for scope in token.scopes) if name in READING
    ]
    lfn = judging.settings.siteconf.test_lfn or SAM_LFN
    if any(_covers(path, lfn) for path in paths):
        return None
    if paths:
        return (
            f"it allows to read below {', '.join(paths[:4])}, not {lfn if len(lfn) <= 64 else f'{lfn[:40]}…'}"
        )
    if token.groups:
        return None
    return f"it does not allow to read ({' '.join(token.scopes)[:128] or 'no scope'}); storage.read is needed"


def _covers(path: str, name: str) -> bool:
    folder = path.rstrip("/")
    return name == folder or name.startswith(f"{folder}/")


def judge_file(facts: CredentialsFacts, judging: Judging) -> CheckResult:
    """CRD-04: who else may read or write the file."""
    token = facts.token
    if token is None:
        return judging.skip("CRD-04", facts.absent.get("token", "there is no token"))
    file = token.file
    if file is None:
        return judging.skip("CRD-04", f"the token is in the variable {token.source}, not in a file")
    if file.mode is None:
        return judging.unknown("CRD-04", f"the file was not opened: {token.problem or file.path}")
    more = {"value": file.mode, "evidence": [f"{file.path}: mode {file.mode}"]}
    if open_to_others(file):
        text = f"the token file is open to others (mode {file.mode}), so XRootD silently ignores it"
        return judging.critical("CRD-04", text, hint=f"chmod 600 {file.path}", **more)
    if file.own is False:
        return judging.warn(
            "CRD-04",
            "the token file belongs to another user",
            hint="give it to the user of the job (chown)",
            **more,
        )
    return judging.ok("CRD-04", f"the token file is private (mode {file.mode})", **more)
