"""Verdicts on the XRootD facts; pure. The route of each door says which step broke, `explain` says why."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from probes.judging import Judging
from probes.xrootd.explain import Cause, cause_of
from probes.xrootd.speed import speed
from probes.xrootd.tls import tls
from profiles.checks import CheckResult
from profiles.facts.routes import Route, Step
from profiles.facts.xrootd import XrootdDoor, XrootdFacts

Visited = tuple[XrootdDoor, Route]

REACHING = ("resolve", "connect", "handshake")
NO_LOCAL = "no door of the site's own: xrootd.local_urls is not set, and SITECONF names none"
NO_REDIRECTOR = "no redirector is configured"


def judge(facts: XrootdFacts, judging: Judging) -> Sequence[CheckResult]:
    """One verdict for each check, in the order of the catalogue."""
    if facts.doors is None or facts.routes is None:
        reason = facts.absent.get("doors", "nothing was tried")
        return [judging.skip(check_id, reason) for check_id in CHECK_IDS]
    visited = list(zip(facts.doors, facts.routes, strict=True))
    local = [one for one in visited if one[0].kind == "local"]
    remote = [one for one in visited if one[0].kind == "redirector"]
    return [
        _reached(visited, judging),
        _let_in(visited, judging),
        _read(local, judging),
        _checksums(local, judging),
        _federation(remote, judging),
        _fall_back(remote, judging),
        speed([door for door, _ in local], judging),
        tls([door for door, _ in local], judging),
        _stage_out(facts, judging),
    ]


CHECK_IDS = ("XRD-01", "XRD-02", "XRD-03", "XRD-04", "XRD-05", "XRD-06", "XRD-07", "XRD-08", "STO-01")


def summarise(facts: XrootdFacts) -> str:
    """How many doors and redirectors work."""
    if not facts.doors or not facts.routes:
        return facts.absent.get("doors", "no door is configured")[:60]
    parts = []
    for kind, name in (("local", "doors"), ("redirector", "redirectors")):
        routes = [route for door, route in zip(facts.doors, facts.routes, strict=True) if door.kind == kind]
        if routes:
            parts.append(f"{sum(route.broken is None for route in routes)} of {len(routes)} {name}")
    speeds = [door.sequential for door in facts.doors if door.sequential is not None]
    if speeds:
        parts.append(f"{max(one.read_bytes / one.duration_s for one in speeds) / 1e6:.3g} MB/s")
    return ", ".join(parts)[:60]


def _step(route: Route, name: str) -> Step | None:
    return next((step for step in route.steps if step.name == name), None)


def _outcome(route: Route, name: str) -> str:
    step = _step(route, name)
    return "not tried" if step is None else step.outcome


def _story(one: Visited) -> str:
    door, route = one
    step = route.broken
    if step is None:
        return f"{door.target}: nothing broke{'' if door.client == 'bindings' else f' ({door.client})'}"
    return f"{door.target}: {step.name}: {step.fault}: {step.detail or 'no detail'}"


def _worst(failed: Sequence[Visited], judging: Judging) -> Callable[..., CheckResult]:
    """CRITICAL if one of the site's own doors is among them."""
    return judging.critical if any(door.kind == "local" for door, _ in failed) else judging.warn


def _say(one: Visited, cause: Cause) -> str:
    return f"{one[0].target}: {cause.text}"


def _evidence(causes: Iterable[Cause], visited: Iterable[Visited]) -> list[str]:
    return [*(line for cause in causes for line in cause.evidence), *map(_story, visited)]


