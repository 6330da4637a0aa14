"""A credential's way to being used, step by step, from the facts alone: no threshold, only what would stop it now."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from profiles.facts.routes import Route, Step

if TYPE_CHECKING:
    from profiles.facts.credentials import CredentialFile, ProxyFacts, TokenFacts

SUBJECT = "what this process could show to a server"
OTHERS = 0o077
"""Permission bits of everybody but the owner."""

Finding = tuple[str, str | None]
"""Name of a step, and what is wrong there, None = nothing."""


def token_route(token: TokenFacts) -> Route:
    """Found, private, readable, begun, alive."""
    findings = [
        ("found", None),
        ("private", _openness(token.file)),
        ("readable", token.problem),
        ("begun", _later(token.valid_in_s)),
        ("alive", _past(token.expires_in_s)),
    ]
    return _route("bearer token", token.source, findings)


def proxy_route(proxy: ProxyFacts) -> Route:
    """The same for an X.509 proxy."""
    findings = [
        ("found", None),
        ("private", _openness(proxy.file)),
        ("readable", proxy.problem),
        ("begun", _later(proxy.valid_in_s)),
        ("alive", _past(proxy.expires_in_s)),
    ]
    return _route("X.509 proxy", proxy.source, findings)


def _openness(file: CredentialFile | None) -> str | None:
    if file is None or file.mode is None:
        return None
    if file.own is False:
        return "the file belongs to another user"
    return f"the file has mode {file.mode}" if int(file.mode, 8) & OTHERS else None


def _later(valid_in_s: float | None) -> str | None:
    late = valid_in_s is not None and valid_in_s > 0
    return f"it is valid in {valid_in_s:.0f} s only, by this clock" if late else None


def _past(expires_in_s: float | None) -> str | None:
    over = expires_in_s is not None and expires_in_s <= 0
    return (
        f"it expired {-expires_in_s:.0f} s ago, by this clock" if over and expires_in_s is not None else None
    )


def _route(target: str, source: str, findings: Iterable[Finding]) -> Route:
    steps: list[Step] = []
    for name, wrong in findings:
        if any(step.outcome == "failed" for step in steps):
            steps.append(Step(name=name, outcome="not reached"))
        else:
            fault = None if wrong is None else f"not-{name}"
            steps.append(
                Step(name=name, outcome="ok" if wrong is None else "failed", fault=fault, detail=wrong)
            )
    return Route(subject=SUBJECT, target=target, via=source, steps=tuple(steps))
