"""How many bytes a spool holds, known without looking at each of its files.

The number is kept in a file under a lock. It is raised before a document is written and lowered after one was removed, so
whatever an agent that is killed leaves behind makes it too high, never too low; whoever finds it too high counts anew.
"""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

FILE = ".usage"
_WAIT_S = 5.0
"""A lock is held for as long as counting takes. One that is held longer belongs to an agent that was stopped: the bound is
less dear than the profile, and the next count mends it."""
_POLL_S = 0.01
_NO_LOCKS = frozenset({errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP})


class Usage:
    """The number of one spool.

    Args:
        directory: of the spool.
        count: looks at all files and returns their bytes.
    """

    def __init__(self, directory: Path, count: Callable[[], int]) -> None:
        self._path = directory / FILE
        self._count = count

    def reserve(self, size_bytes: int, bound_bytes: int, make_room: Callable[[int], int]) -> None:
        """Take account of a document that is about to be written.

        Args:
            size_bytes: of the document.
            bound_bytes: on all of them.
            make_room: is given the bytes that others may have, removes what must go, and returns what is left.

        Raises:
            OSError: the number cannot be kept.
        """
        with self._locked() as descriptor:
            held = self._read(descriptor)
            if held + size_bytes > bound_bytes:
                held = make_room(bound_bytes - size_bytes)
            self._write(descriptor, held + size_bytes)

    def release(self, size_bytes: int) -> None:
        """Take account of documents that were removed.

        Raises:
            OSError: the number cannot be kept.
        """
        with self._locked() as descriptor:
            self._write(descriptor, max(0, self._read(descriptor) - size_bytes))

    def recount(self) -> None:
        """Look at all files.

        Raises:
            OSError: they cannot be read, or the number cannot be kept.
        """
        with self._locked() as descriptor:
            self._write(descriptor, self._count())

    @contextmanager
    def _locked(self) -> Iterator[int]:
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o660)
        try:
            give_up_at = time.monotonic() + _WAIT_S
            while not locked(descriptor) and time.monotonic() < give_up_at:
                time.sleep(_POLL_S)
            yield descriptor
        finally:
            os.close(descriptor)

    def _read(self, descriptor: int) -> int:
        try:
            return int(os.pread(descriptor, 32, 0))
        except ValueError:  # new, or cut off by a power failure
            return self._count()

    @staticmethod
    def _write(descriptor: int, held_bytes: int) -> None:
        # Always as long: written over, it needs no more room on a disk that is full.
        os.pwrite(descriptor, b"%20d\n" % held_bytes, 0)


def locked(descriptor: int) -> bool:
    """Lock an open file, until it is closed, unless another process has; a file system without locks has none to fear.

    Raises:
        OSError: the file system failed.
    """
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        # Lustre without -o flock, some FUSE: two agents may then send the same document, and the service takes it once.
        if error.errno in _NO_LOCKS:
            return True
        raise
    return True
