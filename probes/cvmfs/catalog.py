"""A catalog of a repository: an SQLite file from the network, read as hostile input.

It is opened from memory, never from disk. What is asked are plain tables only: a view, virtual table or generated column
could run what a stranger wrote. Whatever is in it, SQLite stops after a number of steps.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from probes.cvmfs.faults import FaultError
from probes.cvmfs.hashes import DIGEST_BYTES, ContentHash

if TYPE_CHECKING:
    from sqlite3 import Connection

HEADER = b"SQLite format 3\0"
COLUMNS = {
    "catalog": ("md5path_1", "md5path_2", "hash", "size", "flags", "symlink"),
    "nested_catalogs": ("path", "sha1"),
    "chunks": ("md5path_1", "md5path_2", "offset", "size", "hash"),
}
"""What is read of schema 2.5 (CVMFS, cvmfs/catalog_sql.cc)."""

FLAG_DIRECTORY, FLAG_NESTED, FLAG_FILE, FLAG_LINK, FLAG_CHUNKED, FLAG_EXTERNAL = 1, 2, 4, 8, 64, 128
ALGORITHMS = {0: "sha1", 1: "rmd160", 2: "shake128"}
"""Bits 8 to 10 of the flags."""

MAX_VALUE_BYTES = 1_000_000
LIMIT_LENGTH = 0
"""SQLITE_LIMIT_LENGTH of <sqlite3.h>: the largest value."""

MAX_CHUNKS = 4096
STEPS_BETWEEN_LOOKS = 10_000
MAX_LOOKS = 2_000
"""Twenty million steps of SQLite's virtual machine, about two seconds; a look-up by primary key needs some fifty."""

_MAX_SIZE = 2**53


@dataclass(frozen=True)
class Entry:
    """A file, directory or link.

    Attributes:
        content: hash of its object, None where there is none (directory, link, chunked file).
        algorithm: of its objects.
        size_bytes: before compression.
        compressed: False if its objects are stored as they are.
        target: of a symbolic link.
    """

    flags: int
    size_bytes: int
    algorithm: str
    content: ContentHash | None
    compressed: bool
    target: str | None

    def has(self, flag: int) -> bool:
        """Whether a flag is set."""
        return bool(self.flags & flag)


@dataclass(frozen=True)
class Chunk:
    """A piece of a file; `size_bytes` before compression."""

    offset: int
    size_bytes: int
    content: ContentHash


@contextlib.contextmanager
def opened(content: bytes, name: str) -> Iterator[Catalog]:
    """The catalog in these bytes, for the length of the block.

    Raises:
        FaultError: bad-catalog, also for what SQLite finds inside the block; no-sqlite, Python was built without it.
    """
    # Imported here: a small Python may come without it, and all but the catalogs can be checked then.
    try:
        import sqlite3  # noqa: PLC0415
    except ImportError as error:
        raise FaultError(
            "no-sqlite",
            f"this Python cannot read catalogs, it has no SQLite ({error}): install its sqlite3 module",
        ) from error
    if not content.startswith(HEADER):
        raise FaultError("bad-catalog", f"{name} is not an SQLite file")
    connection = sqlite3.connect(":memory:", isolation_level=None)
    try:
        catalog = Catalog(connection, content, name)
        yield catalog
    except (sqlite3.Error, sqlite3.Warning, OverflowError, MemoryError, ValueError) as error:
        # SQLite quotes the schema in its messages, so they may hold anything; as bytes even what is no text.
        busy = "interrupted" in str(error)
        what = "it keeps SQLite busy without end" if busy else ascii(str(error)[:160]).strip("'\"")
        raise FaultError("bad-catalog", f"{name} cannot be read: {what}") from error
    finally:
        connection.close()


