"""What the facts of CVMFS over HTTP mean: CVH-01 to CVH-07. Pure."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Callable, Sequence

from probes.cvmfs.asking import NOT_ASKED
from probes.cvmfs.checks import HINTS
from probes.judging import Judging
from profiles.checks import CheckResult
from profiles.facts.cvmfs import CvmfsFacts, CvmfsRoute
from profiles.facts.routes import Step

H = 3600.0
ALL_CHECKS = ("CVH-01", "CVH-02", "CVH-03", "CVH-04", "CVH-05", "CVH-06", "CVH-07")
CHAIN = ("connect", "manifest", "certificate", "signature", "whitelist")
OBJECTS = ("certificate", "catalog", "file")
CLOCK_SLACK_S = 60.0


def judge(facts: CvmfsFacts, judging: Judging) -> Sequence[CheckResult]:
    """One verdict for each check of the catalogue; all SKIPPED if nothing was tried."""
    if facts.routes is None:
        return [judging.skip(check, facts.absent.get("routes", "nothing was tried")) for check in ALL_CHECKS]
    if not facts.routes:
        reason = "cvmfs.http_repositories or cvmfs.stratum_ones is empty"
        return [judging.skip(check, reason) for check in ALL_CHECKS]
    routes = facts.routes
    return [
        _manifest(routes, facts.problems or (), judging),
        _whitelist(routes, facts.now_s or 0.0, judging),
        _age(routes, judging),
        _spread(routes, judging),
        _objects(routes, judging),
        _latency(routes, judging),
        _geo(facts, judging),
    ]


def summarise(facts: CvmfsFacts) -> str:
    """How many routes are verified, and which revision."""
    if facts.routes is None:
        return "not tried"
    good = sum(route.verified for route in facts.routes)
    text = f"{good} of {len(facts.routes)} routes verified"
    if facts.newest:
        text += f", {facts.newest[0].repository} r{facts.newest[0].revision}"
    return text if len(text) <= 60 else f"{good} of {len(facts.routes)} routes verified"


def _manifest(routes: Sequence[CvmfsRoute], problems: Sequence[str], judging: Judging) -> CheckResult:
    broken = [(route, step) for route in routes if not route.verified and (step := _broken(route, CHAIN))]
    good = len(routes) - len(broken)
    evidence = [*(line(route, step) for route, step in broken), *problems]
    lost = [
        name
        for name in dict.fromkeys(route.subject for route in routes)
        if not any(route.verified for route in routes if route.subject == name)
    ]
    if {step.fault for _, step in broken} == {NOT_ASKED} and good == 0:
        return judging.unknown("CVH-01", f"nothing could be asked: {broken[0][1].detail}", evidence=evidence)
    if lost:
        return judging.critical(
            "CVH-01",
            f"no route gives a verified manifest of {', '.join(lost[:3])}: {_counted(broken)}",
            value=good,
            unit="routes",
            evidence=evidence,
            hint=_hint([step for route, step in broken if route.subject in lost]),
        )
    if broken:
        return judging.warn(
            "CVH-01",
            f"{len(broken)} of {len(routes)} routes are broken: {_counted(broken)}",
            value=good,
            unit="routes",
            evidence=evidence,
            hint=_hint([step for _, step in broken]),
        )
    return judging.ok(
        "CVH-01",
        f"every route gives a verified manifest ({len(routes)})",
        value=good,
        unit="routes",
        evidence=evidence,
    )


def _whitelist(routes: Sequence[CvmfsRoute], now_s: float, judging: Judging) -> CheckResult:
    signed = [(route, route.whitelist_expires_s) for route in routes]
    ends = [(route, end - now_s) for route, end in signed if end is not None]
    if not ends:
        return judging.skip("CVH-02", "no route gives a whitelist that is signed by a master key")
    expired = [(route, left) for route, left in ends if left < 0]
    first, left_s = min(ends, key=lambda pair: pair[1])
    skews = [route.clock_skew_s for route, _ in ends if route.clock_skew_s is not None]
    skew_s = statistics.median(skews) if skews else 0.0
    ours = bool(expired) and abs(skew_s) > CLOCK_SLACK_S and left_s + skew_s > 0
    evidence = [
        f"{_route(route)}: {_span(left)}" for route, left in sorted(ends, key=lambda pair: pair[1])[:8]
    ]
    if abs(skew_s) > CLOCK_SLACK_S:
        evidence.append(f"this node's clock is {skew_s:+.0f} s off those of the servers")
    value, unit = round(left_s / H, 1), "h"
    if expired:
        who = "all" if len(expired) == len(ends) else f"{len(expired)} of {len(ends)}"
        text = f"the whitelist of {first.subject} has expired {_ago(left_s)} on {who} routes"
        if ours:
            text += f", but only by this node's clock, which is {skew_s:+.0f} s off"
        verdict = judging.critical if len(expired) == len(ends) else judging.warn
        hint = HINTS["clock"] if ours else None
        return verdict("CVH-02", text, value=value, unit=unit, evidence=evidence, hint=hint)
    text = f"the whitelist of {first.subject} lives for another {left_s / H:.0f} h"
    if left_s < judging.number("CVH-02", "warn_below_h") * H:
        return judging.warn("CVH-02", text, value=value, unit=unit, evidence=evidence)
    return judging.ok("CVH-02", text, value=value, unit=unit, evidence=evidence)


def _age(routes: Sequence[CvmfsRoute], judging: Judging) -> CheckResult:
    ages: dict[tuple[str, str], tuple[float, bool]] = {}
    for route in routes:
        if route.snapshot_age_s is not None:
            key = (route.target, route.subject)
            found = (route.snapshot_age_s, route.initial_snapshot)
            ages[key] = min(ages.get(key, found), found)
    copying = sorted(
        {route.target for route in routes if route.initial_snapshot and route.snapshot_age_s is None}
    )
    if not ages:
        reason = (
            f"{', '.join(copying)} copies for the first time"
            if copying
            else "no Stratum-1 says when it copied last"
        )
        return judging.skip("CVH-03", reason)
    warn_s, critical_s, factor = (
        judging.number("CVH-03", name) * scale
        for name, scale in (("warn_above_h", H), ("critical_above_h", H), ("initial_factor", 1.0))
    )
    late = {key: age for key, (age, initial) in ages.items() if age > warn_s * (factor if initial else 1)}
    dead = {key: age for key, (age, initial) in ages.items() if age > critical_s * (factor if initial else 1)}
    evidence = [
        f"{target}, {name}: last snapshot {_span(age)} ago"
        for (target, name), (age, _) in sorted(ages.items())
    ]
    (worst, name), (oldest_s, _) = max(ages.items(), key=lambda item: item[1][0])
    more = {"value": round(oldest_s / H, 1), "unit": "h", "evidence": evidence}
    text = f"{worst} copied {name} last {_span(oldest_s)} ago"
    lost = [name for name in {name for _, name in ages} if all(key in dead for key in ages if key[1] == name)]
    if lost:
        return judging.critical("CVH-03", f"{text}; no Stratum-1 of {lost[0]} is fresher than a day", **more)
    if late:
        return judging.warn("CVH-03", text, **more)
    return judging.ok("CVH-03", f"every Stratum-1 has copied within {_span(oldest_s)}", **more)


def _spread(routes: Sequence[CvmfsRoute], judging: Judging) -> CheckResult:
    good = [route for route in routes if route.verified and route.behind_s is not None]
    if not good:
        return judging.skip("CVH-04", "no route gives a verified manifest")
    worst = max(good, key=lambda route: route.behind_s or 0.0)
    behind_s = worst.behind_s or 0.0
    evidence = [f"{_route(route)}: revision {route.revision}" for route in good]
    more = {"value": round(behind_s / H, 1), "unit": "h", "evidence": evidence}
    if behind_s > judging.number("CVH-04", "warn_above_h") * H:
        text = f"{worst.target} has revision {worst.revision} of {worst.subject}, {_span(behind_s)} older than the newest"
        return judging.warn("CVH-04", text, **more)
    count = len({(route.subject, route.revision) for route in good})
    names = len({route.subject for route in good})
    text = "all routes have the same revision" if count == names else f"revisions differ by {_span(behind_s)}"
    return judging.ok("CVH-04", text, **more)


def _objects(routes: Sequence[CvmfsRoute], judging: Judging) -> CheckResult:
    spoiled = [
        (route, step)
        for route in routes
        if (step := _broken(route)) is not None and step.fault == "corrupt-in-proxy"
    ]
    broken = [(route, step) for route in routes if route.verified and (step := _broken(route, OBJECTS))]
    tried = [route for route in routes if route.verified]
    evidence = [line(route, step) for route, step in dict.fromkeys([*spoiled, *broken])]
    if spoiled:
        route, step = spoiled[0]
        text = f"{_via(route)} spoils the {step.name} of {route.subject}: fine directly from {route.target}"
        return judging.critical("CVH-05", text, evidence=evidence)
    if not tried:
        return judging.skip("CVH-05", "no route gives a verified manifest to go on from")
    if broken:
        text = f"{len(broken)} of {len(tried)} verified routes do not give their objects: {_counted(broken)}"
        verdict = judging.critical if len(broken) == len(tried) else judging.warn
        return verdict("CVH-05", text, evidence=evidence, hint=_hint([step for _, step in broken]))
    left = [
        step
        for route in tried
        for step in route.steps
        if step.name in OBJECTS and step.outcome == "not tried"
    ]
    read = [step for route in tried for step in route.steps if step.name == "file" and step.outcome == "ok"]
    evidence = list(dict.fromkeys(step.detail for step in [*read, *left] if step.detail))
    if not read:
        why = left[0].detail if left else "not reached"
        return judging.ok(
            "CVH-05", f"certificates fit their hashes; no file was read: {why}", evidence=evidence
        )
    text = f"catalog and file fit their hashes on {len(read)} of {len(tried)} verified routes"
    return judging.ok("CVH-05", f"{text}, the rest was not tried" if left else text, evidence=evidence)


def _latency(routes: Sequence[CvmfsRoute], judging: Judging) -> CheckResult:
    timed = [(route, route.cold_s, route.warm_s) for route in routes]
    found = [(route, cold, warm) for route, cold, warm in timed if cold is not None and warm is not None]
    if not found:
        return judging.skip("CVH-06", "no object was fetched twice along any route")
    warm_ms = statistics.median(warm for _, _, warm in found) * 1000
    cold_ms = statistics.median(cold for _, cold, _ in found) * 1000
    return judging.ok(
        "CVH-06",
        f"first byte after {cold_ms:.0f} ms, {warm_ms:.0f} ms when asked again (median of {len(found)} routes)",
        value=round(warm_ms, 2),
        unit="ms",
        evidence=[
            f"{_route(route)}: {cold * 1000:.1f} ms, {warm * 1000:.1f} ms" for route, cold, warm in found
        ],
    )


def _geo(facts: CvmfsFacts, judging: Judging) -> CheckResult:
    if facts.geo is None:
        return judging.skip("CVH-07", facts.absent.get("geo", "not asked"))
    if not facts.geo:
        return judging.skip("CVH-07", "no Stratum-1 was asked")
    evidence = [
        f"{answer.target}: {answer.error or ','.join(map(str, answer.order))}" for answer in facts.geo
    ]
    orders = Counter(answer.order for answer in facts.geo if answer.error is None)
    if not orders:
        return judging.critical("CVH-07", "no Stratum-1 gives an order of the servers", evidence=evidence)
    silent = [answer.target for answer in facts.geo if answer.error is not None]
    if silent:
        return judging.warn("CVH-07", f"{', '.join(silent)} gives no order of the servers", evidence=evidence)
    if len(orders) > 1:
        return judging.warn(
            "CVH-07", f"the Stratum-1s give {len(orders)} different orders", evidence=evidence
        )
    order = ",".join(map(str, next(iter(orders))))
    return judging.ok("CVH-07", f"every Stratum-1 gives the order {order}", evidence=evidence)


def line(route: CvmfsRoute, step: Step) -> str:
    """One line on a broken route: which, at which step, why."""
    return f"{_route(route)}: broken at {step.name}: {step.fault}: {step.detail}"


def _broken(route: CvmfsRoute, among: Sequence[str] | None = None) -> Step | None:
    found = (
        step for step in route.steps if step.outcome == "failed" and (among is None or step.name in among)
    )
    return next(found, None)


def _route(route: CvmfsRoute) -> str:
    return f"{route.subject} from {route.target}, {_via(route)}"


def _via(route: CvmfsRoute) -> str:
    return "direct" if route.via == "direct" else f"proxy {route.via}"


def _counted(broken: Sequence[tuple[CvmfsRoute, Step]]) -> str:
    counts = Counter(step.fault or "unknown" for _, step in broken)
    return ", ".join(f"{count} × {fault}" for fault, count in counts.most_common(4))


def _hint(steps: Sequence[Step]) -> str | None:
    """What to do about the commonest fault; None = what the catalogue says."""
    counts = Counter(step.fault for step in steps)
    known: Callable[[str | None], str | None] = lambda fault: HINTS.get(fault or "")  # noqa: E731
    return next((hint for fault, _ in counts.most_common() if (hint := known(fault))), None)


def _span(seconds: float) -> str:
    if abs(seconds) < 60:
        return "a minute"
    if abs(seconds) >= 48 * H:
        return f"{seconds / (24 * H):.1f} d"
    return f"{seconds / H:.1f} h" if abs(seconds) >= H else f"{seconds / 60:.0f} min"


def _ago(left_s: float) -> str:
    return f"{_span(-left_s)} ago"
