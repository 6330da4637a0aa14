"""First pass of a route: reach the Stratum-1, verify the chain of signatures, ask how old its copy is."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

from probes.cvmfs import chain
from probes.cvmfs.asking import NO_CACHE, Comparison, Way, label
from probes.cvmfs.faults import CONTENT_FAULTS, FaultError
from probes.cvmfs.keys import Blacklist
from probes.cvmfs.signed import (
    MAX_MANIFEST_BYTES,
    MAX_WHITELIST_BYTES,
    Manifest,
    Whitelist,
    parse_manifest,
    parse_whitelist,
)
from probes.network_steps import seconds
from profiles.facts.routes import Step, StepOutcome

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

T = TypeVar("T")

STEPS = ("connect", "manifest", "certificate", "signature", "whitelist", "status", "catalog", "file")
MANIFEST, WHITELIST, STATUS = ".cvmfspublished", ".cvmfswhitelist", ".cvmfs_status.json"
MAX_STATUS_BYTES = 65_536
CLOCK_SLACK_S = 60.0
"""A larger difference between this node's clock and the server's is the node's fault, not the whitelist's."""

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DATE = re.compile(r"[A-Z][a-z]{2} ([A-Z][a-z]{2}) +(\d{1,2}) (\d\d):(\d\d):(\d\d) (?:UTC|GMT) (\d{4})")


@dataclass(frozen=True)
class Trust:
    """Whom this run believes, and when it is."""

    keys: Mapping[str, RSAPublicKey]
    blacklist: Blacklist
    now_s: float


@dataclass
class Travelled:
    """How far one route came; filled in step by step."""

    way: Way
    steps: dict[str, Step] = field(default_factory=dict)
    manifest: Manifest | None = None
    whitelist: Whitelist | None = None
    master_key: str | None = None
    snapshot_s: float | None = None
    initial_snapshot: bool = False
    clock_skew_s: float | None = None
    cold_s: float | None = None
    warm_s: float | None = None
    directly: str | None = None
    verified: bool = False

    def note(
        self, name: str, outcome: StepOutcome, *, fault: FaultError | None = None, detail: str | None = None,
        duration_s: float | None = None,
    ) -> None:  # fmt: skip
        """Write a step down."""
        self.steps[name] = Step(
            name=name,
            outcome=outcome,
            fault=fault.name if fault else None,
            detail=(fault.detail if fault else detail or "")[:2000] or None,
            duration_s=seconds(duration_s),
        )

    @property
    def all_steps(self) -> tuple[Step, ...]:
        """Every column; what nobody came to is "not reached"."""
        return tuple(self.steps.get(name) or Step(name=name, outcome="not reached") for name in STEPS)


def travel(way: Way, trust: Trust, comparison: Comparison) -> Travelled:
    """Take one route as far as it goes; never raises FaultError."""
    at = Travelled(way)
    try:
        _verify(at, trust, comparison)
    except _BrokenError:
        return at
    at.verified = True
    _status(at)
    return at


class _BrokenError(Exception):
    """A step failed and is written down; there is no going on."""


def _verify(at: Travelled, trust: Trust, comparison: Comparison) -> None:
    way = at.way

    def manifest_of(content: bytes) -> Manifest:
        return parse_manifest(content, way.repository)

    manifest = _step(at, "manifest", MANIFEST, MAX_MANIFEST_BYTES, manifest_of, comparison)
    at.manifest = manifest
    at.clock_skew_s = way.clock_skew_s()
    path = manifest.certificate.path("X")

    def signer_of(content: bytes) -> chain.Certificate:
        return chain.load_certificate(content, manifest)

    signer = _step(at, "certificate", path, chain.MAX_CERTIFICATE_BYTES, signer_of, comparison)
    at.cold_s = _first_byte_s(way)

    def signed(content: bytes) -> None:
        chain.verify_manifest(manifest_of(content), signer)

    try:
        chain.verify_manifest(manifest, signer)
    except FaultError as fault:
        raise _broken(at, "signature", fault, (MANIFEST, MAX_MANIFEST_BYTES, signed), comparison) from fault
    at.note("signature", "ok")

    def whitelist_of(content: bytes) -> Whitelist:
        return parse_whitelist(content, way.repository)

    whitelist = _step(at, "whitelist", WHITELIST, MAX_WHITELIST_BYTES, whitelist_of, comparison)
    at.whitelist = whitelist

    def known(content: bytes) -> None:
        chain.verify_whitelist(whitelist_of(content), trust.keys)

    try:
        at.master_key = chain.verify_whitelist(whitelist, trust.keys)
        _check_listed(at, manifest, signer, whitelist, trust)
    except FaultError as fault:
        raise _broken(at, "whitelist", fault, (WHITELIST, MAX_WHITELIST_BYTES, known), comparison) from fault


def _check_listed(
    at: Travelled, manifest: Manifest, signer: chain.Certificate, whitelist: Whitelist, trust: Trust
) -> None:
    try:
        chain.check_listed(manifest, signer, whitelist, trust.now_s, trust.blacklist)
    except FaultError as fault:
        skew_s = at.clock_skew_s
        if fault.name != "whitelist-expired" or skew_s is None or abs(skew_s) <= CLOCK_SLACK_S:
            raise
        if trust.now_s - skew_s > whitelist.expires_s:
            raise
        raise FaultError(
            "clock",
            f"{fault.detail}, but this node's clock is {skew_s:+.0f} s off that of {label(at.way.server)}, "
            "by which it is still valid",
        ) from fault


def _step(
    at: Travelled, name: str, path: str, limit_bytes: int, check: Callable[[bytes], T], comparison: Comparison
) -> T:
    way = at.way
    try:
        content = way.get(path, limit_bytes)
        if name == "manifest":
            at.note("connect", "ok")
        made = check(content)
    except FaultError as fault:
        first = name == "manifest"
        if first and fault.connected:
            at.note("connect", "ok")
        at_step = "connect" if first and not fault.connected else name
        raise _broken(at, at_step, fault, (path, limit_bytes, check), comparison) from fault
    at.note(name, "ok", duration_s=_duration_s(way))
    return made


def _broken(
    at: Travelled,
    name: str,
    fault: FaultError,
    again: tuple[str, int, Callable[[bytes], object]],
    comparison: Comparison,
) -> _BrokenError:
    """Write a failed step down; where its content is to blame, with a look past the proxy (path, limit, check)."""
    way, took_s = at.way, _duration_s(at.way)
    if fault.name in CONTENT_FAULTS and way.proxy is not None:
        at.directly = comparison.directly(way, name, *again)
        fault = with_comparison(fault, at.directly, way)
    at.note(name, "failed", fault=fault, duration_s=took_s)
    return _BrokenError()


def with_comparison(fault: FaultError, directly: str, way: Way) -> FaultError:
    """The same fault, with what the object looked like without the proxy."""
    if directly == "fine":
        return FaultError(
            "corrupt-in-proxy",
            f"corrupt through {way.hop}, fine directly from {label(way.server)}: {fault.detail}",
        )
    return FaultError(fault.name, f"{fault.detail}; directly from {label(way.server)}: {directly}")


def _status(at: Travelled) -> None:
    """How old the Stratum-1's copy is, and how fast the proxy gives an object that it has seen before."""
    way = at.way
    assert at.manifest is not None
    try:
        content = way.get(STATUS, MAX_STATUS_BYTES, headers=NO_CACHE)
        at.snapshot_s, at.initial_snapshot = parse_status(content)
        at.note("status", "ok", duration_s=_duration_s(way))
    except FaultError as fault:
        # A server without the file is none the worse for it: those on object stores have none.
        missing = way.last is not None and way.last.status == 404
        at.note(
            "status",
            "not tried" if missing else "failed",
            fault=None if missing else fault,
            detail=fault.detail,
        )
    try:
        way.get(at.manifest.certificate.path("X"), chain.MAX_CERTIFICATE_BYTES)
        at.warm_s = _first_byte_s(way)
    except FaultError:
        at.warm_s = None