class Catalog:
    """An open catalog; made by `opened`."""

    def __init__(self, connection: Connection, content: bytes, name: str) -> None:
        self._name = name
        self._connection = connection
        self._looks = 0
        connection.text_factory = bytes  # text that is not UTF-8 must not raise
        connection.setlimit(LIMIT_LENGTH, MAX_VALUE_BYTES)
        connection.set_progress_handler(self._look, STEPS_BETWEEN_LOOKS)
        connection.deserialize(content)
        for pragma in ("trusted_schema = OFF", "query_only = ON", "cell_size_check = ON", "mmap_size = 0"):
            connection.execute(f"PRAGMA {pragma}")
        for table, columns in COLUMNS.items():
            self._check_table(table, columns)

    def entry(self, path: str) -> Entry | None:
        """What is at an absolute path (the root is ""), None if there is nothing.

        Raises:
            FaultError: bad-catalog, values of the wrong type.
        """
        row = self._row(
            "SELECT hash, size, flags, symlink FROM main.catalog WHERE md5path_1 = ? AND md5path_2 = ? LIMIT 1",
            split_md5(path),
        )
        if row is None:
            return None
        digest, size, flags, symlink = row
        if not isinstance(flags, int) or not isinstance(size, int):
            raise self._wrong(path)
        if not isinstance(symlink, bytes | None) or not isinstance(digest, bytes | None):
            raise self._wrong(path)
        algorithm = ALGORITHMS.get(flags >> 8 & 7)
        if algorithm is None or not 0 <= size < _MAX_SIZE or not 0 <= flags < 2**31:
            raise self._wrong(path)
        content = self._hash(digest, algorithm, path) if digest else None
        target = symlink.decode("utf-8", "replace") if symlink and flags & FLAG_LINK else None
        return Entry(flags, size, algorithm, content, (flags >> 11 & 7) == 0, target)

    def nested(self, path: str) -> ContentHash:
        """The catalog that begins at a path.

        Raises:
            FaultError: bad-catalog, it has none although the entry says so.
        """
        row = self._row("SELECT sha1 FROM main.nested_catalogs WHERE path = ? LIMIT 1", (path,))
        text = row[0] if row else None
        try:
            return ContentHash.parse(text if isinstance(text, bytes) else b"")
        except ValueError as error:
            raise FaultError(
                "bad-catalog", f"{self._name} has no usable nested catalog at {path}: {error}"
            ) from error

    def chunks(self, path: str, algorithm: str) -> tuple[Chunk, ...]:
        """The pieces of a chunked file in their order, which follow each other without a gap.

        Raises:
            FaultError: bad-catalog.
        """
        rows = self._connection.execute(
            "SELECT offset, size, hash FROM main.chunks WHERE md5path_1 = ? AND md5path_2 = ? ORDER BY offset LIMIT ?",
            (*split_md5(path), MAX_CHUNKS + 1),
        ).fetchall()
        if len(rows) > MAX_CHUNKS:
            raise self._wrong(path)
        end, found = 0, []
        for offset, size, digest in rows:
            if offset != end or not isinstance(size, int) or not 0 < size < _MAX_SIZE:
                raise self._wrong(path)
            found.append(Chunk(offset, size, self._hash(digest, algorithm, path)))
            end += size
        return tuple(found)

    def revision(self) -> int | None:
        """The revision that the catalog says it belongs to, None if it does not say."""
        if not self._is_table("properties"):
            return None
        row = self._row("SELECT value FROM main.properties WHERE key = 'revision' LIMIT 1", ())
        value = row[0] if row else None
        text = value if isinstance(value, bytes) else str(value).encode()
        return int(text) if text.isdigit() and len(text) <= 15 else None

    def _look(self) -> int:
        self._looks += 1
        return int(self._looks > MAX_LOOKS)

    def _row(self, query: str, values: Sequence[int | str]) -> tuple[object, ...] | None:
        row: tuple[object, ...] | None = self._connection.execute(query, values).fetchone()
        return row

    def _is_table(self, table: str) -> bool:
        rows = self._connection.execute(
            "SELECT type, sql FROM main.sqlite_master WHERE lower(name) = ? LIMIT 2", (table,)
        ).fetchall()
        kinds = [(kind, sql) for kind, sql in rows if isinstance(sql, bytes)]
        return (
            len(kinds) == 1
            and kinds[0][0] == b"table"
            and not kinds[0][1].lstrip().upper().startswith(b"CREATE VIRTUAL")
        )

    def _check_table(self, table: str, columns: Sequence[str]) -> None:
        if not self._is_table(table):
            raise FaultError(
                "bad-catalog", f"{self._name} has no plain table {table!r}: its schema is not a catalog's"
            )
        # The last field says whether a column is hidden or generated.
        rows = self._connection.execute(f"PRAGMA main.table_xinfo({table})").fetchall()
        plain = {row[1].decode("ascii", "replace").lower() for row in rows if row[6] == 0}
        missing = [column for column in columns if column not in plain]
        if missing:
            raise FaultError(
                "bad-catalog", f"{self._name}: table {table!r} has no column {', '.join(missing)}"
            )

    def _hash(self, digest: object, algorithm: str, path: str) -> ContentHash:
        if not isinstance(digest, bytes) or len(digest) != DIGEST_BYTES:
            raise self._wrong(path)
        return ContentHash(digest.hex(), algorithm)

    def _wrong(self, path: str) -> FaultError:
        return FaultError("bad-catalog", f"{self._name} has values of the wrong kind for {path or '/'}")


def split_md5(path: str) -> tuple[int, int]:
    """Key of a path: its MD5 as two signed little-endian integers of 64 bits."""
    digest = hashlib.md5(path.encode("utf-8", "surrogateescape"), usedforsecurity=False).digest()
    return int.from_bytes(digest[:8], "little", signed=True), int.from_bytes(
        digest[8:], "little", signed=True
    )
