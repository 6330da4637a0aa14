"""Verdicts on the XRootD facts; pure. The route of each door says which step broke, `explain` says why."""

from __future__ import annotations

from collections.abc import Sequence

from probes.judging import Judging
from probes.xrootd.checks import CHECKS
from probes.xrootd.federation import fall_back, federation
from probes.xrootd.reach import let_in, reached
from probes.xrootd.reading import checksums, read
from probes.xrootd.speed import speed
from probes.xrootd.tls import tls
from profiles.checks import CheckResult
from profiles.facts.xrootd import XrootdFacts


def judge(facts: XrootdFacts, judging: Judging) -> Sequence[CheckResult]:
    """One verdict for each check, in the order of the catalogue."""
    if facts.doors is None or facts.routes is None:
        reason = facts.absent.get("doors", "nothing was tried")
        return [judging.skip(check.id, reason) for check in CHECKS]
    visited = list(zip(facts.doors, facts.routes, strict=True))
    local = [one for one in visited if one[0].kind == "local"]
    remote = [one for one in visited if one[0].kind == "redirector"]
    return [
        reached(visited, judging),
        let_in(visited, judging),
        read(local, judging),
        checksums(local, judging),
        federation(remote, judging),
        fall_back(remote, judging),
        speed([door for door, _ in local], judging),
        tls([door for door, _ in local], judging),
        _stage_out(facts, judging),
    ]


def summarise(facts: XrootdFacts) -> str:
    """How many doors and redirectors work."""
    if facts.doors is None or facts.routes is None:
        return "not tried"
    if not facts.doors:
        return "no door is configured"
    parts = []
    for kind, name in (("local", "doors"), ("redirector", "redirectors")):
        routes = [route for door, route in zip(facts.doors, facts.routes, strict=True) if door.kind == kind]
        if routes:
            parts.append(f"{sum(route.broken is None for route in routes)} of {len(routes)} {name}")
    speeds = [door.sequential for door in facts.doors if door.sequential is not None]
    if speeds:
        parts.append(f"{max(one.read_bytes / one.duration_s for one in speeds) / 1e6:.3g} MB/s")
    return ", ".join(parts)[:60]


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
