"""One probe in a child process: forked, bounded in memory, its facts sent back through a pipe.

Before each question that can hang, the child says on the pipe what it is about to ask, so that a probe that is killed
can be told from its last question. Lines on the pipe: "?" + question, and at the end "=" + facts or "!" + what broke.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import json
import os
import resource
import signal
import sys
import time
import traceback
from collections.abc import Callable
from typing import Any

from probes.answers import Json
from probes.host import Door, Host
from probes.settings import Settings
from probes.spec import Probe

PR_SET_PDEATHSIG = 1
"""prctl(2) option, from <linux/prctl.h>."""

M_ARENA_MAX = -8
"""mallopt(3) parameter, from <malloc.h>."""

GRACE_S = 1.0
"""How long a killed child may take to vanish before it counts as unkillable."""

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


def prctl(option: int, argument: int) -> None:
    """Ask the kernel for something about this process; see the manual page of that name."""
    ctypes.CDLL(None).prctl(option, argument)


def start(probe: Probe, open_door: OpenDoor, settings: Settings) -> tuple[int, int]:
    """Fork a child that gathers the facts of `probe`.

    Returns:
        The child's process id, which is also its process group, and the reading end of its pipe (non-blocking).

    Raises:
        OSError: the system gives no pipe or no process.
    """
    reading, writing = os.pipe2(os.O_CLOEXEC)
    sys.stdout.flush()
    sys.stderr.flush()
    parent = os.getpid()
    try:
        child = os.fork()
    except OSError:
        os.close(reading)
        os.close(writing)
        raise
    if child == 0:
        os.close(reading)
        _be_the_child(probe, open_door, settings, writing, parent)
    os.close(writing)
    with contextlib.suppress(OSError):
        os.setpgid(child, child)  # also done by the child; whoever comes first
    os.set_blocking(reading, False)
    return child, reading


def reap(pid: int) -> int | None:
    """Wait up to `GRACE_S` for a child; kill it if it lingers; its wait status, or None if it does not go."""
    end = time.monotonic() + GRACE_S
    killed = False
    while True:
        try:
            found, status = os.waitpid(pid, os.WNOHANG)
        except ChildProcessError:
            return 0
        if found:
            return status
        if time.monotonic() > end:
            if killed:
                return None
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(pid, signal.SIGKILL)
            killed = True
            end = time.monotonic() + GRACE_S
        time.sleep(0.002)


def _be_the_child(probe: Probe, open_door: OpenDoor, settings: Settings, pipe: int, parent: int) -> None:
    """Never returns: whatever happens, the child ends here and not in the parent's code."""
    code = 1
    try:
        _detach(probe.memory_bytes, parent)
        gc.enable()
        _send(pipe, _gather(probe, open_door, settings, pipe))
        code = 0
    except BaseException as error:
        with contextlib.suppress(BaseException):
            _send(pipe, "!" + json.dumps(describe(error)))
    finally:
        os._exit(code)


def _detach(memory_bytes: int, parent: int) -> None:
    with contextlib.suppress(OSError):
        os.setpgid(0, 0)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    signal.set_wakeup_fd(-1)
    # If the agent itself is killed outright, its probes go with it.
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)
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


def describe(error: BaseException) -> str:
    """One sentence for an exception that no code expected, with the place it came from."""
    if isinstance(error, MemoryError):
        return "it needed more memory than a probe may use"
    frames = traceback.extract_tb(error.__traceback__)
    where = f" at {os.path.basename(frames[-1].filename)}:{frames[-1].lineno}" if frames else ""  # noqa: PTH119
    return f"{type(error).__name__}{where}: {error}"[:1000]


def _send(pipe: int, line: str) -> None:
    data = line.replace("\n", " ").encode("utf-8", "replace") + b"\n"
    while data:
        data = data[os.write(pipe, data) :]
