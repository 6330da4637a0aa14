"""From what was answered at a door to facts. Answers may come from a stranger's recording, so each value is checked."""

from __future__ import annotations

import math
from typing import Any

from probes.answers import Json
from probes.network_steps import seconds, without_addresses
from probes.xrootd import faults
from probes.xrootd.visit import Answer, Visit
from profiles.facts.network import Family
from profiles.facts.xrootd import (
    DoorCertificate,
    DoorChecksum,
    DoorFamily,
    DoorServer,
    Transfer,
    XrootdDoor,
)

KNOWN_SUMS = ("adler32", "crc32")


def door_of(at: Visit, now_s: float | None) -> XrootdDoor:
    """Facts of one door; `now_s` is the wall clock in seconds since 1970, None if it is not known."""
    session, walk = at.session, at.walk or {}
    opened = session.get("open", {})
    return XrootdDoor(
        target=at.door.target,
        path=clean(at.door.path) or "/",
        kind=at.door.kind,
        origin=at.door.origin,
        resolve_s=seconds(at.resolve_s),
        families=tuple(_family(at, family) for family in Family if at.addresses.get(family.value)),
        server=_server(at.greeting),
        certificate=_certificate(at.certificate, now_s),
        client=at.client,
        hops=tuple(filter(None, map(clean, texts(walk.get("hops"))[:32]))),
        loop=walk.get("loop") is True,
        located=_located(session, walk),
        size_bytes=_count(session.get("stat", {}).get("size_bytes"), walk.get("size_bytes")),
        data_server=_server_of(opened.get("data_server")) or _server_of(opened.get("last_url")),
        first_byte_s=_first_byte(at),
        first_byte_warm_s=_took(session.get("again")),
        sequential=_transfer(session.get("sequential"), "read_s"),
        sparse=_transfer(session.get("sparse"), "took_s"),
        checksum=checksum(session),
        vector_same=_same(session),
    )


def clean(value: Json) -> str | None:
    """A text without addresses, bounded; None if it is none."""
    return without_addresses(value)[:1024] if isinstance(value, str) and value else None  # type: ignore[index]


def texts(value: Json) -> list[str]:
    """The texts in a list."""
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


def number(value: Json) -> float | None:
    """A finite duration or size that is not negative."""
    good = (
        isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and value >= 0
    )
    return float(value) if good else None  # type: ignore[arg-type]


def ok(step: Answer | None) -> bool:
    """Whether a client's step was reached and went well."""
    return step is not None and step.get("error") is None


def checksum(session: dict[str, Answer]) -> DoorChecksum | None:
    """Both checksums; None if the session did not come so far."""
    step = session.get("checksum")
    if step is None:
        return None
    fault = faults.of_client(step.get("error"))
    if fault is not None:
        return DoorChecksum(
            reason="the server gives no checksum" if fault.kind == "unsupported" else clean(fault.detail)
        )
    words = str(step.get("said") or "").split()
    if len(words) != 2 or not words[1].isalnum():
        return DoorChecksum(reason="the server's answer is no checksum")
    algorithm, server = words[0].lower()[:32], words[1].lower()[:128]
    if algorithm in KNOWN_SUMS:
        server = server.zfill(8)
    sums = session.get("sequential", session.get("sums", {})).get("sums")
    said = sums.get(algorithm) if isinstance(sums, dict) else None
    read = said if isinstance(said, str) else None
    reason = None
    if read is None:
        reason = (
            "the file was not read whole" if algorithm in KNOWN_SUMS else f"{algorithm} is not computed here"
        )
    return DoorChecksum(algorithm=algorithm, server=server, read=read, reason=reason)