def parse_status(content: bytes) -> tuple[float | None, bool]:
    """When the last snapshot ended (seconds since 1970), and whether the first one still goes on.

    Raises:
        FaultError: not-a-status.
    """
    try:
        status = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise FaultError("not-a-status", f"{STATUS} is not JSON") from error
    if not isinstance(status, dict):
        raise FaultError("not-a-status", f"{STATUS} is not a JSON object")
    said = status.get("last_snapshot")
    match = _DATE.fullmatch(said.strip()) if isinstance(said, str) else None
    if match is None:
        if isinstance(status.get("snapshotting_since"), str):
            return None, True
        raise FaultError("not-a-status", f"{STATUS} has no date in last_snapshot")
    try:
        month = _MONTHS.index(match[1]) + 1
        when = datetime(int(match[6]), month, *(int(match[part]) for part in range(2, 6)), tzinfo=UTC)  # type: ignore[arg-type,misc]
    except ValueError as error:
        raise FaultError("not-a-status", f"{STATUS} has no date in last_snapshot: {error}") from error
    return when.timestamp(), isinstance(status.get("snapshotting_since"), str) and when.year < 1971


def _duration_s(way: Way) -> float | None:
    return way.last.duration_s if way.last is not None else None


def _first_byte_s(way: Way) -> float | None:
    return seconds(way.last.first_byte_s) if way.last is not None else None
