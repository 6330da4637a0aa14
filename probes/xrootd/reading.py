"""XRD-03 and XRD-04: is the file read at the site's own doors, and is it the right one?"""

from __future__ import annotations

from probes.judging import Judging
from probes.xrootd.explain import cause_of
from probes.xrootd.story import (
    INSTALL_CLIENT,
    NO_CLIENT,
    NO_LOCAL,
    Visited,
    broken_reading,
    chain,
    outcome,
    say,
    story,
)
from profiles.checks import CheckResult
from profiles.facts.xrootd import XrootdDoor


def read(local: list[Visited], judging: Judging) -> CheckResult:
    """XRD-03."""
    if not local:
        return judging.skip("XRD-03", NO_LOCAL)
    good = [one for one in local if outcome(one[1], "read") == "ok" and broken_reading(one[1]) is None]
    failed = [one for one in local if broken_reading(one[1]) is not None]
    evidence = [*map(story, local), *(_found(door) for door, _ in good)]
    if failed:
        cause = cause_of(failed[0][0], broken_reading(failed[0][1]), judging)
        path = failed[0][0].path
        text = say(failed[0], cause) + ("" if path in cause.text else f" ({path})")
        verdict = judging.warn if good else judging.critical
        return verdict("XRD-03", text, evidence=[*cause.evidence, *evidence], hint=cause.hint)
    if not good:
        return judging.unknown(
            "XRD-03",
            NO_CLIENT,
            evidence=evidence,
            hint=INSTALL_CLIENT,
        )
    first = good[0][0]
    vector = "vector read" if outcome(good[0][1], "readv") == "ok" else "no vector read"
    return judging.ok(
        "XRD-03", f"{first.path} is read at {len(good)} of {len(local)} doors, {vector}", evidence=evidence
    )


def _found(door: XrootdDoor) -> str:
    return f"{door.target}: {door.size_bytes} bytes, served by {chain(door)}"


def checksums(local: list[Visited], judging: Judging) -> CheckResult:
    """XRD-04."""
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