def _family(at: Visit, family: Family) -> DoorFamily:
    said = at.greetings.get(family.value, {})
    fault = faults.of_greeting(said.get("stage"), said.get("errno_name"), said.get("error"))
    answered = said.get("version") is not None
    if not said:
        fault = faults.Fault("io", "the question was not answered")
    return DoorFamily(
        family=family,
        addresses=at.addresses[family.value],
        works=answered,
        connect_s=number(said.get("connect_s")),
        hello_s=number(said.get("hello_s")),
        ping_s=number(said.get("ping_s")),
        fault=None if fault is None else fault.kind,
        detail=None if fault is None else clean(fault.detail),
    )


def _server(said: Answer | None) -> DoorServer | None:
    if said is None:
        return None
    config = said.get("config")
    settings: dict[str, Json] = config if isinstance(config, dict) else {}
    auth = said.get("auth")
    return DoorServer(
        protocol=clean(said.get("version")) or "unknown",
        software=clean(settings.get("version")),
        roles=tuple(texts(said.get("roles"))[:8]) or tuple(filter(None, [clean(said.get("kind"))])),
        site_name=clean(settings.get("sitename")),
        tls_offered=said.get("tls_offered") is True,
        tls_demands=tuple(texts(said.get("tls_demands"))[:8]),
        auth=tuple(texts(auth)[:64]) if isinstance(auth, list) else None,
    )


def _certificate(seen: Answer | None, now_s: float | None) -> DoorCertificate | None:
    if seen is None:
        return None
    fault = faults.of_certificate(seen)
    not_after = number(seen.get("not_after"))
    return DoorCertificate(
        authorities=clean(seen.get("authorities")) or "unknown",
        verified=seen.get("verified") is True,
        fault=None if fault is None else fault.kind,
        detail=None if fault is None else clean(fault.detail),
        protocol=clean(seen.get("protocol")),
        names=tuple(filter(None, map(clean, texts(seen.get("names"))[:32]))),
        issuer=clean(seen.get("issuer")),
        expires_in_s=None if not_after is None or now_s is None else not_after - now_s,
    )


def _located(session: dict[str, Answer], walk: Answer) -> tuple[str, ...]:
    pairs: Any = session.get("locate", {}).get("servers") or walk.get("located") or []
    found = (
        [str(pair[1]) for pair in pairs if isinstance(pair, list) and len(pair) == 2]
        if isinstance(pairs, list)
        else []
    )
    return tuple(filter(None, (_server_of(one) for one in found[:64])))


def _server_of(value: Json) -> str | None:
    """host:port of a URL or of a place, without user, path and address."""
    if not isinstance(value, str) or not value:
        return None
    place = value.partition("://")[2] or value
    host, colon, port = place.partition("/")[0].rpartition("@")[2].rpartition(":")
    name = (host if colon else port).strip("[]")
    # A server that has no name writes its IPv4 address as [::127.0.0.1].
    hidden = "(address)" if name.startswith("::") else without_addresses(name)
    return f"{hidden}:{port}"[:300] if colon else hidden


def _first_byte(at: Visit) -> float | None:
    steps = [at.session.get(name) for name in ("auth", "open", "first")]
    if at.client == "xrdfs":
        return number((at.session.get("first") or {}).get("first_s"))
    times = [_took(step) for step in steps]
    return None if None in times else sum(time for time in times if time is not None)


def _took(step: Answer | None) -> float | None:
    return number(step.get("took_s")) if step is not None and ok(step) else None


def _transfer(step: Answer | None, time_name: str) -> Transfer | None:
    if step is None or not ok(step):
        return None
    size, took_s, chunks = number(step.get("bytes")), number(step.get(time_name)), number(step.get("chunks"))
    if not size or not took_s:
        return None
    return Transfer(read_bytes=int(size), duration_s=took_s, requests=int(chunks or 1))


def _same(session: dict[str, Answer]) -> bool | None:
    said = [session.get(name, {}).get("same") for name in ("vector", "sequential")]
    if False in said:
        return False
    return True if "vector" in session and ok(session["vector"]) else None


def _count(*values: Json) -> int | None:
    return next((int(value) for value in map(number, values) if value is not None and value < 2**63), None)
