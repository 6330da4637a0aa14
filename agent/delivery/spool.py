"""Profiles on their way to the service, as files in a directory that many agents may share.

One file a document, named by `agent.delivery.names`; a document is sent by whoever holds the lock on its file
(`agent.delivery.claim`). Nothing needs mending after an agent or the machine died: a document is there wholly or not at all,
locks end with their process, and what was sent but not yet removed is sent again, which the service knows as a duplicate.
"""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from agent.delivery.claim import SET_ASIDE, Claim
from agent.delivery.errors import SpoolError
from agent.delivery.files import PART, make_directory, write_durably
from agent.delivery.losses import note_losses, tell_losses
from agent.delivery.names import Name, name_of, one_line, parse
from agent.delivery.usage import Usage
from profiles.reading import MAX_PROFILE_BYTES

_ABANDONED_S = 3600.0
"""Nobody takes an hour to write 2 MiB: what is unfinished for longer was left by an agent that died."""


class Bounds(NamedTuple):
    """On what a spool holds.

    Attributes:
        max_bytes: of all documents together. To keep a new one, those that were set aside go first, then those that wait;
            in both the oldest first, because the newest look at a node says most about it.
        max_age_s: a document that waited for so long is set aside; one that was set aside for so long is deleted.
    """

    max_bytes: int
    max_age_s: float


