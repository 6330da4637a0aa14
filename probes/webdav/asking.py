"""Asking a door within a budget, and how a step says that it failed or does not arise."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Literal, TypeVar

from probes.answers import Drained, Fetched
from probes.host import Host
from probes.network_steps import is_address
from probes.remote_settings import WebdavSettings
from probes.webdav.faults import Fault, broken
from probes.webdav.places import Place
from probes.webdav.redirects import MAX_HOPS, Target, target

Answer = TypeVar("Answer", Fetched, Drained)

Sent = Literal["token", "x509"] | None
"""The credential that a question is asked with."""

CONNECT_S = 5.0


class NotTriedError(Exception):
    """A step does not arise here; the text says why."""


class BrokenError(Exception):
    """A step failed."""

    def __init__(self, name: str, detail: str) -> None:
        super().__init__(detail)
        self.fault = Fault(name, detail[:1024])


class Asking:
    """Questions to one door.

    Args:
        host: the door to this machine.
        place: the WebDAV door and the file.
        wanted: time-outs and bounds.
        ca_path: authorities, None = those of the system.
        end: when all must be over, of time.monotonic().

    Attributes:
        seen: fields of `profiles.facts.webdav.WebdavDoor` found so far.
    """

    def __init__(
        self, host: Host, place: Place, wanted: WebdavSettings, ca_path: str | None, end: float
    ) -> None:
        self.host = host
        self.place = place
        self.wanted = wanted
        self.ca_path = ca_path
        self.seen: dict[str, Any] = {}
        self._end = end

    def patience_s(self, bound_s: float | None = None) -> float:
        """How long the next question may take.

        Raises:
            BrokenError: the budget is used up.
        """
        left_s = self._end - time.monotonic()
        if left_s < 0.1:
            raise BrokenError("timeout", f"the budget of {self.wanted.budget_s:g} s was used up before it")
        return min(left_s, self.wanted.timeout_s, bound_s or left_s)

    def fetch(
        self,
        method: str,
        sent: Sent,
        *,
        headers: dict[str, str] | None = None,
        body: str | None = None,
        limit_bytes: int = 4096,
    ) -> Fetched:
        """One exchange about the file, redirections followed as clients do (a door sends readers on to a pool).

        Raises:
            HostError: it cannot be asked, because there is no such credential or no authority.
            BrokenError: the budget is used up.
        """

        def once(url: str, credential: Sent) -> Fetched:
            return self.host.fetch(
                url,
                method=method,
                headers=headers,
                ca_path=self.ca_path,
                credential=credential,
                content=body,
                connect_timeout_s=self.patience_s(CONNECT_S),
                timeout_s=self.patience_s(),
                limit_bytes=limit_bytes,
            )

        return self._followed(sent, once)

    def drain(self, sent: Sent, *, headers: dict[str, str], limit_bytes: int, checksum: bool) -> Drained:
        """Read the file or a part of it, as far as `limit_bytes`; parameters and errors are those of `fetch`."""

        def once(url: str, credential: Sent) -> Drained:
            return self.host.drain(
                url,
                headers=headers,
                ca_path=self.ca_path,
                credential=credential,
                connect_timeout_s=self.patience_s(CONNECT_S),
                timeout_s=self.patience_s(),
                limit_bytes=limit_bytes,
                checksum=checksum,
            )

        return self._followed(sent, once)

    def _followed(self, sent: Sent, once: Callable[[str, Sent], Answer]) -> Answer:
        """The answer at the end of all redirections."""
        url = self.place.url
        for _ in range(MAX_HOPS + 1):
            answer = once(url, sent)
            try:
                onward = target(url, answer.status, answer.headers)
            except ValueError as error:
                raise BrokenError("bad-redirect", str(error)) from error
            if onward is None:
                return answer
            self._note_redirection(onward)
            url, sent = onward.url, sent if onward.trusted else None
        raise BrokenError("redirect-loop", f"it redirects more than {MAX_HOPS} times: {self._chain()}")

    def _note_redirection(self, onward: Target) -> None:
        shown = f"{'(address)' if is_address(onward.host) else onward.host}:{onward.port}"
        known = self.seen.get("redirected_to", ())
        if shown not in known and len(known) < MAX_HOPS:
            self.seen["redirected_to"] = (*known, shown)

    def _chain(self) -> str:
        return " → ".join((self.place.target, *self.seen.get("redirected_to", ())))


def whole(answer: Answer) -> Answer:
    """The answer, whatever its status.

    Raises:
        BrokenError: it did not come, or not to its end.
    """
    fault = broken(answer)
    if fault is not None:
        raise BrokenError(*fault)
    return answer
