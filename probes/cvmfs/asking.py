"""Asking one Stratum-1 along one way, and what a failed answer means: which hop, and what it did."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from probes.answers import Fetched
from probes.cvmfs.faults import FaultError
from probes.errors import HostError
from probes.host import Host
from probes.network_steps import is_address, seconds, without_addresses
from probes.proxy_answers import own_error
from probes.remote_settings import CvmfsSettings

NO_CACHE = {"Cache-Control": "no-cache"}
"""Makes a squid ask the Stratum-1 again; the client sends it after corruption."""

NOT_ASKED = "not-asked"
"""Class of fault of what never reached the network."""


class Traffic:
    """Bodies of all answers together, in bytes; may be added to from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.fetched_bytes = 0

    def add(self, count: int) -> None:
        """Count one answer."""
        with self._lock:
            self.fetched_bytes += max(0, count)


@dataclass
class Clock:
    """What is left of a budget, asked through the host door so that a replay decides alike."""

    host: Host
    began_s: float = field(default_factory=time.monotonic)

    def elapsed_s(self, *about: str) -> float:
        """Seconds since the beginning; `about` makes the question unlike those of other threads.

        Raises:
            HostError: it is not in the recording.
        """
        value = self.host.observe("elapsed", ["cvmfs", *about], lambda: time.monotonic() - self.began_s)
        return seconds(value if isinstance(value, int | float) else None) or 0.0


@dataclass
class Way:
    """One (proxy or direct) to one Stratum-1's copy of one repository, until a moment.

    Attributes:
        server: "http://host:port".
        proxy: "http://host:port", None = direct.
        until_s: end of the time for this, on the clock.
    """

    host: Host
    settings: CvmfsSettings
    clock: Clock
    traffic: Traffic
    server: str
    repository: str
    proxy: str | None
    until_s: float
    last: Fetched | None = None
    """The last answer that came."""
    fetched_bytes: int = 0
    """Bodies of the answers along this way."""

    def url(self, path: str) -> str:
        """Address of something below the repository."""
        return f"{self.server}/cvmfs/{self.repository}/{path}"

    @property
    def hop(self) -> str:
        """Whom we talk to, for people."""
        return f"proxy {label(self.proxy)}" if self.proxy else label(self.server)

    def get(self, path: str, limit_bytes: int, *, headers: dict[str, str] | None = None) -> bytes:
        """The body of a complete answer with status 200.

        Args:
            path: below the repository.
            limit_bytes: of the body.
            headers: of the request.

        Raises:
            FaultError: dns, connect, timeout, too-slow, reset, truncated, too-large, http-status, proxy-error, proxy-denied,
                budget, not-asked.
        """
        self.last = None
        try:
            left_s = self.until_s - self.clock.elapsed_s(self.url(path), self.proxy or "direct")
            if left_s <= 0:
                raise FaultError(
                    "budget", "the time for all routes (cvmfs.budget_s) was used up before this step"
                )
            answer = self.host.fetch(
                self.url(path),
                headers=headers,
                proxy=self.proxy,
                connect_timeout_s=min(self.settings.connect_timeout_s, left_s),
                timeout_s=min(self.settings.timeout_s, left_s),
                limit_bytes=limit_bytes,
            )
        except HostError as error:
            # A proxy or server that is no URL, or a recording from before this was asked.
            raise FaultError(NOT_ASKED, without_addresses(error.text) or "", connected=False) from error
        self.last = answer
        self.traffic.add(answer.body_bytes)
        self.fetched_bytes += max(0, answer.body_bytes)
        self._check(answer, path, limit_bytes)
        return answer.body

    def clock_skew_s(self) -> float | None:
        """This node's clock minus the server's Date in the last answer; None if it names none.

        An Age says how old a cached Date is (RFC 9111 §5.1), so it is added.
        """
        answer = self.last
        if answer is None:
            return None
        try:
            local_s = self.host.observe("clock", ["cvmfs", self.url(""), self.proxy or "direct"], time.time)
            date = parsedate_to_datetime(answer.headers["date"])
            age = answer.headers.get("age", "0").strip()
            aware = date if date.tzinfo else date.replace(tzinfo=UTC)
            remote_s = aware.timestamp() + (
                int(age) if age.isascii() and age.isdigit() and len(age) < 10 else 0
            )
        except (HostError, KeyError, TypeError, ValueError, OverflowError):
            return None
        return float(local_s) - remote_s if isinstance(local_s, int | float) else None

    def _check(self, answer: Fetched, path: str, limit_bytes: int) -> None:
        if answer.status is None:
            raise self._unanswered(answer)
        if answer.status != 200:
            raise self._refused(answer, path)
        if answer.complete:
            return
        got = f"{len(answer.body)} of {answer.expected_bytes or 'unknown'} bytes"
        if len(answer.body) >= limit_bytes:
            raise FaultError("too-large", f"{self.hop} sends more than {limit_bytes} bytes: not read further")
        if answer.errno_name == "ETIMEDOUT":
            raise FaultError(
                "too-slow", f"{self.hop} sent {got} in {answer.duration_s:.1f} s, then time was up"
            )
        if answer.errno_name in ("ECONNRESET", "EPIPE"):
            raise FaultError("reset", f"{self.hop} reset the connection after {got}")
        raise FaultError("truncated", f"{self.hop} ended the connection after {got}")

    def _unanswered(self, answer: Fetched) -> FaultError:
        said = without_addresses(answer.error) or "no answer"
        if answer.stage == "resolve":
            return FaultError("dns", f"{self.hop}: {said}", connected=False)
        if answer.stage == "connect":
            late = answer.errno_name == "ETIMEDOUT"
            return FaultError("timeout" if late else "connect", f"{self.hop}: {said}", connected=False)
        if answer.errno_name == "ETIMEDOUT":
            return FaultError("timeout", f"{self.hop} took the connection but {said}")
        if answer.errno_name in ("ECONNRESET", "EPIPE"):
            return FaultError("reset", f"{self.hop} reset the connection before it answered")
        return FaultError("no-http", f"{self.hop}: no HTTP answer: {said}")

    def _refused(self, answer: Fetched, path: str) -> FaultError:
        status = f"HTTP {answer.status}"
        own = own_error(answer) if self.proxy else None
        if own is None:
            return FaultError("http-status", f"{label(self.server)} answered {status} for {path}")
        said = without_addresses(own.detail) or status
        if own.fault == "proxy-error":
            return FaultError("proxy-error", f"{self.hop} could not get it from {label(self.server)}: {said}")
        return FaultError("proxy-denied", f"{self.hop} refuses this node: {said}")


