"""What the facts about credentials mean: CRD-01 to CRD-05. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from probes.credentials.judge_proxy import judge_attributes, judge_proxy
from probes.credentials.judge_token import judge_file, judge_token
from probes.credentials.words import span
from probes.judging import Judging
from profiles.checks import CheckResult
from profiles.facts.credentials import AuthorityFacts, CredentialsFacts


def judge(facts: CredentialsFacts, judging: Judging) -> Sequence[CheckResult]:
    """One verdict for each check of the catalogue."""
    nothing = facts.token is None and facts.proxy is None and judging.settings.credentials.required
    return [
        judge_proxy(facts, judging),
        judge_attributes(facts, judging),
        judging.critical("CRD-03", "no credential at all, neither a token nor a proxy")
        if nothing
        else judge_token(facts, judging),
        judge_file(facts, judging),
        _authorities(facts, judging),
    ]


def summarise(facts: CredentialsFacts) -> str:
    """Which credentials there are, and for how long."""
    parts: list[str] = []
    for name, found in (("token", facts.token), ("proxy", facts.proxy)):
        if found is None:
            continue
        if found.problem is not None or found.expires_in_s is None:
            parts.append(f"bad {name}")
        elif found.expires_in_s <= 0:
            parts.append(f"{name} expired")
        else:
            parts.append(f"{name} {span(found.expires_in_s)}")
    if facts.authorities is not None:
        parts.append(_count(facts.authorities.certificates, "authority", "authorities"))
    return ", ".join(parts) if facts.token or facts.proxy else ", ".join(["no credential", *parts])


def _authorities(facts: CredentialsFacts, judging: Judging) -> CheckResult:
    found = facts.authorities
    if found is None:
        return judging.critical("CRD-05", f"no authorities: {facts.absent.get('authorities', 'none found')}")
    evidence = [f"{found.path} ({found.origin})"]
    if found.problem is not None:
        return judging.critical(
            "CRD-05", f"authorities cannot be read ({found.origin}): {found.problem}", evidence=evidence
        )
    more = {"value": found.certificates, "unit": "1", "evidence": evidence + _story(found)}
    if found.certificates == 0:
        return judging.critical("CRD-05", f"no authority in {found.path}", **more)
    if found.origin == "system":
        return judging.warn(
            "CRD-05", f"only the system's authorities ({found.path}), which lack those of the grid", **more
        )
    if found.lapsed_lists:
        text = f"lapsed: {found.lapsed_lists} of {_count(found.revocation_lists, 'revocation list')}"
        return judging.warn("CRD-05", text, **more)
    return judging.ok(
        "CRD-05",
        f"{_count(found.certificates, 'authority', 'authorities')}, {_count(found.revocation_lists, 'revocation list')}",
        **more,
    )


def _count(number: int, one: str, many: str | None = None) -> str:
    return f"{number} {one if number == 1 else many or f'{one}s'}"


def _story(found: AuthorityFacts) -> list[str]:
    said = []
    if found.soonest_update_in_s is not None:
        said.append(f"the next revocation list lapses in {span(found.soonest_update_in_s)}")
    if found.lapsed:
        said.append(f"lapsed: {', '.join(found.lapsed)}")
    if found.unreadable:
        said.append(f"cannot be read: {', '.join(found.unreadable)}")
    if not found.complete:
        said.append("there are more files than are looked at")
    return said
