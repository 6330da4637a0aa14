"""The way into a door: look-up, connection, TLS, and whether WebDAV is spoken there."""

from __future__ import annotations

from functools import partial

from probes.answers import ConnectTrial, Fetched
from probes.errors import HostError
from probes.network_steps import seconds, side_by_side, without_addresses
from probes.webdav.asking import CONNECT_S, Asking, BrokenError, NotTriedError, whole
from probes.webdav.faults import refused
from profiles.facts.network import Family, FamilyAttempt

LOOKUP_S = 5.2
"""Longer than the 5 s after which a resolver asks its next server (resolv.conf(5))."""


class Way:
    """The first steps; each returns its duration in seconds, if it has one, or raises."""

    def __init__(self, ask: Asking) -> None:
        self._ask = ask
        self._addresses: dict[Family, tuple[str, ...]] = {}
        self._options: Fetched | HostError | None = None

    def resolve(self) -> float | None:
        """Look the name up."""
        patience_s = self._ask.patience_s(LOOKUP_S)
        found = self._ask.host.resolve(self._ask.place.host, timeout_s=patience_s)
        self._addresses = {Family.IPV4: found.ipv4, Family.IPV6: found.ipv6}
        if not found.ipv4 and not found.ipv6:
            raise BrokenError("dns", without_addresses(found.error) or "the name has no address")
        return seconds(found.duration_s)

    def connect(self) -> float | None:
        """Try one address of each family, side by side: a dead IPv6 shows although IPv4 works."""
        patience_s = self._ask.patience_s(CONNECT_S)
        trials = side_by_side(
            {
                family: partial(
                    self._ask.host.connect, several[0], self._ask.place.port, timeout_s=patience_s
                )
                for family, several in self._addresses.items()
                if several
            }
        )
        attempts = [_attempt(family, len(self._addresses[family]), trial) for family, trial in trials.items()]
        self._ask.seen["attempts"] = tuple(attempts)
        good = [attempt for attempt in attempts if attempt.works]
        if not good:
            late = all(attempt.errno_name == "ETIMEDOUT" for attempt in attempts)
            said = "; ".join(f"{attempt.family.value}: {attempt.detail}" for attempt in attempts)
            raise BrokenError("timeout" if late else "connect", said)
        return good[0].connect_s

    def tls(self) -> float | None:
        """TLS shows in the first exchange, which asks for nothing secret: OPTIONS without a credential."""
        try:
            self._options = self._ask.fetch("OPTIONS", None)
        except HostError as error:
            if self._ask.place.secure:
                raise BrokenError("no-authorities", without_addresses(error.text) or "") from error
            self._options = error
        if not self._ask.place.secure:
            raise NotTriedError("plain HTTP")
        if isinstance(self._options, Fetched) and self._options.stage in ("resolve", "connect", "tls"):
            whole(self._options)
        return None

    def options(self) -> float | None:
        """Whether WebDAV is spoken here: the DAV field (RFC 4918 §10.1)."""
        assert self._options is not None
        if isinstance(self._options, HostError):
            raise self._options
        answer = whole(self._options)
        # A door may want a credential even for this; PROPFIND is what shows whether ours will do.
        if answer.status not in (401, 403):
            if answer.status not in (200, 204):
                raise BrokenError(*refused(answer.status or 0))
            if "dav" not in answer.headers:
                raise BrokenError("not-webdav", "its answer to OPTIONS has no DAV field: not a WebDAV door")
            self._ask.seen["dav"] = without_addresses(answer.headers["dav"])
        self._ask.seen["server"] = without_addresses(answer.headers.get("server"))
        return seconds(answer.duration_s)


def _attempt(family: Family, addresses: int, trial: ConnectTrial | HostError) -> FamilyAttempt:
    if isinstance(trial, HostError):
        return FamilyAttempt(
            family=family,
            addresses=addresses,
            works=False,
            errno_name=trial.errno_name,
            detail=without_addresses(trial.text),
        )
    return FamilyAttempt(
        family=family,
        addresses=addresses,
        works=trial.works,
        connect_s=seconds(trial.duration_s) if trial.works else None,
        errno_name=trial.errno_name,
        detail=without_addresses(trial.detail),
    )
