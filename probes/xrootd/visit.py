"""One door, step by step: look-up, hello over each family, certificate, redirections, and a client's session.

Every question crosses the host door as one observation, so that a recording holds it. The questions name the door and not
an address or a file, because both may be hidden in a recording.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from probes import live_xrootd, live_xrootd_clients, live_xrootd_tls, live_xrootd_walk
from probes.answers import Json, Resolution
from probes.errors import HostError
from probes.host import Host
from probes.network_steps import side_by_side
from probes.remote_settings import XrootdSettings
from probes.xrootd.doors import Door
from profiles.facts.xrootd import ClientKind, XrootdClients

LOOKUP_S = 5.2
"""Longer than the 5 s after which a resolver asks its next server (resolv.conf(5))."""

CERTIFICATE_S = 6.0
LEAST_SESSION_S = 2.0
"""A session that has less is not begun."""

Answer = dict[str, Json]


@dataclass
class Visit:
    """What was answered at one door, as it came through the host door."""

    door: Door
    number: int = 0
    """Of the door among all; with it no two questions are alike, so a replay does not depend on the order of threads."""
    resolve_s: float | None = None
    resolve_error: str | None = None
    addresses: dict[str, int] = field(default_factory=dict)
    greetings: dict[str, Answer] = field(default_factory=dict)
    """By family."""
    certificate: Answer | None = None
    walk: Answer | None = None
    client: ClientKind = "protocol"
    session: dict[str, Answer] = field(default_factory=dict)
    """The client's steps by name; "killed" or "died" if it did not come to its end."""
    skipped: str | None = None
    """Why no session was begun."""

    @property
    def greeting(self) -> Answer | None:
        """Of the family that came furthest, IPv4 where both came as far."""
        done = [one for one in self.greetings.values() if one.get("version") is not None]
        return next(iter([one for one in done if one.get("error") is None] or done), None)

    @property
    def family(self) -> str | None:
        """Family of `greeting`."""
        return next((name for name, one in self.greetings.items() if one is self.greeting), None)


class Visitor:
    """Goes to doors; all of it ends at `deadline` (of time.perf_counter)."""

    def __init__(self, host: Host, wanted: XrootdSettings, clients: XrootdClients, deadline: float) -> None:
        self._host = host
        self._wanted = wanted
        self._clients = clients
        self._deadline = deadline
        self._lookups: dict[str, Resolution | HostError] = {}

    def visit_all(self, doors: Sequence[Door]) -> list[Visit]:
        """All that can be learnt at each door, side by side; a name is looked up once."""
        names = sorted({door.host for door in doors})
        self._lookups = side_by_side(
            {name: partial(self._host.resolve, name, timeout_s=LOOKUP_S) for name in names}
        )
        visits = [Visit(door, number) for number, door in enumerate(doors)]
        outcomes = side_by_side({at.number: partial(self._visit, at) for at in visits})
        for at in visits:
            refusal = outcomes[at.number]
            if isinstance(refusal, HostError):
                at.skipped = refusal.text
        return visits

    def _visit(self, at: Visit) -> None:
        self._resolve(at)
        if not at.addresses:
            return
        self._greet(at)
        said = at.greeting
        if said is None or at.family is None:
            return
        if said.get("tls_offered") is True:
            at.certificate = self._ask(
                "xrootd_certificate", at, live_xrootd_tls.certificate, at.family, CERTIFICATE_S
            )
        if said.get("auth") == []:
            at.walk = self._walk(at)
            if at.walk is not None and at.walk.get("loop") is True:
                at.skipped = "the redirections go round in a circle"
                return
        self._session(at)

    def _resolve(self, at: Visit) -> None:
        found = self._lookups[at.door.host]
        if isinstance(found, HostError):
            at.resolve_error = found.text
            return
        counts = {"IPv4": len(found.ipv4), "IPv6": len(found.ipv6)}
        at.addresses = {family: count for family, count in counts.items() if count}
        at.resolve_s = found.duration_s
        if not at.addresses:
            at.resolve_error = found.error or "the name has no address"

    def _greet(self, at: Visit) -> None:
        connect_s = self._wanted.connect_timeout_s
        # A server that is silent for as long as a connection may take is called silent.
        tasks = {
            family: partial(self._ask, "xrootd_greet", at, live_xrootd.greet, family, connect_s, connect_s)
            for family in at.addresses
        }
        for family, answer in side_by_side(tasks).items():
            if isinstance(answer, dict):
                at.greetings[family] = answer

    def _ask(self, name: str, at: Visit, function: Any, family: str, *limits: float) -> Answer | None:  # noqa: ANN401
        door = at.door
        left_s = max(0.5, self._deadline - time.perf_counter())
        bounded = [min(limit, left_s) for limit in limits]
        live = partial(function, self._host.real(door.host), family, door.port, *bounded)
        return self._observed(name, [at.number, door.host, door.port, family], live)

    def _walk(self, at: Visit) -> Answer | None:
        door = at.door
        timeout_s = max(0.5, min(self._wanted.request_timeout_s, self._deadline - time.perf_counter()))
        live = partial(
            live_xrootd_walk.walk,
            self._host.real(door.host),
            door.port,
            self._host.real(door.path),
            timeout_s,
        )
        return self._observed("xrootd_walk", [at.number, door.host, door.port], live)

    def _session(self, at: Visit) -> None:
        kinds: list[ClientKind] = []
        if self._clients.bindings is not None:
            kinds.append("bindings")
        if self._clients.xrdfs:
            kinds.append("xrdfs")
        if not kinds:
            at.skipped = "neither XRootD's Python bindings nor xrdfs are installed"
        for kind in kinds:
            left_s = self._deadline - time.perf_counter()
            if left_s < LEAST_SESSION_S:
                at.skipped = at.skipped or "the time for this probe was used up"
                return
            steps = self._steps(at, kind, left_s)
            if steps is None or (set(steps) <= {"died", "garbage"}):
                continue  # it could not even begin: the next kind may
            at.client, at.session = kind, steps
            return

    def _steps(self, at: Visit, kind: ClientKind, left_s: float) -> dict[str, Answer] | None:
        door, wanted = at.door, self._wanted
        # The data federation is not loaded with megabytes for a probe; the site's own door is what jobs read from.
        job = {
            "url": self._host.real(door.url),
            "path": self._host.real(door.path),
            "timeouts": live_xrootd_clients.timeouts(wanted.connect_timeout_s, wanted.request_timeout_s),
            "read_bytes": wanted.read_bytes if door.kind == "local" else 0,
            "max_file_bytes": wanted.max_file_bytes if door.kind == "local" else 0,
            "chunks": None,
        }
        function = live_xrootd_clients.by_bindings if kind == "bindings" else live_xrootd_clients.by_commands
        live = partial(function, job, left_s)
        try:
            answer = self._host.observe("xrootd_session", [at.number, door.host, door.port, kind], live)
        except HostError:
            return None
        lines = answer if isinstance(answer, list) else []
        return {str(line["step"]): line for line in lines if isinstance(line, dict) and "step" in line}

    def _observed(self, name: str, args: list[Json], live: Any) -> Answer | None:  # noqa: ANN401
        try:
            answer = self._host.observe(name, args, live)
        except HostError:
            return None
        return answer if isinstance(answer, dict) else None
