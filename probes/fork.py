"""A child of this process with a pipe to it: what probes, the errands of a daemon and the parts of a pilot have in common."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable

PR_SET_PDEATHSIG = 1
"""prctl(2) option, from <linux/prctl.h>."""

GRACE_S = 1.0
"""How long a killed child may take to vanish before it counts as unkillable."""

_prctl = ctypes.CDLL(None).prctl
"""Looked up before any fork: where another thread holds the dynamic linker's lock, a forked child waits for it forever."""


def forked(work: Callable[[int], None], broke: Callable[[int, str], None]) -> tuple[int, int]:
    """Fork a child that works and ends; whatever happens, it does not come back into the parent's code.

    If the parent is killed outright, the child goes with it.

    Args:
        work: done in the child, with the writing end of the pipe; the child's status is 0 if it returns, else 1.
        broke: called in the child, with the pipe and a sentence, on what `work` raised.

    Returns:
        The child's process id, which is also its process group, and the reading end of its pipe (non-blocking).

    Raises:
        OSError: the system gives no pipe or no process.
    """
    reading, writing = os.pipe2(os.O_CLOEXEC)
    _flush()
    parent = os.getpid()
    try:
        child = os.fork()
    except OSError:
        os.close(reading)
        os.close(writing)
        raise
    if child == 0:
        _be_the_child(work, broke, reading, writing, parent)
    os.close(writing)
    with contextlib.suppress(OSError):
        os.setpgid(child, child)  # also done by the child; whoever comes first
    os.set_blocking(reading, False)
    return child, reading


def _be_the_child(
    work: Callable[[int], None], broke: Callable[[int, str], None], reading: int, writing: int, parent: int
) -> None:
    """Never returns."""
    code = 1
    try:
        os.close(reading)
        with contextlib.suppress(OSError):
            os.setpgid(0, 0)
        signal.set_wakeup_fd(-1)
        die_with(parent)
        gc.enable()
        work(writing)
        code = 0
    except BaseException as error:
        with contextlib.suppress(BaseException):
            broke(writing, describe(error))
    finally:
        _flush()
        os._exit(code)


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()


def die_with(parent: int, number: int = signal.SIGKILL) -> None:
    """Get a signal when the parent ends, however it ends; end now if it has.

    Args:
        parent: its process id, taken before the fork.
        number: the signal.
    """
    _prctl(PR_SET_PDEATHSIG, number)
    if os.getppid() != parent:
        os._exit(1)


def write_all(descriptor: int, data: bytes) -> None:
    """Write all of it, in as many pieces as it takes.

    Raises:
        OSError: nobody reads any more.
    """
    while data:
        data = data[os.write(descriptor, data) :]


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


def describe(error: BaseException) -> str:
    """One sentence for an exception that no code expected, with the place it came from."""
    if isinstance(error, MemoryError):
        return "it needed more memory than a probe may use"
    frames = traceback.extract_tb(error.__traceback__)
    where = f" at {os.path.basename(frames[-1].filename)}:{frames[-1].lineno}" if frames else ""  # noqa: PTH119
    return f"{type(error).__name__}{where}: {error}"[:1000]
