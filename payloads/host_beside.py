"""This node's CPUs with a kernel, all of them loaded: measured by themselves, then kept busy while GPUs are measured."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from payloads.children import ChildError
from payloads.compiled import best_variant
from payloads.device_outcome import LoadedCpus
from payloads.errors import PayloadError
from payloads.measured_kernel import LOADING_S, MEMORY_SHARE
from payloads.plan import Options
from payloads.team import Copies

REPEATS = 3
"""Enough for an interval."""

WINDOW_S = 0.5

OpenCopies = Callable[[Mapping[str, Any]], Copies]


class LoadedHost:
    """Copies on all granted CPUs; each goes on working until the context of `load` is left."""

    def __init__(self, team: Copies, copies: int, pass_s: float, variant: str, digest: str) -> None:
        self._team = team
        self._copies = copies
        self._pass_s = pass_s
        self._variant = variant
        self._digest = digest

    def measure(self) -> LoadedCpus:
        """Events per second of all copies together; they go on afterwards.

        Raises:
            ChildError: a copy died or computed other bits than before.
        """
        samples = []
        for _ in range(REPEATS):
            window_s = max(WINDOW_S, self._pass_s)
            reports = self._team.run(self._copies, window_s, 20.0 + 5 * self._pass_s)
            if not all(one["same_bits"] for one in reports):
                raise ChildError("a copy on the CPUs computed other bits from pass to pass")
            samples.append(sum(one["events"] / one["seconds"] for one in reports))
        return LoadedCpus(self._variant, self._copies, tuple(samples), self._digest)


@contextmanager
def load(
    request: Mapping[str, Any], options: Options, open_copies: OpenCopies, end: float
) -> Iterator[LoadedHost]:
    """Keep all granted CPUs busy with a kernel.

    Args:
        request: of task `copy`, without variant and CPU.
        options: of them the CPUs, how many copies, and the memory granted.
        open_copies: how such copies are started.
        end: by when they must be ready (monotonic clock).

    Raises:
        PayloadError: they cannot be started, do not fit into memory, or compute different bits.
    """
    variant = best_variant().name
    end = max(end, time.monotonic() + 1.0)
    with open_copies({**request, "variant": variant}) as team:
        ready = team.start(options.cpus[:1], min(end, time.monotonic() + LOADING_S))
        _refuse_too_much_memory(ready[0], options)
        if options.copies > 1:
            ready += team.start(options.cpus[1 : options.copies], min(end, time.monotonic() + LOADING_S))
        digests = {one["digest"] for one in ready}
        if len(digests) > 1:
            raise PayloadError("the copies on the CPUs computed different bits")
        pass_s = max(one["pass_s"] for one in ready)
        yield LoadedHost(team, len(ready), pass_s, variant, digests.pop())


def _refuse_too_much_memory(first: Mapping[str, Any], options: Options) -> None:
    granted, one = options.memory_bytes, first["memory_bytes"]
    if granted is not None and one is not None and options.copies * one > MEMORY_SHARE * granted:
        raise PayloadError(
            f"{options.copies} copies of {one / 1e6:.0f} MB for the CPUs do not fit into the {granted / 1e6:.0f} MB granted"
        )
