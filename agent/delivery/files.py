"""Writing files that are there wholly or not at all, also after a power failure."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path

PART = ".part"
"""End of the name of a file that is still being written."""

_MODE = 0o660
"""Agents of one group may share a spool where the umask lets them."""


def write_durably(path: Path, content: bytes) -> None:
    """Make a file appear with all of its content; when this returns, both are on the disk.

    Raises:
        OSError: it cannot be written; then nothing is left of it.
    """
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}{PART}")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _MODE)
    try:
        try:
            _write_all(descriptor, content)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        part.rename(path)
    except BaseException:
        with suppress(OSError):
            part.unlink()
        raise
    sync_directory(path.parent)


def sync_directory(directory: Path) -> None:
    """Bring the names in a directory onto the disk.

    Raises:
        OSError: it cannot be opened or the disk failed.
    """
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_directory(directory: Path, mode: int = 0o770) -> None:
    """Make a directory and those above it, durably.

    Raises:
        OSError: it cannot be made.
    """
    if directory.is_dir():
        return
    if directory.parent != directory:
        make_directory(directory.parent, mode)
    directory.mkdir(mode, exist_ok=True)
    sync_directory(directory.parent)


def _write_all(descriptor: int, content: bytes) -> None:
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(descriptor, rest) :]
