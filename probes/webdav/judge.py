"""What the WebDAV facts mean: DAV-01. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from probes.judging import Judging
from probes.webdav.refusal import why
from profiles.checks import CheckResult
from profiles.facts.credentials import CredentialsFacts
from profiles.facts.routes import Route, Step
from profiles.facts.webdav import WebdavDoor, WebdavFacts

PARTIAL = frozenset({"no-multi-range", "no-digest"})
"""Faults of a door that a job can still read from."""

SLOW_STEPS = frozenset({"read"})
"""Steps in which running out of time only says that the rate is low."""

SHOWN = {"propfind": "properties", "multi-range": "ranges", "digest": "checksum"}
"""Step → what it shows that a door can do."""

HINTS = {
    "dns": "look at /etc/resolv.conf and ask each nameserver for the door's name (`getent ahosts NAME`)",
    "timeout": "a firewall drops the packets: open outbound TCP from worker nodes to the door's port",
    "connect": "start the door, or correct host and port in storage.json or webdav.urls",
    "silent": "something takes the connection but nothing serves it: look at the door's load and at boxes in between",
    "no-authorities": "install the IGTF authorities (package ca-policy-egi-core or ca-policy-lcg) or set X509_CERT_DIR",
    "tls-authority": "install the IGTF authorities on this node, or have the door's certificate signed by one of them",
    "tls-name": "have the door's certificate issued anew with the name that clients use among its subjectAltNames",
    "tls-expired": "renew the door's certificate; if it is not expired, look at this node's clock (CTX-03)",
    "tls-revoked": "have the door's certificate issued anew",
    "http-404": "put the test file there, or set siteconf.test_lfn or webdav.urls to one that is",
    "http-503": "look at the door's load and its log",
    "not-webdav": "name the WebDAV door: something else answers at this port",
    "not-http": "name the WebDAV door: something else answers at this port",
    "no-range": "let the door serve ranges: without them jobs read whole files",
    "no-multi-range": "use a door that answers several ranges at once (XrdHttp and dCache do)",
    "no-digest": "let the storage keep adler32 checksums (`xrootd.chksum adler32`)",
    "wrong-digest": "the storage has a damaged file or an old checksum: compare with the catalogue, then restore the file",
    "wrong-content": "the door gives different bytes for the same range: look for a broken cache or disk behind it",
    "hostile-xml": "something other than an honest WebDAV door answers: find out who, before any credential is sent there",
    "redirect-loop": "look at how the door finds the server of a file: it sends readers round in a circle",
    "bad-redirect": "look at the door's configuration of redirection: it sends readers to what is no URL",
    "too-slow": "look at the load of the door and at the links in between",
    "truncated": "the door or a box in between cuts long answers: look at the door's log and at time-outs of proxies",
    "reset": "a firewall or the door cuts the connection: look at the door's log",
}
"""What to do, by class of fault."""


def judge(facts: WebdavFacts, judging: Judging) -> Sequence[CheckResult]:
    """The verdict on all doors: the worst of them is named."""
    if facts.doors is None or facts.routes is None:
        return [judging.skip("DAV-01", facts.absent.get("doors", "nothing was tried"))]
    pairs = list(zip(facts.doors, facts.routes, strict=False))
    evidence = [_story(door, route) for door, route in pairs]
    failed = [(door, step) for door, route in pairs if (step := failure(route)) is not None]
    if failed:
        door, step = failed[0]
        summary = f"{door.target} fails at {step.name}: {step.detail or step.fault}"
        hint = HINTS.get(step.fault or "")
        if step.fault in ("http-401", "http-403"):
            reason, hint = why(door, judging.facts_of("credentials", CredentialsFacts))
            summary = f"{door.target} refuses at {step.name} (status {step.fault[-3:]}): {reason}"
        if len(pairs) > 1:
            summary = f"{len(failed)} of {len(pairs)} doors fail; {summary}"
        return [judging.critical("DAV-01", summary[:1024], evidence=evidence, hint=hint)]
    return [_working(pairs, evidence, judging)]


def _working(
    pairs: Sequence[tuple[WebdavDoor, Route]], evidence: Sequence[str], judging: Judging
) -> CheckResult:
    for door, route in pairs:
        for step in route.steps:
            if step.outcome == "failed":
                summary = f"{door.target} works in part, {step.name}: {step.detail or step.fault}"
                return judging.warn("DAV-01", summary, evidence=evidence, hint=HINTS.get(step.fault or ""))
    for door, _ in pairs:
        dead = [attempt for attempt in door.attempts if not attempt.works]
        if dead:
            summary = (
                f"{door.target} is dead over {dead[0].family.value}: {dead[0].detail or dead[0].errno_name}"
            )
            hint = (
                "repair that family's route or take its address from the name; clients that try it first wait"
            )
            return judging.warn("DAV-01", summary, evidence=evidence, hint=hint)
    rates = [rate for door, _ in pairs if (rate := _rate(door, judging)) is not None]
    slowest = min(rates, default=None)
    more = {"value": slowest, "unit": None if slowest is None else "B/s", "evidence": evidence}
    if slowest is not None and slowest < judging.number("DAV-01", "warn_below_bytes_per_s"):
        summary = f"reading is slow: {slowest / 1e6:.3g} MB/s"
        return judging.warn("DAV-01", summary, hint=HINTS["too-slow"], **more)
    doors = "1 door works" if len(pairs) == 1 else f"all {len(pairs)} doors work"
    shown = [word for name, word in SHOWN.items() if all(_ok(route, name) for _, route in pairs)]
    return judging.ok("DAV-01", f"{doors}: {', '.join(shown)}", **more)


def _ok(route: Route, name: str) -> bool:
    return any(step.name == name and step.outcome == "ok" for step in route.steps)


def failure(route: Route) -> Step | None:
    """The first broken step, if what is broken keeps a job from reading at this door."""
    broken = [step for step in route.steps if step.outcome == "failed" and step.fault not in PARTIAL]
    # A read that ran out of time is only slow, unless nothing works after it: then it was cut in the middle.
    hard = [step for step in broken if not (step.fault == "too-slow" and step.name in SLOW_STEPS)]
    return broken[0] if hard else None


def _rate(door: WebdavDoor, judging: Judging) -> int | None:
    """Bytes a second of the sequential read, from the header of its answer on; None if too little was read."""
    if door.read_bytes is None or door.read_s is None or door.first_byte_s is None:
        return None
    took_s = door.read_s - door.first_byte_s
    if door.read_bytes < judging.number("DAV-01", "least_bytes") or took_s <= 0:
        return None
    return round(door.read_bytes / took_s)


def _story(door: WebdavDoor, route: Route) -> str:
    parts = [f"{door.target} ({door.origin})"]
    parts += [f"{step.name} {step.fault}: {step.detail}" for step in route.steps if step.outcome == "failed"]
    parts += [
        f"with {'no credential' if one.credential == 'none' else one.credential}: "
        + (f"status {one.status}" if one.status is not None else one.reason or "no answer")
        for one in door.tried
    ]
    if door.redirected_to:
        parts.append(f"sent on to {', '.join(door.redirected_to)}")
    if door.size_bytes is not None:
        parts.append(f"{door.size_bytes} bytes")
    if door.digest_adler32 is not None:
        compared = "" if door.read_adler32 is None else f", read {door.read_adler32}"
        parts.append(f"adler32 {door.digest_adler32}{compared}")
    return "; ".join(parts)


def summarise(facts: WebdavFacts) -> str:
    """How many doors work."""
    if facts.doors is None or facts.routes is None:
        return "not tried"
    good = sum(failure(route) is None for route in facts.routes)
    doors = "door works" if len(facts.doors) == 1 else "doors work"
    return f"{good} of {len(facts.doors)} {doors}"
