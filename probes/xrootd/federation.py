"""XRD-05 and XRD-06: do the redirectors find the file, and is it read through one of them?"""

from __future__ import annotations

from probes.judging import Judging
from probes.xrootd.explain import cause_of
from probes.xrootd.story import (
    INSTALL_CLIENT,
    NO_CLIENT,
    NO_REDIRECTOR,
    Visited,
    broken_reading,
    chain,
    outcome,
    say,
    story,
)
from profiles.checks import CheckResult
from profiles.facts.xrootd import XrootdDoor


def federation(remote: list[Visited], judging: Judging) -> CheckResult:
    """XRD-05."""
    if not remote:
        return judging.skip("XRD-05", NO_REDIRECTOR)
    good = [one for one in remote if outcome(one[1], "locate") == "ok" or outcome(one[1], "open") == "ok"]
    evidence = [*map(story, remote), *(_whereabouts(door) for door, _ in good)]
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
    return verdict("XRD-05", say(failed[0], cause) + others, evidence=evidence, hint=cause.hint, **more)


def _whereabouts(door: XrootdDoor) -> str:
    return f"{door.target}: {chain(door)}; located at {', '.join(door.located) or 'nobody named'}"


def fall_back(remote: list[Visited], judging: Judging) -> CheckResult:
    """XRD-06."""
    if not remote:
        return judging.skip("XRD-06", NO_REDIRECTOR)
    good = [
        door for door, route in remote if outcome(route, "read") == "ok" and broken_reading(route) is None
    ]
    evidence = list(map(story, remote))
    if good:
        via = f" from {good[0].data_server}" if good[0].data_server else ""
        return judging.ok("XRD-06", f"read through {good[0].target}{via}", evidence=evidence)
    failed = [one for one in remote if one[1].broken is not None]
    if not failed:
        return judging.unknown(
            "XRD-06",
            NO_CLIENT,
            hint=INSTALL_CLIENT,
        )
    cause = cause_of(failed[0][0], failed[0][1].broken, judging)
    return judging.warn(
        "XRD-06", say(failed[0], cause), evidence=[*cause.evidence, *evidence], hint=cause.hint
    )
