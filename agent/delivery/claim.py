"""A document that one agent is handing in, while others let it be."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from agent.delivery.files import make_directory, sync_directory, write_durably
from agent.delivery.names import Name
from agent.delivery.usage import locked
from profiles.reading import MAX_PROFILE_BYTES

SET_ASIDE = "set-aside"
"""Folder of documents that the service will never take, with the reason beside each."""


class Claim:
    """Holds a lock on the document's own file: the kernel gives it back however the agent ends.

    Attributes:
        name: of the document.
        document: its bytes; at most one more than a profile may have.
        size_bytes: of its file.
    """

    def __init__(self, directory: Path, name: Name, descriptor: int) -> None:
        self.name = name
        self._directory = directory
        self._descriptor = descriptor
        self.size_bytes = os.fstat(descriptor).st_size
        self.document = _read(descriptor, MAX_PROFILE_BYTES + 1)

    @classmethod
    def of(cls, directory: Path, name: Name) -> Self | None:
        """Claim a document; None if it is gone or another agent has it.

        Raises:
            OSError: it cannot be opened or read.
        """
        path = directory / name.file
        try:
            # For writing, because NFS gives no exclusive lock on a file that is only read.
            descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
        except FileNotFoundError:
            return None
        try:
            if locked(descriptor) and _is_still(path, descriptor):
                return cls(directory, name, descriptor)
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)
        return None

    @property
    def intact(self) -> bool:
        """Whether it is what was put into the spool."""
        return self.name.fits(self.document)

    def remove(self) -> None:
        """The service has it: nothing is left to do. Need not be durable: sent again, it is a duplicate.

        Raises:
            OSError: it cannot be removed.
        """
        (self._directory / self.name.file).unlink(missing_ok=True)
        self.release()

    def set_aside(self, reason: str) -> None:
        """Put it where it is not sent again, with the reason beside it.

        Raises:
            OSError: it cannot be moved.
        """
        folder = self._directory / SET_ASIDE
        make_directory(folder)
        note = {"id": self.name.id, "set_aside_at": datetime.now(UTC).isoformat(), "reason": reason}
        # The reason first, so that no document is ever there without one.
        write_durably(folder / self.name.reason_file, json.dumps(note).encode() + b"\n")
        (self._directory / self.name.file).rename(folder / self.name.file)
        sync_directory(folder)
        sync_directory(self._directory)
        self.release()

    def release(self) -> None:
        """Let others have it."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def _is_still(path: Path, descriptor: int) -> bool:
    """Whether the file was neither removed nor moved between opening and locking it."""
    mine = os.fstat(descriptor)
    try:
        there = path.lstat()
    except FileNotFoundError:
        return False
    return (mine.st_dev, mine.st_ino) == (there.st_dev, there.st_ino)


def _read(descriptor: int, limit_bytes: int) -> bytes:
    parts = []
    while limit_bytes > 0 and (part := os.read(descriptor, limit_bytes)):
        parts.append(part)
        limit_bytes -= len(part)
    return b"".join(parts)