class Spool:
    """The spool in a directory.

    Args:
        directory: made when the first document comes.
        bounds: on what it holds.
    """

    def __init__(self, directory: Path, bounds: Bounds) -> None:
        self.directory = directory
        self._bounds = bounds
        self._usage = Usage(directory, self._held_bytes)

    def put(self, document: bytes) -> Path:
        """Keep a profile; when this returns it is on the disk. Putting the same again changes nothing.

        Returns:
            The file.

        Raises:
            SpoolError: it is no profile, is larger than a profile or the spool may be, or cannot be written.
        """
        document = one_line(document)
        if len(document) > min(MAX_PROFILE_BYTES, self._bounds.max_bytes):
            raise SpoolError(f"a document of {len(document)} bytes is larger than the spool takes")
        name = name_of(document)
        path = self.directory / name.file
        try:
            make_directory(self.directory)
            self._usage.reserve(len(document), self._bounds.max_bytes, self._make_room)
            try:
                write_durably(path, document)
            except OSError:
                with suppress(OSError):
                    self._usage.release(len(document))
                raise
        except OSError as error:
            raise _sentence(self.directory, error) from error
        self._forget_set_aside(name)
        return path

    def waiting(self) -> list[Name]:
        """The documents that wait, the oldest first.

        Raises:
            SpoolError: the directory cannot be read.
        """
        return sorted(_names(self.directory))

    def claim(self, name: Name) -> Claim | None:
        """Take a document in hand; None if it is gone or another agent has it.

        Raises:
            SpoolError: it cannot be opened.
        """
        try:
            return Claim.of(self.directory, name)
        except OSError as error:
            raise _sentence(self.directory / name.file, error) from error

    def removed(self, size_bytes: int) -> None:
        """Take account of documents that were removed."""
        # If it fails, the number is too high, and whoever finds it so counts anew.
        with suppress(OSError):
            self._usage.release(size_bytes)

    def tidy(self) -> int:
        """Set aside what is too old, delete what was set aside for too long and what dead agents left unfinished.

        Returns:
            How many documents were set aside.

        Raises:
            SpoolError: the directory cannot be read.
        """
        old = self._set_aside_old()
        # A disk that is full or read-only does not let us tidy, and documents may still be sent from it.
        with suppress(OSError):
            self._delete_old()
        with suppress(OSError):
            if self.directory.is_dir():
                self._usage.recount()
        return old

    def _set_aside_old(self) -> int:
        number = 0
        for name in self.waiting():
            if self._age_s(self.directory / name.file) <= self._bounds.max_age_s:
                continue
            claim = None
            with suppress(SpoolError):
                claim = self.claim(name)
            if claim is None:
                continue
            try:
                claim.set_aside(f"it waited in the spool for more than {self._bounds.max_age_s:g} s")
                number += 1
            except OSError:
                claim.release()
        return number

    def _delete_old(self) -> None:
        for folder in (self.directory, self.directory / SET_ASIDE):
            for file in _files(folder):
                if file.endswith(PART) and self._age_s(folder / file) > _ABANDONED_S:
                    (folder / file).unlink(missing_ok=True)
        folder = self.directory / SET_ASIDE
        old = [
            name for name in _names(folder) if self._age_s(folder / name.reason_file) > self._bounds.max_age_s
        ]
        reason = f"set aside for more than {self._bounds.max_age_s:g} s"
        self._delete_set_aside(old, reason)
        tell_losses(self.directory, len(old), reason)

    @staticmethod
    def _age_s(path: Path) -> float:
        try:
            return time.time() - path.lstat().st_mtime
        except FileNotFoundError:
            return 0.0

    def _make_room(self, others_bytes: int) -> int:
        """Remove documents until the rest has no more than `others_bytes`; the bytes of the rest."""
        held = self._held_bytes()
        # Some more than is needed, so that not each document of a full spool looks at all the others.
        wanted = min(others_bytes, self._bounds.max_bytes * 15 // 16)
        lost = 0
        full = f"the spool is full ({self._bounds.max_bytes} bytes)"
        for name in sorted(_names(self.directory / SET_ASIDE)):
            if held <= wanted:
                break
            held -= self._delete_set_aside([name], f"it was set aside, and {full}")
            lost += 1
        for name in self.waiting():
            if held <= wanted:
                break
            claim = self.claim(name)
            if claim is not None:
                note_losses(self.directory, [name.file], f"it was the oldest, and {full}")
                held -= claim.size_bytes
                claim.remove()
                lost += 1
        tell_losses(self.directory, lost, full)
        if held > others_bytes:
            raise SpoolError(
                f"spool {self.directory}: full, and other agents are sending what is in it: try again, or raise "
                "delivery.spool_max_bytes"
            )
        return held

    def _delete_set_aside(self, names: Sequence[Name], reason: str) -> int:
        note_losses(self.directory, [name.file for name in names], reason)
        return sum(self._delete(name) for name in names)

    def _delete(self, name: Name) -> int:
        folder = self.directory / SET_ASIDE
        size = _size(folder / name.file)
        (folder / name.file).unlink(missing_ok=True)
        (folder / name.reason_file).unlink(missing_ok=True)
        return size

    def _forget_set_aside(self, name: Name) -> None:
        """What is handed in again is not set aside any more."""
        if (self.directory / SET_ASIDE / name.file).exists():
            with suppress(OSError):
                self._usage.release(self._delete(name))

    def _held_bytes(self) -> int:
        folders = (self.directory, self.directory / SET_ASIDE)
        return sum(_size(folder / name.file) for folder in folders for name in _names(folder))


def _names(folder: Path) -> Iterator[Name]:
    for file in _files(folder):
        name = parse(file)
        if name is not None:
            yield name


def _files(folder: Path) -> list[str]:
    try:
        return os.listdir(folder)  # noqa: PTH208 - names alone, of many thousand
    except FileNotFoundError:
        return []
    except OSError as error:
        raise _sentence(folder, error) from error


def _size(path: Path) -> int:
    try:
        return path.lstat().st_size
    except FileNotFoundError:
        return 0


_REMEDIES = {
    errno.ENOSPC: "free some space there, or name another place as delivery.spool_directory",
    errno.EDQUOT: "the quota is used up: name another place as delivery.spool_directory",
    errno.EROFS: "name a place that can be written as delivery.spool_directory",
    errno.EACCES: "make it writable for this user, or name another place as delivery.spool_directory",
}


def _sentence(place: Path, error: OSError) -> SpoolError:
    remedy = _REMEDIES.get(error.errno or 0, "look at it, or name another place as delivery.spool_directory")
    return SpoolError(f"spool {place}: {error.strerror or type(error).__name__}: {remedy}")
