"""What is asked through one proxy, step by step, each bounded: a manifest, the same again, a Frontier query."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field

from probes.answers import Fetched
from probes.errors import HostError
from probes.host import Host
from probes.network_steps import seconds, without_addresses
from probes.proxies import place
from probes.proxy_answers import from_cache, own_error
from probes.squid import frontier
from probes.squid.frontier import FrontierError
from profiles.facts.routes import Route, Step, StepOutcome

STEPS = ("resolve", "connect", "manifest", "cache", "frontier")
MANIFEST = ".cvmfspublished"
MAX_MANIFEST_BYTES = 65_536
SERVERS_TRIED = 2
"""Stratum-1s and Frontier servers asked through one proxy: the second tells a dead server from a dead proxy."""

LEAST_S = 0.2
"""With less time left, nothing more is asked."""

_MANIFEST_LINE = re.compile(rb"^C[0-9a-f]{40}(-[a-z0-9]+)?\n", re.MULTILINE)


@dataclass
class Ask:
    """Asks through one proxy (or directly) until a moment.

    Attributes:
        proxy: "http://host:port", None = directly.
        patience_s: for one exchange.
        end: of everything, on the monotonic clock.
    """

    host: Host
    proxy: str | None
    patience_s: float
    end: float
    steps: dict[str, Step] = field(default_factory=dict)
    manifest_s: list[float | None] = field(default_factory=list)

    def fetch(self, url: str, limit_bytes: int) -> Fetched | HostError | None:
        """One exchange; None when no time is left for it."""
        left_s = self.end - time.monotonic()
        if left_s < LEAST_S:
            return None
        bound_s = round(min(self.patience_s, left_s), 1)
        try:
            return self.host.fetch(
                url,
                proxy=self.proxy,
                connect_timeout_s=bound_s,
                timeout_s=bound_s,
                limit_bytes=limit_bytes,
                headers={"X-Frontier-Id": "sitecap"} if "/Frontier/type=" in url else None,
            )
        except HostError as error:
            # What a run had no time left for is not in its recording; a replay has all the time, and no answer.
            return None if error.errno_name == "ENOTRECORDED" else error

    def note(
        self,
        name: str,
        outcome: StepOutcome,
        fault: str | None = None,
        detail: str | None = None,
        duration_s: float | None = None,
    ) -> None:
        """Write a step down; a later word on it replaces an earlier one."""
        self.steps[name] = Step(
            name=name, outcome=outcome, fault=fault, detail=without_addresses(detail), duration_s=duration_s
        )


def walk(
    ask: Ask, manifests: tuple[str, ...], servers: tuple[str, ...], *, name: str, subject: str
) -> tuple[Route, tuple[float | None, ...]]:
    """Take all steps through one proxy.

    Args:
        ask: how.
        manifests: URLs of one repository's manifest on several Stratum-1s; the first that answers counts.
        servers: Frontier servers, likewise.
        name: of the proxy, as it is shown; "direct" without one.
        subject: repository that the manifest is of.

    Returns:
        The route, and the durations of the GETs of the manifest in seconds.
    """
    answered = _manifest(ask, manifests[:SERVERS_TRIED])
    if ask.proxy is None:
        ask.note("cache", "not tried", detail="there is no cache on a direct way")
    elif answered is not None:
        _again(ask, answered)
    # Directly, the Stratum-1's fault says nothing about the Frontier server.
    if ask.proxy is None or _reached(ask):
        _frontier(ask, servers[:SERVERS_TRIED])
    target = place(answered or (manifests[0] if manifests else ""))
    steps = tuple(ask.steps.get(step) or Step(name=step, outcome="not reached") for step in STEPS)
    return Route(subject=subject, target=target, via=name, steps=steps), tuple(ask.manifest_s)


def manifest_url(server: str, repository: str) -> str:
    """URL of a repository's manifest on a Stratum-1 "http://host:port"."""
    base = server.rstrip("/").removesuffix("/cvmfs")
    return f"{base}/cvmfs/{repository}/{MANIFEST}"


def _manifest(ask: Ask, urls: tuple[str, ...]) -> str | None:
    """Ask one Stratum-1 after the other; URL of the first manifest, None if none came."""
    if not urls:
        ask.note("manifest", "not tried", detail="cvmfs.stratum_ones is empty")
    for url in urls:
        answer = ask.fetch(url, MAX_MANIFEST_BYTES)
        if answer is None:
            break
        fault, detail = _way(ask, answer) or _content(answer)
        duration_s = seconds(answer.duration_s) if isinstance(answer, Fetched) else None
        if fault is None:
            ask.manifest_s.append(duration_s)
            ask.note("manifest", "ok", None, f"from {place(url)}", duration_s)
            return url
        ask.note("manifest", "failed", fault, f"{place(url)}: {detail}", duration_s)
        # Another server cannot mend what is wrong with the proxy.
        if fault in ("acl-denied", "proxy-auth") or (ask.proxy is not None and not _reached(ask)):
            break
    if "manifest" in ask.steps and not _reached(ask):
        del ask.steps["manifest"]
    return None


