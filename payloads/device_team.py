"""One kernel on one or several GPUs, a process each: started together, measured alone or all at once."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Protocol, Self

from payloads.backends.devices import Gpu
from payloads.children import WORKER, Child, ChildError, Group, Stop

FINISH_S = 5.0
"""How long a child may take to say what the GPU was like at the end."""

Answer = dict[str, Any] | ChildError


class DeviceTeam(Protocol):
    """What a run needs of such processes; tests have some that are none."""

    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
    def start(self, requests: Mapping[Gpu, Mapping[str, Any]], end: float) -> dict[Gpu, Answer]:
        """Start a process for each GPU; what each says when it has verified the kernel."""
        ...

    def passes(
        self, gpus: Sequence[Gpu], seconds: float, patience_s: float, *, transfers: bool
    ) -> dict[Gpu, Answer]:
        """Have these GPUs measured for so long, all at the same time."""
        ...

    def finish(self, gpus: Sequence[Gpu]) -> dict[Gpu, Answer]:
        """What each says at its end."""
        ...


class DeviceProcesses:
    """Implements `DeviceTeam`.

    Args:
        kernel: its name, for sentences.
        stop: whether the run has to end now.
        command: the worker.
    """

    def __init__(self, kernel: str, stop: Stop, command: Sequence[str] = WORKER) -> None:
        self._kernel = kernel
        self._stop = stop
        self._group = Group(command)
        self._children: dict[Gpu, Child] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._group.__exit__(kind, error, trace)

    def start(self, requests: Mapping[Gpu, Mapping[str, Any]], end: float) -> dict[Gpu, Answer]:
        """As of `DeviceTeam`; `end` is on the monotonic clock."""
        failed: dict[Gpu, Answer] = {}
        for gpu, request in requests.items():
            try:
                self._children[gpu] = self._group.start(
                    f"{self._kernel} on {gpu.place} ({gpu.name})", {**request, "task": "device"}
                )
            except ChildError as error:
                failed[gpu] = error
        return failed | self._answers([gpu for gpu in requests if gpu in self._children], end)

    def passes(
        self, gpus: Sequence[Gpu], seconds: float, patience_s: float, *, transfers: bool
    ) -> dict[Gpu, Answer]:
        """As of `DeviceTeam`; who has not answered `patience_s` after the end is killed."""
        for gpu in gpus:
            self._children[gpu].send({"do": "passes", "seconds": seconds, "transfers": transfers})
        return self._answers(gpus, time.monotonic() + seconds + patience_s)

    def finish(self, gpus: Sequence[Gpu]) -> dict[Gpu, Answer]:
        """As of `DeviceTeam`."""
        for gpu in gpus:
            self._children[gpu].send({"do": "end"})
        return self._answers(gpus, time.monotonic() + FINISH_S)

    def _answers(self, gpus: Sequence[Gpu], end: float) -> dict[Gpu, Answer]:
        answers = self._group.ask([self._children[gpu] for gpu in gpus], end, self._stop)
        found: dict[Gpu, Answer] = {}
        for gpu in gpus:
            answer = answers[self._children[gpu]]
            if not isinstance(answer, ChildError) and "error" in answer:
                answer = ChildError(str(answer["error"]))
            found[gpu] = answer
        return found