def _reached(visited: list[Visited], judging: Judging) -> CheckResult:
    if not visited:
        return judging.skip("XRD-01", f"{NO_LOCAL}; {NO_REDIRECTOR}")
    failed = [one for one in visited if one[1].broken is not None and one[1].broken.name in REACHING]
    more = {"value": len(visited) - len(failed), "unit": "1"}
    if failed:
        causes = [cause_of(one[0], one[1].broken, judging) for one in failed]
        evidence = _evidence(causes, visited)
        first = _say(failed[0], causes[0])
        others = f" (and {len(failed) - 1} more)" if len(failed) > 1 else ""
        return _worst(failed, judging)(
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


def _let_in(visited: list[Visited], judging: Judging) -> CheckResult:
    # The TLS handshake is part of getting in: without it no credential is ever shown.
    failed = [one for one in visited if one[1].broken is not None and one[1].broken.name in ("TLS", "auth")]
    if failed:
        causes = [cause_of(one[0], one[1].broken, judging) for one in failed]
        evidence = _evidence(causes, failed)
        others = f" (and {len(failed) - 1} more)" if len(failed) > 1 else ""
        return _worst(failed, judging)(
            "XRD-02", _say(failed[0], causes[0]) + others, evidence=evidence, hint=causes[0].hint
        )
    tried = [one for one in visited if _outcome(one[1], "auth") == "ok"]
    unknown = [one for one in visited if _outcome(one[1], "handshake") == "ok" and one not in tried]
    if unknown:
        step = _step(unknown[0][1], "auth")
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


NOT_READING = ("locate", "checksum")
"""Steps that a job that reads does not stand on."""


def _broken_reading(route: Route) -> Step | None:
    """The first step that failed of those that reading stands on."""
    return next(
        (step for step in route.steps if step.outcome == "failed" and step.name not in NOT_READING), None
    )


def _read(local: list[Visited], judging: Judging) -> CheckResult:
    if not local:
        return judging.skip("XRD-03", NO_LOCAL)
    good = [one for one in local if _outcome(one[1], "read") == "ok" and _broken_reading(one[1]) is None]
    failed = [one for one in local if _broken_reading(one[1]) is not None]
    evidence = [*map(_story, local), *(_found(door) for door, _ in good)]
    if failed:
        cause = cause_of(failed[0][0], _broken_reading(failed[0][1]), judging)
        path = failed[0][0].path
        text = _say(failed[0], cause) + ("" if path in cause.text else f" ({path})")
        verdict = judging.warn if good else judging.critical
        return verdict("XRD-03", text, evidence=[*cause.evidence, *evidence], hint=cause.hint)
    if not good:
        return judging.unknown(
            "XRD-03",
            "the file was not read: XRootD's Python bindings or xrdcp are needed for that",
            evidence=evidence,
            hint="pip install sitecap[xrootd], or install xrdcp",
        )
    first = good[0][0]
    vector = "vector read" if _outcome(good[0][1], "readv") == "ok" else "no vector read"
    return judging.ok(
        "XRD-03", f"{first.path} is read at {len(good)} of {len(local)} doors, {vector}", evidence=evidence
    )


def _found(door: XrootdDoor) -> str:
    return f"{door.target}: {door.size_bytes} bytes, served by {_chain(door)}"


def _checksums(local: list[Visited], judging: Judging) -> CheckResult:
    if not local:
        return judging.skip("XRD-04", NO_LOCAL)
    compared = [door for door, _ in local if door.checksum is not None and door.checksum.read is not None]
    evidence = [
        f"{door.target}: {door.checksum.algorithm} {door.checksum.server}, of the bytes read {door.checksum.read}"
        for door in compared
        if door.checksum is not None
    ]
    wrong = [
        door for door in compared if door.checksum is not None and door.checksum.read != door.checksum.server
    ]
    if wrong:
        text = (
            f"{wrong[0].target}: the server's checksum of {wrong[0].path} is not that of the bytes it gives"
        )
        return judging.critical("XRD-04", text, evidence=evidence)
    if compared:
        return judging.ok(
            "XRD-04",
            f"{compared[0].checksum.algorithm if compared[0].checksum else 'checksum'} agrees",
            evidence=evidence,
        )
    reasons = [
        door.checksum.reason for door, _ in local if door.checksum is not None and door.checksum.reason
    ]
    return judging.skip("XRD-04", reasons[0] if reasons else "no file was read whole")


def _federation(remote: list[Visited], judging: Judging) -> CheckResult:
    if not remote:
        return judging.skip("XRD-05", NO_REDIRECTOR)
    good = [one for one in remote if _outcome(one[1], "locate") == "ok" or _outcome(one[1], "open") == "ok"]
    evidence = [*map(_story, remote), *(_whereabouts(door) for door, _ in good)]
    more = {"value": len(good), "unit": "1"}
    failed = [one for one in remote if one not in good]
    if not failed:
        return judging.ok(
            "XRD-05", f"{len(good)} redirectors find {good[0][0].path}", evidence=evidence, **more
        )
    step = failed[0][1].broken
    if step is None:
        return judging.unknown(
            "XRD-05", f"{failed[0][0].target}: the file was not looked for", evidence=evidence
        )
    cause = cause_of(failed[0][0], step, judging)
    verdict = judging.warn if good else judging.critical
    others = f" (and {len(failed) - 1} more)" if len(failed) > 1 else ""
    evidence = [*cause.evidence, *evidence]
    return verdict("XRD-05", _say(failed[0], cause) + others, evidence=evidence, hint=cause.hint, **more)


def _whereabouts(door: XrootdDoor) -> str:
    return f"{door.target}: {_chain(door)}; located at {', '.join(door.located) or 'nobody named'}"


def _chain(door: XrootdDoor) -> str:
    """Servers from the one that was asked to the one that gave the data."""
    hops = [*(door.hops or (door.target,)), *filter(None, [door.data_server])]
    return " → ".join(hop for hop, before in zip(hops, [None, *hops], strict=False) if hop != before)


def _fall_back(remote: list[Visited], judging: Judging) -> CheckResult:
    if not remote:
        return judging.skip("XRD-06", NO_REDIRECTOR)
    good = [
        door for door, route in remote if _outcome(route, "read") == "ok" and _broken_reading(route) is None
    ]
    evidence = list(map(_story, remote))
    if good:
        via = f" from {good[0].data_server}" if good[0].data_server else ""
        return judging.ok("XRD-06", f"read through {good[0].target}{via}", evidence=evidence)
    failed = [one for one in remote if one[1].broken is not None]
    if not failed:
        return judging.unknown(
            "XRD-06",
            "the file was not read: XRootD's Python bindings or xrdcp are needed for that",
            hint="pip install sitecap[xrootd], or install xrdcp",
        )
    cause = cause_of(failed[0][0], failed[0][1].broken, judging)
    return judging.warn(
        "XRD-06", _say(failed[0], cause), evidence=[*cause.evidence, *evidence], hint=cause.hint
    )


def _stage_out(facts: XrootdFacts, judging: Judging) -> CheckResult:
    done = facts.write
    if done is None:
        return judging.skip("STO-01", facts.absent.get("write", "nothing was written"))
    evidence = [f"{done.target}: {', '.join(done.steps) or 'no step'} went well"]
    if done.left_behind:
        evidence.append("the file could not be deleted and is still there: .sitecap-… in that directory")
    if done.fault is not None or done.left_behind:
        text = f"{done.target}: {done.detail or 'the file could not be deleted'}"
        return judging.critical("STO-01", text, evidence=evidence)
    same = "checksum right" if done.checksum_same else "no checksum given"
    return judging.ok("STO-01", f"written, read back and deleted at {done.target}, {same}", evidence=evidence)
