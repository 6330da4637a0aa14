"""The way to one door as the steps of a route, so that the first broken one can be named."""

from __future__ import annotations

from probes.answers import Json
from probes.network_steps import seconds
from probes.xrootd import faults
from probes.xrootd.facts import checksum, clean, number, ok, texts
from probes.xrootd.visit import Answer, Visit
from profiles.facts.routes import Route, Step

STEPS = (
    "resolve", "connect", "handshake", "TLS", "auth", "locate", "stat", "open", "read", "readv", "checksum",
)  # fmt: skip

_OF_CLIENT = {
    "auth": "auth",
    "locate": "locate",
    "stat": "stat",
    "open": "open",
    "read": "read",
    "vector": "readv",
}
_LET_PAST = ("locate", "checksum")
"""Steps whose failure does not keep a job from the next."""


def route_of(at: Visit) -> Route:
    """The route to one door."""
    steps = {step.name: step for step in (*_reach(at), *_use(at))}
    row: list[Step] = []
    broken = False
    for name in STEPS:
        step = steps.get(name)
        if step is None:
            step = Step(name=name, outcome="not reached" if broken else "not tried", detail=at.skipped)
        row.append(step)
        broken = broken or (step.outcome == "failed" and name not in _LET_PAST)
    return Route(subject=clean(at.door.path) or "/", target=at.door.target, via="direct", steps=tuple(row))


def _failed(name: str, fault: faults.Fault, took_s: float | None = None) -> Step:
    return Step(name=name, outcome="failed", fault=fault.kind, detail=clean(fault.detail), duration_s=took_s)


def _ok(name: str, detail: str | None = None, took_s: Json = None) -> Step:
    return Step(name=name, outcome="ok", detail=clean(detail), duration_s=number(took_s))


def _reach(at: Visit) -> list[Step]:
    """Look-up, connection, handshake, TLS."""
    if not at.addresses:
        return [_failed("resolve", faults.Fault("dns", at.resolve_error or "no address"))]
    row = [Step(name="resolve", outcome="ok", duration_s=seconds(at.resolve_s))]
    said = at.greeting
    if said is None:
        row += _not_greeted(at)
        return row
    row.append(_ok("connect", at.family, said.get("connect_s")))
    row.append(_ok("handshake", _server(said), said.get("hello_s")))
    row.append(_tls(at, said))
    return row


def _not_greeted(at: Visit) -> list[Step]:
    """The family that came furthest tells what is wrong."""
    tries = [
        (one, faults.of_greeting(one.get("stage"), one.get("errno_name"), one.get("error")))
        for one in at.greetings.values()
    ]
    tries.sort(key=lambda pair: pair[0].get("stage") == "connect")
    if not tries:
        return [_failed("connect", faults.Fault("io", "the question was not answered"))]
    one, fault = tries[0]
    fault = fault or faults.Fault("io", "no answer")
    if one.get("stage") == "connect":
        return [_failed("connect", fault)]
    return [_ok("connect", None, one.get("connect_s")), _failed("handshake", fault)]


def _server(said: Answer) -> str:
    words = [f"protocol {said.get('version')}", *texts(said.get("roles"))]
    demands = texts(said.get("tls_demands"))
    return ", ".join(words) + (f"; TLS for {' and '.join(demands)}" if demands else "")


def _tls(at: Visit, said: Answer) -> Step:
    needed = at.door.secure or bool(said.get("tls_demands"))
    if said.get("tls_offered") is not True:
        if at.door.secure:
            return _failed("TLS", faults.Fault("tls-not-offered", faults.SAID["tls-not-offered"]))
        return Step(name="TLS", outcome="not tried", detail="not offered")
    if not needed:
        return Step(name="TLS", outcome="not tried", detail="offered, not demanded")
    if at.certificate is None:
        return Step(name="TLS", outcome="not tried", detail="the certificate was not looked at")
    fault = faults.of_certificate(at.certificate)
    if fault is not None and ok(at.session.get("auth")):
        # The client's word counts: it got through, and a job would.
        return _ok("TLS", f"the client got through, although {fault.detail}")
    return _ok("TLS", clean(at.certificate.get("protocol"))) if fault is None else _failed("TLS", fault)


