"""What the squid facts mean: SQD-01 to SQD-05. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from probes.judging import Judging
from probes.squid.checks import CHECKS
from profiles.checks import CheckResult
from profiles.facts.cvmfs_mount import CvmfsMountFacts, RepositoryMount
from profiles.facts.routes import Step
from profiles.facts.squid import ProxyFacts, SquidFacts

DIRECT = "direct"

HINTS = {
    "acl-denied": "add this node's subnet to the ACL of the squid's http_access lines (`acl NAME src …`, `http_access "
    "allow NAME`) and `squid -k reconfigure`; all subnets of worker nodes belong there, IPv6 too",
    "proxy-auth": "the squid asks for a user name: grid clients have none, so allow worker nodes by their addresses",
    "proxy-error": "the squid answers, but does not reach the server: look at its own outbound connections, its DNS and "
    "its access.log",
    "dns": "the proxy's name does not resolve here: correct it, or /etc/resolv.conf",
    "refused": "nothing listens on that port: start the squid, or correct host and port in the configuration",
    "timeout": "the proxy does not answer in time: look at its load and file descriptors, and for a firewall that drops "
    "packets between it and this node",
    "no-answer": "the proxy hangs up without an answer: is it a squid, and does it allow this node?",
    "not-a-manifest": "something answers in the place of the Stratum-1: a portal or a filter on the way",
}
"""What to do about a proxy, by the class of its first fault."""


def judge(facts: SquidFacts, judging: Judging) -> Sequence[CheckResult]:
    """One verdict for each check of the catalogue."""
    if facts.proxies is None:
        reason = facts.absent.get("proxies", "nothing was tried")
        return [judging.skip(check.id, reason) for check in CHECKS]
    return [
        _reachable(facts, facts.proxies, judging),
        _caching(facts, facts.proxies, judging),
        _number(facts, facts.proxies, judging),
        _frontier(facts, facts.proxies, judging),
        _leak(facts.proxies, judging),
    ]


def summarise(facts: SquidFacts) -> str:
    """How many proxies work, and by which way Frontier answers."""
    if facts.proxies is None:
        return "not tried"
    if not facts.proxies:
        return "no proxy configured"
    usable = sum(_fault(facts, proxy.name) is None for proxy in facts.proxies)
    ways = [proxy.name for proxy in facts.proxies if _answers(facts, proxy.name)]
    if not ways and _answers(facts, DIRECT):
        ways = ["directly only"]
    return f"{usable} of {len(facts.proxies)} proxies, Frontier {'works' if ways else 'fails'}" + (
        " directly only" if ways == ["directly only"] else ""
    )


def _fault(facts: SquidFacts, via: str) -> Step | None:
    """The first step that failed on the way to a manifest through a proxy or directly, None if it came."""
    for name in ("resolve", "connect", "manifest"):
        step = facts.step(via, name)
        if step is None or step.outcome != "ok":
            return step or Step(name=name, outcome="not reached")
    return None


def _mend(broken: Sequence[tuple[str, Step]]) -> str | None:
    """What to do about each different fault, with the proxy that shows it where there are several."""
    faults = {step.fault: name for name, step in reversed(broken) if step.fault in HINTS}
    hints = [(name, HINTS[fault]) for fault, name in reversed(faults.items())]
    if len(hints) < 2:
        return hints[0][1] if hints else None
    return "; ".join(f"{name}: {hint}" for name, hint in hints)


def _told(step: Step) -> str:
    what = {"resolve": "its name", "connect": "connection", "manifest": "manifest"}.get(step.name, step.name)
    return f"{what}: {step.detail or step.fault or step.outcome}"


def _reachable(facts: SquidFacts, proxies: Sequence[ProxyFacts], judging: Judging) -> CheckResult:
    if not proxies:
        return judging.skip("SQD-01", f"no proxy is configured ({facts.origin})")
    faults = {proxy.name: _fault(facts, proxy.name) for proxy in proxies}
    evidence = [
        f"{proxy.name} ({proxy.role}, {proxy.origin}): {'works' if fault is None else _told(fault)}"
        for proxy in proxies
        for fault in [faults[proxy.name]]
    ]
    evidence += [f"configuration: {problem}" for problem in facts.problems]
    broken = [(name, fault) for name, fault in faults.items() if fault is not None]
    more = {"value": len(proxies) - len(broken), "unit": "1", "evidence": evidence}
    if not broken:
        return judging.ok("SQD-01", f"a manifest comes through all {len(proxies)} proxies", **more)
    name, first = broken[0]
    hint = _mend(broken)
    if len(broken) < len(proxies):
        summary = f"{len(broken)} of {len(proxies)} proxies fail; {name}: {_told(first)}"
        return judging.warn("SQD-01", summary, hint=hint, **more)
    direct = _fault(facts, DIRECT)
    if first.fault in ("proxy-error", "http-status") and direct is not None:
        hint = f"{hint or ''} (directly the Stratum-1 fails too: {direct.detail or direct.fault})".strip()
    which = f"all {len(proxies)} proxies fail" if len(proxies) > 1 else "the only proxy fails"
    return judging.critical("SQD-01", f"{which}; {name}: {_told(first)}", hint=hint, **more)


def _caching(facts: SquidFacts, proxies: Sequence[ProxyFacts], judging: Judging) -> CheckResult:
    tried = [
        (proxy.name, step)
        for proxy in proxies
        if (step := facts.step(proxy.name, "cache")) is not None and step.outcome in ("ok", "failed")
    ]
    if not tried:
        return judging.skip("SQD-02", "no manifest came through a proxy, so none could be asked for again")
    evidence = [f"{name}: {step.detail}" for name, step in tried]
    evidence += [
        f"{proxy.name}: {proxy.first_s:.3f} s, then {proxy.second_s:.3f} s"
        for proxy in proxies
        if proxy.first_s is not None and proxy.second_s is not None
    ]
    without = [(name, step) for name, step in tried if step.outcome == "failed"]
    if without:
        name, step = without[0]
        return judging.warn("SQD-02", f"{name} shows no sign of caching: {step.detail}", evidence=evidence)
    return judging.ok("SQD-02", f"{len(tried)} of {len(tried)} answer from their cache", evidence=evidence)


def _number(facts: SquidFacts, proxies: Sequence[ProxyFacts], judging: Judging) -> CheckResult:
    own = [proxy for proxy in proxies if proxy.role == "site"]
    evidence = [f"{proxy.name}: {proxy.origin}" for proxy in own] or [str(facts.origin)]
    more = {"value": len(own), "unit": "1", "evidence": evidence}
    if len(own) < judging.number("SQD-03", "warn_below"):
        told = f"only one proxy of the site: {own[0].name}" if own else "the site has no proxy of its own"
        return judging.warn("SQD-03", told, **more)
    return judging.ok("SQD-03", f"{len(own)} proxies of the site", **more)


def _answers(facts: SquidFacts, via: str) -> bool:
    step = facts.step(via, "frontier")
    return step is not None and step.outcome == "ok"


def _frontier(facts: SquidFacts, proxies: Sequence[ProxyFacts], judging: Judging) -> CheckResult:
    told = [proxy for proxy in proxies if proxy.for_frontier]
    own = [proxy for proxy in told if proxy.role == "site"]
    first_group = min((proxy.group for proxy in own), default=0)
    first = [proxy for proxy in own if proxy.group == first_group]
    evidence = [_frontier_line(facts, via) for via in (*(proxy.name for proxy in told), DIRECT)]
    working = [proxy for proxy in told if _answers(facts, proxy.name)]
    dead = [proxy for proxy in first if proxy not in working]
    if first and not dead:
        names = " and ".join(proxy.name for proxy in first[:2])
        return judging.ok("SQD-04", f"Frontier answers through {names}", evidence=evidence)
    fault = _broken(facts, dead[0].name if dead else DIRECT)
    hint = HINTS.get(fault.fault or "") if dead and fault is not None else None
    because = f"; {dead[0].name}: {fault.detail or fault.fault}" if dead and fault is not None else ""
    if any(proxy.role == "site" for proxy in working):
        name = next(proxy.name for proxy in working if proxy.role == "site")
        return judging.warn(
            "SQD-04",
            f"Frontier answers only after fail-over, through {name}{because}",
            evidence=evidence,
            hint=hint,
        )
    if working:
        return judging.critical(
            "SQD-04",
            f"Frontier answers only through the backup proxy {working[0].name}{because}",
            evidence=evidence,
            hint=hint,
        )
    if _answers(facts, DIRECT):
        why = because or "; no proxy of the site is configured for it"
        return judging.critical(
            "SQD-04", f"Frontier answers only directly{why}", evidence=evidence, hint=hint
        )
    seen = f": {fault.detail or fault.fault}" if fault is not None else ""
    return judging.critical("SQD-04", f"Frontier answers by no way{seen}", evidence=evidence, hint=hint)


def _broken(facts: SquidFacts, via: str) -> Step | None:
    """Why Frontier does not answer by a way: its own step, or the one that it did not come to."""
    for name in ("resolve", "connect", "frontier"):
        step = facts.step(via, name)
        if step is not None and step.outcome == "failed" and (via != DIRECT or name == "frontier"):
            return step
    return None


def _frontier_line(facts: SquidFacts, via: str) -> str:
    step = facts.step(via, "frontier")
    if step is None:
        return f"{via}: not asked"
    broken = _broken(facts, via)
    detail = (broken or step).detail or (broken or step).fault or ""
    return f"{via}: {step.outcome}{f', {detail}' if detail else ''}"


def _leak(proxies: Sequence[ProxyFacts], judging: Judging) -> CheckResult:
    mounts = judging.facts_of("cvmfs_mount", CvmfsMountFacts)
    seen = [mount for mount in (mounts.repositories or ()) if mount.proxy is not None] if mounts else []
    if not seen:
        reason = "no mounted CVMFS repository says which proxy it uses"
        unseen = "mounted CVMFS was not looked at in this run (probe cvmfs_mount)"
        return judging.skip("SQD-05", reason if mounts else unseen)
    own = [proxy.name for proxy in proxies if proxy.role == "site"]
    evidence = [f"{mount.repository}: {mount.proxy}" for mount in seen]
    if not own:
        return judging.skip("SQD-05", "the site has no proxy of its own that could be passed by")
    backups = {proxy.name for proxy in proxies if proxy.role == "backup"} - set(own)
    leaking = [mount for mount in seen if _passes_by(mount, backups)]
    if leaking:
        mount = leaking[0]
        how = "directly" if mount.proxy_kind == "direct" else f"through the backup proxy {mount.proxy}"
        more = f" (and {len(leaking) - 1} more)" if len(leaking) > 1 else ""
        summary = f"{mount.repository} goes {how}{more}, although the site has {own[0]}"
        return judging.warn("SQD-05", summary, evidence=evidence)
    return judging.ok("SQD-05", f"mounted repositories use {seen[0].proxy}", evidence=evidence)


def _passes_by(mount: RepositoryMount, backups: set[str]) -> bool:
    return mount.proxy_kind in ("direct", "fallback") or mount.proxy in backups
