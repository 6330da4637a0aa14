"""Sets of arrays kept between runs: a directory of one `.npy` a column, and a manifest with digests.

A set appears under its name only when it is complete (written aside, then renamed). Whatever is found under a name is
checked before it is used: a set that is damaged, cut off, half written or of another maker is as good as none, and why
is said. A set is mapped, not read, so that many processes share its pages until they take their own copies.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np

from payloads.arrays import Array, Arrays
from payloads.errors import PayloadError

FORMAT = 1
MANIFEST = "set.json"
MAX_MANIFEST_BYTES = 1024 * 1024
MAX_COLUMNS = 4096
_COLUMN = re.compile(r"[a-z][a-z0-9_]{0,63}")
_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,119}")
_ASIDE = ".part-"
EMPTY_BYTES = 128
"""A file of the format NPY has a header of this size or a multiple of it."""
ABANDONED_S = 3600.0
"""A set that is still aside after this long was left by a writer that was killed."""


class StoreError(PayloadError):
    """A set cannot be used, or not be kept; the text says why."""


class MissingSetError(StoreError):
    """There is nothing under that name yet, which is no fault."""


class NotOursError(StoreError):
    """Others can write to the place: what lies there is neither believed nor removed."""


class Held(NamedTuple):
    """A set of arrays as it was found.

    Attributes:
        directory: where its columns lie.
        arrays: mapped, not to be written to.
        digest: of all names, types, shapes and contents.
        size_bytes: of the columns.
        about: what its maker said of it.
    """

    directory: Path
    arrays: dict[str, Array]
    digest: str
    size_bytes: int
    about: dict[str, Any]


def digest_of(arrays: Arrays) -> str:
    """BLAKE2b over names, types, shapes and contents, whatever their order."""
    digest = hashlib.blake2b(digest_size=16)
    for name in sorted(arrays):
        digest.update(f"{name}:{_column_digest(arrays[name])};".encode())
    return digest.hexdigest()


def _column_digest(column: Array) -> str:
    digest = hashlib.blake2b(f"{column.dtype.str}{column.shape}".encode(), digest_size=16)
    digest.update(np.ascontiguousarray(column).view(np.uint8).data if column.size else b"")
    return digest.hexdigest()


class Store:
    """Sets below one directory.

    Args:
        directory: made when the first set is kept; only its owner may write to it.
        maker: who makes the sets (version and build); sets of another maker are not used.
        max_bytes: the least recently used sets are removed beyond this.
    """

    def __init__(self, directory: Path, maker: str, max_bytes: int) -> None:
        self.directory = directory
        self._maker = maker
        self._max_bytes = max_bytes

    def get(self, name: str) -> Held:
        """The set of that name, checked bit by bit.

        Raises:
            MissingSetError: there is none.
            NotOursError: others can write to the directory.
            StoreError: there is one, but it cannot be used.
        """
        directory = self._place(name)
        if not directory.exists():
            raise MissingSetError(f"there is no {name} in {self.directory}")
        self._check_owner()
        held = read(directory, maker=self._maker)
        with contextlib.suppress(OSError):
            os.utime(directory)  # used now: the last to be removed
        return held

    def put(self, name: str, arrays: Arrays, about: Mapping[str, Any]) -> Held:
        """Keep a set under that name in place of what is there, and make room for it.

        Raises:
            StoreError: it cannot be written (read-only, full, not ours), or is larger than the bound.
        """
        size = sum(column.nbytes for column in arrays.values())
        if size > self._max_bytes:
            raise StoreError(f"{name} has {size} bytes, more than the {self._max_bytes} that may be kept")
        target = self._place(name)
        try:
            self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._check_owner()
            self._make_room(name, size)
            aside = Path(tempfile.mkdtemp(prefix=_ASIDE, dir=self.directory))
            try:
                write(aside, arrays, maker=self._maker, about=about)
                if target.exists():
                    shutil.rmtree(target)
                try:
                    aside.rename(target)
                except OSError:
                    if not target.exists():  # else another run was first, with the same bits
                        raise
            finally:
                shutil.rmtree(aside, ignore_errors=True)
        except OSError as error:
            raise StoreError(f"nothing can be kept in {self.directory}: {error.strerror}") from error
        return read(target, maker=self._maker)

    def remove(self, name: str) -> None:
        """Forget a set, as far as that is possible."""
        shutil.rmtree(self._place(name), ignore_errors=True)

    def _place(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise StoreError(f"{name!r:.80} is not a name of a set")
        return self.directory / name

    def _check_owner(self) -> None:
        status = self.directory.lstat()
        if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid() or status.st_mode & 0o022:
            raise NotOursError(
                f"{self.directory} is not a directory that only this user writes to: name another place"
            )

    def _make_room(self, name: str, size: int) -> None:
        sets = sorted(self._sets(), key=lambda path: path.stat().st_mtime)
        kept = {path: _size_of(path) for path in sets if path.name != name}
        for path in sets:
            if path in kept and self._foreign(path):
                shutil.rmtree(path, ignore_errors=True)
                del kept[path]
        while kept and sum(kept.values()) + size > self._max_bytes:
            oldest = next(iter(kept))
            shutil.rmtree(oldest, ignore_errors=True)
            del kept[oldest]

    def _sets(self) -> Iterator[Path]:
        for path in self.directory.iterdir():
            if path.name.startswith(_ASIDE):
                if _age_s(path) > ABANDONED_S:
                    shutil.rmtree(path, ignore_errors=True)
            elif path.is_dir() and _NAME.fullmatch(path.name) and (path / MANIFEST).is_file():
                yield path

    def _foreign(self, directory: Path) -> bool:
        try:
            return bool(_manifest(directory)["maker"] != self._maker)
        except StoreError:
            return True


def write(directory: Path, arrays: Arrays, *, maker: str, about: Mapping[str, Any]) -> None:
    """Write a set into an existing directory; the manifest comes last.

    Raises:
        OSError: as the file system says.
        StoreError: a column has a name that is none.
    """
    columns = {}
    for name, column in arrays.items():
        if not _COLUMN.fullmatch(name):
            raise StoreError(f"{name!r:.80} is not a name of a column")
        np.save(directory / f"{name}.npy", column, allow_pickle=False)
        columns[name] = _column_digest(column)
    document = {
        "format": FORMAT,
        "maker": maker,
        "digest": digest_of(arrays),
        "columns": columns,
        "about": dict(about),
    }
    (directory / MANIFEST).write_text(json.dumps(document, indent=1) + "\n", "utf-8")


def read(directory: Path, *, maker: str | None = None, check: bool = True, mapped: bool = True) -> Held:
    """The set of a directory.

    Args:
        directory: of the set.
        maker: who must have made it; None = anybody.
        check: whether contents are held against their digests; else only that the columns are there.
        mapped: whether pages are shared with other processes; else they are this process's own.

    Raises:
        StoreError: it is not complete and right.
    """
    document = _manifest(directory)
    if maker is not None and document["maker"] != maker:
        raise StoreError(f"{directory} was made by another version or build of the simulation")
    arrays: dict[str, Array] = {}
    for name, digest in document["columns"].items():
        arrays[name] = _column(directory, name, mapped=mapped)
        if check and _column_digest(arrays[name]) != digest:
            raise StoreError(
                f"{directory}/{name}.npy is damaged: its contents are not those that were written"
            )
    size = sum(column.nbytes for column in arrays.values())
    return Held(directory, arrays, document["digest"], size, document["about"])


def _column(directory: Path, name: str, *, mapped: bool) -> Array:
    path = directory / f"{name}.npy"
    try:
        # an empty column cannot be mapped
        mode: Literal["r"] | None = "r" if mapped and path.stat().st_size > EMPTY_BYTES else None
        column: Array = np.load(path, mmap_mode=mode, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise StoreError(f"{path} is damaged or cut off") from error
    return column


def _manifest(directory: Path) -> dict[str, Any]:
    path = directory / MANIFEST
    try:
        data = path.read_bytes()[: MAX_MANIFEST_BYTES + 1]
        document = json.loads(data)
        good = (
            len(data) <= MAX_MANIFEST_BYTES
            and document["format"] == FORMAT
            and isinstance(document["maker"], str)
            and isinstance(document["digest"], str)
            and isinstance(document["about"], dict)
            and 0 < len(document["columns"]) <= MAX_COLUMNS
            and all(
                _COLUMN.fullmatch(name) and isinstance(digest, str)
                for name, digest in document["columns"].items()
            )
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise StoreError(f"{path} is not the manifest of a set that was written to its end") from error
    if not good:
        raise StoreError(f"{path} is not a manifest that this version wrote")
    assert isinstance(document, dict)
    return document


def _size_of(directory: Path) -> int:
    total = 0
    for path in directory.glob("*.npy"):
        with contextlib.suppress(OSError):
            total += path.stat().st_size
    return total


def _age_s(path: Path) -> float:
    with contextlib.suppress(OSError):
        return time.time() - path.stat().st_mtime
    return 0.0