def _use(at: Visit) -> list[Step]:
    """What the client did, or the bare protocol in its place."""
    if at.greeting is None:
        return []
    if not at.session:
        return _by_protocol(at, at.greeting)
    row = [_client_step(name, at.session[key]) for key, name in _OF_CLIENT.items() if key in at.session]
    if at.client == "xrdfs" and any(step.name == "read" for step in row):
        row.append(Step(name="readv", outcome="not tried", detail="xrdcp has no vector read"))
    row = [_wrong(at, _to_the_end(at, step)) for step in row]
    last = at.session.get("killed") or at.session.get("died")
    if last is not None and not any(step.outcome == "failed" for step in row):
        done = {step.name for step in row}
        missing = next((name for name in STEPS[4:] if name not in done), None)
        if missing == "checksum" and at.door.kind == "local" and "sequential" not in at.session:
            # It ended while the file was read in sequence, which comes before the checksum.
            missing, row = "read", [step for step in row if step.name != "read"]
        if missing is not None:
            kind = "timeout" if "killed" in at.session else "died"
            fault = faults.of_client(last.get("error")) or faults.Fault(kind, "")
            row.append(_failed(missing, faults.Fault(kind, fault.detail)))
    elif (step := _checksum(at)) is not None:
        row.append(step)
    return row


def _client_step(name: str, said: Answer) -> Step:
    fault = faults.of_client(said.get("error"))
    if fault is not None:
        return _failed(name, fault, number(said.get("took_s")))
    got, wanted = number(said.get("bytes")), number(said.get("wanted"))
    if name == "read" and got is not None and wanted is not None and got < wanted:
        return _failed(name, faults.Fault("short", f"{got:.0f} of {wanted:.0f} bytes"))
    return _ok(name, None, said.get("took_s"))


def _to_the_end(at: Visit, step: Step) -> Step:
    """A first block that was read, of a file that then was not: a job reads on."""
    rest = at.session.get("sequential")
    if step.name != "read" or step.outcome != "ok" or rest is None:
        return step
    further = _client_step("read", rest)
    return further if further.outcome == "failed" else step


def _wrong(at: Visit, step: Step) -> Step:
    """A vector read that went well and gave other bytes than a plain read."""
    if step.name != "readv" or step.outcome != "ok":
        return step
    same = [at.session.get(name, {}).get("same") for name in ("vector", "sequential")]
    return (
        _failed(step.name, faults.Fault("wrong-data", faults.SAID["wrong-data"])) if False in same else step
    )


def _checksum(at: Visit) -> Step | None:
    found = checksum(at.session)
    if found is None:
        return None
    if found.read is None or found.server is None:
        return Step(name="checksum", outcome="not tried", detail=found.reason)
    if found.read != found.server:
        detail = f"{found.algorithm} {found.server}, read {found.read}"
        return _failed("checksum", faults.Fault("checksum", detail))
    return _ok("checksum", f"{found.algorithm} {found.server}")


def _by_protocol(at: Visit, said: Answer) -> list[Step]:
    """Login, locate and stat as far as they go without a credential."""
    walk = at.walk
    if walk is None:
        auth = texts(said.get("auth"))
        if auth:
            detail = f"wants one of {', '.join(auth)}; {at.skipped or 'no client was used'}"
            return [Step(name="auth", outcome="not tried", detail=clean(detail))]
        fault = faults.of_greeting(said.get("stage"), said.get("errno_name"), said.get("error"))
        return [] if fault is None else [_failed("auth", fault)]
    row = [_ok("auth", "none is wanted")]
    if walk.get("loop") is True:
        hops = " → ".join(texts(walk.get("hops"))[:6])
        row.append(_failed(str(walk.get("step") or "locate"), faults.Fault("redirect-loop", hops)))
        return row
    broken = faults.of_greeting("walk", walk.get("errno_name"), walk.get("error"))
    if walk.get("step") == "stat":
        row.append(_ok("locate"))
    if broken is not None:
        kind = "timeout" if broken.kind == "silent" else broken.kind
        row.append(_failed(str(walk.get("step")), faults.Fault(kind, broken.detail)))
    elif walk.get("size_bytes") is not None:
        row.append(_ok("stat"))
    return row