def label(url: str | None) -> str:
    """host:port of a server or proxy for people; an address is hidden, because it identifies a machine."""
    if url is None:
        return "direct"
    try:
        parts = urlsplit(url if "//" in url else f"http://{url}")
        host, port = parts.hostname or "?", parts.port
    except ValueError:
        return "?"
    shown = "(address)" if is_address(host) else host
    return shown if port is None else f"{shown}:{port}"


class Comparison:
    """What an object looks like without the proxy; each is asked for once, whoever wants to know.

    Args:
        limit_bytes: of all bodies together.
    """

    def __init__(self, limit_bytes: int) -> None:
        self._left_bytes = limit_bytes
        self._lock = threading.Lock()
        self._locks: dict[tuple[str, str], threading.Lock] = {}
        self._known: dict[tuple[str, str], str] = {}

    def directly(
        self, way: Way, step: str, path: str, limit_bytes: int, check: Callable[[bytes], object]
    ) -> str:
        """What it looks like: "fine", or in a few words what is wrong with it there as well.

        Args:
            way: along which it was broken; a proxy's.
            step: for which it was wanted.
            path: below the repository.
            limit_bytes: of the body.
            check: raises FaultError if the content is not right.
        """
        key = (step, way.url(path))
        with self._lock:
            lock = self._locks.setdefault(key, threading.Lock())
        with lock:
            if key not in self._known:
                self._known[key] = self._look(replace(way, proxy=None, last=None), path, limit_bytes, check)
            return self._known[key]

    def _look(self, straight: Way, path: str, limit_bytes: int, check: Callable[[bytes], object]) -> str:
        with self._lock:
            allowed_bytes = min(limit_bytes, self._left_bytes)
            self._left_bytes -= allowed_bytes
        if allowed_bytes <= 0:
            return "not compared, cvmfs.max_total_bytes is used up"
        before_bytes = straight.fetched_bytes
        try:
            check(straight.get(path, allowed_bytes, headers=NO_CACHE))
        except FaultError as fault:
            return f"{fault.name} as well" if fault.connected else f"not reached ({fault.name})"
        finally:
            with self._lock:
                self._left_bytes += allowed_bytes - (straight.fetched_bytes - before_bytes)
        return "fine"
