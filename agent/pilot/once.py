"""Once a node: of all the ranks of one launch, one works on each node, and the others wait for its end.

The lock lies on the node's own storage and is held by the kernel for a living process: if the rank that works is killed,
the next one takes over. What it wrote into the file when it was done tells the others that nothing is left to do.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from probes.lock import LockError

KEPT_S = 7 * 86_400
"""How long the mark of a finished launch stays: far longer than the ranks of one launch begin apart."""

_DONE = b"done "
_PREFIX = "pilot-"
POLL_S = 0.05


@dataclass
class Turn:
    """What the lock says.

    Attributes:
        first: whether this rank works.
        said: for the others, what the first one left: the id of its profile; None = it is still at work.
        done: set to the id of the profile when the work is done.
    """

    first: bool
    said: str | None = None
    done: str | None = None


def key_of(*parts: str) -> str:
    """A name for one launch on one node."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:24]


@contextmanager
def once(
    directory: Path, key: str, *, until: float, not_before: float, stop: Callable[[], bool]
) -> Iterator[Turn]:
    """Be the one that works, or wait for it.

    Args:
        directory: on this node's own storage, private to the user.
        key: of the launch and the node.
        until: on the monotonic clock; who waits so long goes without it.
        not_before: wall clock; a mark older than that is of an earlier start of the job. 0 = every mark counts.
        stop: whether to wait no longer.

    Raises:
        LockError: the file cannot be opened.
    """
    _sweep(directory)
    path = directory / f"{_PREFIX}{key}"
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise LockError(f"cannot open {path}: {error.strerror}") from error
    try:
        turn = Turn(first=_held(descriptor, until, stop))
        if turn.first and os.fstat(descriptor).st_mtime >= not_before:
            mark = os.pread(descriptor, 256, 0)
            if mark.startswith(_DONE):
                turn.first, turn.said = False, mark[len(_DONE) :].decode("ascii", "replace").strip()
        if turn.first:
            os.ftruncate(descriptor, 0)
        yield turn
        if turn.first and turn.done is not None:
            os.pwrite(descriptor, _DONE + turn.done.encode(), 0)
    finally:
        os.close(descriptor)


def _held(descriptor: int, until: float, stop: Callable[[], bool]) -> bool:
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if stop() or time.monotonic() >= until:
                return False
            time.sleep(POLL_S)
        else:
            return True


def _sweep(directory: Path) -> None:
    """Remove what launches of long ago left."""
    for path in directory.glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):
            if time.time() - path.stat().st_mtime > KEPT_S:
                path.unlink()
