"""One probe in a child process: forked, bounded in memory, its facts sent back through a pipe.

Before each question that can hang, the child says on the pipe what it is about to ask, so that a probe that is killed
can be told from its last question. Lines on the pipe: "?" + question, and at the end "=" + facts or "!" + what broke.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import signal
from collections.abc import Callable
from typing import Any

from probes.answers import Json
from probes.fork import forked, write_all
from probes.host import Door, Host
from probes.settings import Settings
from probes.spec import Probe

M_ARENA_MAX = -8
"""mallopt(3) parameter, from <malloc.h>."""

MemoryBound = int
OpenDoor = Callable[[str], Door]
"""Gives the door of one probe, by the probe's name."""

_QUICK = frozenset(
    {"env", "has_env", "env_names", "affinity", "limit", "uname", "identity", "libc", "now", "which"}
)
_QUICK_TREES = ("/proc/", "/sys/")


class AnnouncingDoor:
    """Passes questions on, but first says on the pipe those that can hang."""

    def __init__(self, inner: Door, say: Callable[[str], None]) -> None:
        self._inner = inner
        self._say = say

    def ask(self, kind: str, args: list[Json]) -> Any:  # noqa: ANN401
        """Announce the question if it can hang, then ask it."""
        if kind not in _QUICK and not (args and str(args[0]).startswith(_QUICK_TREES)):
            self._say(f"{kind}({', '.join(str(arg)[:120] for arg in args[:2])})")
        return self._inner.ask(kind, args)

    def observe(self, name: str, args: list[Json], live: Callable[[], Json]) -> Any:  # noqa: ANN401
        """Announce the observation, then make it."""
        self._say(f"{name}({', '.join(str(arg)[:120] for arg in args[:2])})")
        return self._inner.observe(name, args, live)

    def restore(self, text: str) -> str:
        """Restore quietly: this asks nothing."""
        return self._inner.restore(text)


def start(probe: Probe, open_door: OpenDoor, settings: Settings) -> tuple[int, int]:
    """Fork a child that gathers the facts of `probe`.

    Returns:
        The child's process id, which is also its process group, and the reading end of its pipe (non-blocking).

    Raises:
        OSError: the system gives no pipe or no process.
    """

    def work(pipe: int) -> None:
        _detach(probe.memory_bytes)
        _send(pipe, _gather(probe, open_door, settings, pipe))

    return forked(work, lambda pipe, sentence: _send(pipe, "!" + json.dumps(sentence)))


def _detach(memory_bytes: int) -> None:
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    bound = memory_bytes if hard == resource.RLIM_INFINITY else min(memory_bytes, hard)
    resource.setrlimit(resource.RLIMIT_AS, (bound, hard))
    # glibc reserves 64 MiB of address space per thread for its own arena; some dozen threads would eat the bound.
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # musl has neither
    if mallopt is not None:
        mallopt(M_ARENA_MAX, 1)
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))


def _gather(probe: Probe, open_door: OpenDoor, settings: Settings, pipe: int) -> str:
    door = open_door(probe.name)
    facts = probe.gather(Host(AnnouncingDoor(door, lambda text: _send(pipe, "?" + text))), settings)
    failure = None
    if hasattr(door, "close"):
        door.close()
        failure = getattr(door, "failure", None)
    if failure:
        _send(pipe, "#" + str(failure))
    return "=" + facts.model_dump_json()


def _send(pipe: int, line: str) -> None:
    write_all(pipe, line.replace("\n", " ").encode("utf-8", "replace") + b"\n")