def _again(ask: Ask, url: str) -> None:
    answer = ask.fetch(url, MAX_MANIFEST_BYTES)
    if not isinstance(answer, Fetched) or answer.status != 200:
        told = answer.status if isinstance(answer, Fetched) else None
        ask.note("cache", "failed", "timeout" if told is None else "http-status", "the second GET failed")
        return
    duration_s = seconds(answer.duration_s)
    ask.manifest_s.append(duration_s)
    fields = [f"{name}: {answer.headers[name]}" for name in ("x-cache", "age") if name in answer.headers]
    seen = ", ".join(fields) or "neither X-Cache nor Age"
    if from_cache(answer):
        ask.note("cache", "ok", None, seen, duration_s)
    else:
        ask.note(
            "cache", "failed", "not-cached", f"the second of two equal GETs came with {seen}", duration_s
        )


def _frontier(ask: Ask, servers: tuple[str, ...]) -> None:
    if not servers:
        ask.note("frontier", "not tried", detail="no Frontier server is configured")
    for server in servers:
        answer = ask.fetch(frontier.query_url(server), frontier.MAX_REPLY_BYTES)
        if answer is None:
            ask.steps.setdefault(
                "frontier", Step(name="frontier", outcome="not tried", detail="no time left")
            )
            return
        way = _way(ask, answer, keep=ask.proxy is None)
        fault, detail = way or _reply(answer)
        duration_s = seconds(answer.duration_s) if isinstance(answer, Fetched) else None
        if fault is None:
            ask.note("frontier", "ok", None, f"{frontier.QUERY} answered by {place(server)}", duration_s)
            return
        ask.note("frontier", "failed", fault, f"{place(server)}: {detail}", duration_s)
        if fault in ("acl-denied", "proxy-auth"):
            return


def _reached(ask: Ask) -> bool:
    connect = ask.steps.get("connect")
    return connect is not None and connect.outcome == "ok"


def _way(ask: Ask, answer: Fetched | HostError, *, keep: bool = False) -> tuple[str, str] | None:
    """How far an exchange came, as steps; the fault on the way to an answer, None if there is an answer.

    `keep`: leave the steps resolve and connect as they are, because they are about another server.
    """
    if isinstance(answer, HostError):
        if not keep:
            ask.note("resolve", "failed", "not-asked", answer.text)
        return "not-asked", answer.text
    error = without_addresses(answer.error) or "no answer"
    if answer.status is None and answer.stage in ("resolve", "connect"):
        fault = _unconnected(answer)
        if not keep and not _reached(ask):
            if answer.stage == "connect":
                ask.note("resolve", "ok")
            ask.note(answer.stage, "failed", fault, error, seconds(answer.duration_s))
        return fault, error
    if not keep:
        ask.note("resolve", "ok")
        ask.note("connect", "ok")
    return _unusable(answer, error, through_proxy=ask.proxy is not None)


def _unusable(answer: Fetched, error: str, *, through_proxy: bool) -> tuple[str, str] | None:
    """What is wrong with an exchange that came to the server or proxy, None if a whole object came with status 200."""
    late = answer.errno_name == "ETIMEDOUT"
    if answer.status is None:
        return ("timeout" if late else "no-answer"), error
    own = own_error(answer) if through_proxy else None
    if own is not None:
        return own.fault, own.detail
    if answer.status != 200:
        return "http-status", f"status {answer.status} from the server"
    if not answer.complete:
        return ("timeout" if late else "truncated"), error if answer.error else "larger than the bound"
    return None


def _unconnected(answer: Fetched) -> str:
    if answer.stage == "resolve":
        return "dns"
    return {"ETIMEDOUT": "timeout", "ECONNREFUSED": "refused"}.get(answer.errno_name or "", "connect")


def _content(answer: Fetched | HostError) -> tuple[str | None, str]:
    assert isinstance(answer, Fetched)
    if _MANIFEST_LINE.search(answer.body) and b"\n--\n" in answer.body:
        return None, ""
    kind = answer.headers.get("content-type", "no content type")[:64]
    return "not-a-manifest", f"status 200 with {answer.body_bytes} bytes ({kind}) that are no manifest"


def _reply(answer: Fetched | HostError) -> tuple[str | None, str]:
    assert isinstance(answer, Fetched)
    try:
        frontier.check_one(frontier.parse(answer.body))
    except FrontierError as error:
        return error.fault, error.text
    return None, ""
