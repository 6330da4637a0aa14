"""XRD-01 and XRD-02: do the servers answer, and do they let us in?"""

from __future__ import annotations

from probes.judging import Judging
from probes.xrootd.explain import cause_of
from probes.xrootd.story import (
    NO_LOCAL,
    NO_REDIRECTOR,
    Visited,
    evidence_of,
    outcome,
    say,
    step_of,
    worst,
)
from profiles.checks import CheckResult
from profiles.facts.xrootd import XrootdDoor

REACHING = ("resolve", "connect", "handshake")


def reached(visited: list[Visited], judging: Judging) -> CheckResult:
    """XRD-01."""
    if not visited:
        return judging.skip("XRD-01", f"{NO_LOCAL}; {NO_REDIRECTOR}")
    failed = [one for one in visited if one[1].broken is not None and one[1].broken.name in REACHING]
    more = {"value": len(visited) - len(failed), "unit": "1"}
    if failed:
        causes = [cause_of(one[0], one[1].broken, judging) for one in failed]
        evidence = evidence_of(causes, visited)
        first = say(failed[0], causes[0])
        others = f" (and {len(failed) - 1} more)" if len(failed) > 1 else ""
        return worst(failed, judging)(
            "XRD-01", first + others, evidence=evidence, hint=causes[0].hint, **more
        )
    dead = [(door, family) for door, _ in visited for family in door.families if not family.works]
    evidence = [_families(door) for door, _ in visited]
    if dead:
        door, family = dead[0]
        text = (
            f"{door.target} has {family.family.value} addresses and does not answer there ({family.fault}): "
            "clients wait for a time-out before they fall back"
        )
        hint = f"take the {family.family.value} address out of DNS, or make the door listen and its network work there"
        return judging.warn("XRD-01", text, evidence=evidence, hint=hint, **more)
    return judging.ok("XRD-01", f"all {len(visited)} doors and redirectors answer", evidence=evidence, **more)


def _families(door: XrootdDoor) -> str:
    said = [
        f"{one.family.value} "
        + (
            f"connect {1e3 * (one.connect_s or 0):.1f} ms, hello {1e3 * (one.hello_s or 0):.1f} ms"
            if one.works
            else f"{one.fault}: {one.detail}"
        )
        for one in door.families
    ]
    server = door.server
    words = [] if server is None else [*server.roles, server.software or "", server.site_name or ""]
    return f"{door.target}: {'; '.join(said)} ({', '.join(filter(None, words))})"


def let_in(visited: list[Visited], judging: Judging) -> CheckResult:
    """XRD-02."""
    # The TLS handshake is part of getting in: without it no credential is ever shown.
    failed = [one for one in visited if one[1].broken is not None and one[1].broken.name in ("TLS", "auth")]
    if failed:
        causes = [cause_of(one[0], one[1].broken, judging) for one in failed]
        evidence = evidence_of(causes, failed)
        others = f" (and {len(failed) - 1} more)" if len(failed) > 1 else ""
        return worst(failed, judging)(
            "XRD-02", say(failed[0], causes[0]) + others, evidence=evidence, hint=causes[0].hint
        )
    tried = [one for one in visited if outcome(one[1], "auth") == "ok"]
    unknown = [one for one in visited if outcome(one[1], "handshake") == "ok" and one not in tried]
    if unknown:
        step = step_of(unknown[0][1], "auth")
        detail = (step and step.detail) or "the login was not tried"
        return judging.unknown(
            "XRD-02",
            f"{unknown[0][0].target}: {detail}",
            hint="install XRootD's Python bindings (pip install sitecap[xrootd]) or xrdfs",
        )
    if not tried:
        return judging.skip("XRD-02", "no door was reached")
    wanting = [door for door, _ in tried if door.server is not None and door.server.auth]
    text = f"{len(tried)} logins worked, {len(wanting)} of them with a credential"
    return judging.ok("XRD-02", text, evidence=[_auth(door) for door, _ in tried])


def _auth(door: XrootdDoor) -> str:
    auth = door.server.auth if door.server is not None else None
    return f"{door.target}: {'wants one of ' + ', '.join(auth) if auth else 'wants no authentication'}"
