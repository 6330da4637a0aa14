"""One agent per node and user at a time, and no second child where the last one still hangs."""

from __future__ import annotations

import fcntl
import json
import os
import stat
import time
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self


class LockError(Exception):
    """Another run holds the node lock, or the state directory cannot be trusted; the text says what to do."""


class Stuck(NamedTuple):
    """A child of an earlier run that could not be killed."""

    pid: int
    started_ticks: int
    """Field 22 of /proc/PID/stat, which tells a process from a later one with the same number."""
    question: str


def state_directory() -> Path | None:
    """A directory private to this user: below $XDG_RUNTIME_DIR, $TMPDIR or /tmp, else /dev/shm.

    None where no place can be written (a read-only container without /tmp): a run there cannot leave a note for the
    next one, and has nobody to lock out but itself.

    Raises:
        LockError: the directory is there but belongs to somebody else or is open to others.
    """
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    shared = (os.environ.get("TMPDIR") or "/tmp", "/dev/shm")  # noqa: S108 - checked below
    return _private(
        (*([Path(runtime) / "sitecap"] if runtime else []), *(Path(place) / _own() for place in shared))
    )


def node_directory() -> Path | None:
    """A directory private to this user that all its processes on this node have, and no other node has.

    $TMPDIR may be each task's own or on a file system of the whole cluster, so memory comes first.

    Raises:
        LockError: the directory is there but belongs to somebody else or is open to others.
    """
    return _private(Path(place) / _own() for place in ("/dev/shm", "/tmp"))  # noqa: S108 - checked below


def _own() -> str:
    return f"sitecap-{os.getuid()}"


def _private(places: Iterable[Path]) -> Path | None:
    for path in places:
        try:
            path.mkdir(mode=0o700, exist_ok=True)
            status = path.lstat()
        except OSError:
            continue
        private = stat.S_ISDIR(status.st_mode) and status.st_uid == os.getuid() and not status.st_mode & 0o077
        if not private:
            raise LockError(
                f"{path} is not a private directory of this user: remove it, it may be somebody's trap"
            )
        if os.access(path, os.W_OK):
            return path
    return None


_HELD: set[int] = set()
"""Descriptors of locks that this process holds."""


def _let_go_in_child() -> None:
    """A child that hangs for ever must not hold its parent's lock for ever: closing a copy does not unlock (flock(2))."""
    for descriptor in _HELD:
        os.close(descriptor)
    _HELD.clear()


os.register_at_fork(after_in_child=_let_go_in_child)


class NodeLock:
    """Holds the lock while it is a context; waits up to `wait_s` for another run to end.

    Raises:
        LockError: on entry, if the other run is still there after `wait_s`.
    """

    def __init__(self, directory: Path, wait_s: float) -> None:
        self._path = directory / "lock"
        self._wait_s = wait_s
        self._descriptor = -1

    def __enter__(self) -> Self:
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        try:
            self._descriptor = os.open(self._path, flags, 0o600)
        except OSError as error:
            raise LockError(f"cannot open {self._path}: {error.strerror}") from error
        deadline = time.monotonic() + self._wait_s
        while True:
            try:
                fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    holder = os.pread(self._descriptor, 32, 0).decode("ascii", "replace").strip()
                    os.close(self._descriptor)
                    raise LockError(
                        f"another agent (process {holder or 'not named'}) is probing this node: wait for it to end"
                    ) from None
                time.sleep(0.05)
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, f"{os.getpid()}\n".encode(), 0)
        _HELD.add(self._descriptor)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _HELD.discard(self._descriptor)
        os.close(self._descriptor)


def started_ticks(pid: int) -> int | None:
    """When a process started, in clock ticks after boot; None if there is no such process or only its zombie.

    A zombie has left whatever it hung in; in a container without an init nobody may ever reap it.
    """
    try:
        fields = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rsplit(")", 1)[1].split()
        return None if fields[0] in "ZX" else int(fields[19])
    except (OSError, IndexError, ValueError):
        return None


def remember_stuck(directory: Path, probe: str, pid: int, question: str) -> None:
    """Note that the child of `probe` could not be killed, for the next run."""
    ticks = started_ticks(pid)
    if ticks is not None:
        note = {"pid": pid, "started_ticks": ticks, "question": question}
        (directory / f"stuck-{probe}.json").write_text(json.dumps(note), "utf-8")


def find_stuck(directory: Path, probe: str) -> Stuck | None:
    """The child of an earlier run of `probe` if it is still there; a note of one that is gone is removed."""
    path = directory / f"stuck-{probe}.json"
    try:
        note = json.loads(path.read_text("utf-8"))
        stuck = Stuck(int(note["pid"]), int(note["started_ticks"]), str(note["question"]))
    except OSError:
        return None
    except (ValueError, KeyError, TypeError, RecursionError):
        path.unlink(missing_ok=True)
        return None
    if started_ticks(stuck.pid) == stuck.started_ticks:
        return stuck
    path.unlink(missing_ok=True)
    return None
