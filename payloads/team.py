"""Pinned copies of one variant of one kernel, started, measured and ended together."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Protocol, Self

from payloads.children import WORKER, Child, ChildError, Group, Stop

LEAD_S = 0.02
"""Between telling the copies and their common start."""

FINISH_S = 5.0
"""How long copies may take to say what they cost."""


class Copies(Protocol):
    """What the runner needs of copies; tests have some that are no processes."""

    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
    def start(self, cpus: Sequence[int], end: float) -> list[dict[str, Any]]:
        """One more copy on each processor; what each says when it is ready."""
        ...

    def run(self, copies: int, window_s: float, patience_s: float) -> list[dict[str, Any]]:
        """One repeat of the first copies; what each says of it."""
        ...

    def rest(self, patience_s: float) -> None:
        """Let all of them sleep."""
        ...

    def cpu_s(self) -> float:
        """CPU time of all of them and of this process so far."""
        ...

    def finish(self) -> list[dict[str, Any]]:
        """What each says at its end."""
        ...


class Team:
    """Copies that are processes.

    Args:
        request: of task `copy`, without the CPU.
        stop: whether the run has to end now.
        command: the worker.
    """

    def __init__(self, request: Mapping[str, Any], stop: Stop, command: Sequence[str] = WORKER) -> None:
        self._request = dict(request)
        self._stop = stop
        self._group = Group(command)
        self._event_s = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._group.__exit__(kind, error, trace)

    def start(self, cpus: Sequence[int], end: float) -> list[dict[str, Any]]:
        """Start one more copy on each of these processors; their `ready` answers.

        Raises:
            ChildError: one of them could not, or not by `end` (monotonic clock).
        """
        fresh = [
            self._group.start(f"the copy on CPU {cpu}", {**self._request, "task": "copy", "cpu": cpu})
            for cpu in cpus
        ]
        ready = self._answers(fresh, end)
        self._event_s = max(one["pass_s"] / max(one["events"], 1) for one in ready)
        return ready

    def run(self, copies: int, window_s: float, patience_s: float) -> list[dict[str, Any]]:
        """One repeat of the first `copies`, from a common start for about `window_s`.

        Raises:
            ChildError: one died, or did not answer within `patience_s` after the end.
        """
        chosen = self._group.children[:copies]
        # A copy that goes on unmeasured hears of it after its event, and a message takes its time, too.
        start = time.monotonic() + LEAD_S + min(self._event_s, 1.0) + 1e-4 * copies
        end = start + window_s
        for child in chosen:
            child.send({"do": "run", "start": start, "end": end})
        return self._answers(chosen, end + patience_s)

    def rest(self, patience_s: float) -> None:
        """Let all copies sleep.

        Raises:
            ChildError: one died meanwhile.
        """
        for child in self._group.children:
            child.send({"do": "rest"})
        self._answers(self._group.children, time.monotonic() + patience_s)

    def cpu_s(self) -> float:
        """CPU time that all copies have used so far."""
        total = 0.0
        for child in self._group.children:
            # the CPU-time clock of another process, clock_getcpuclockid(3)
            with contextlib.suppress(OSError):
                total += time.clock_gettime(((~child.pid) << 3) | 2)
        return total + sum(os.times()[:2])

    def finish(self) -> list[dict[str, Any]]:
        """What each copy says at its end; those that say nothing any more are left out."""
        for child in self._group.children:
            child.send({"do": "end"})
        answers = self._group.ask(self._group.children, time.monotonic() + FINISH_S, self._stop)
        return [answer for answer in answers.values() if isinstance(answer, dict) and "error" not in answer]

    def _answers(self, children: Sequence[Child], end: float) -> list[dict[str, Any]]:
        answers = self._group.ask(children, end, self._stop)
        found = []
        for child in children:
            answer = answers[child]
            if isinstance(answer, ChildError):
                raise answer
            if "error" in answer:
                raise ChildError(f"{child.name}: {answer['error']}")
            found.append(answer)
        return found
