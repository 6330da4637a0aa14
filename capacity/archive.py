"""The archive: Parquet files by day and site, as `day=2026-11-23/site=T2_LV_Example/FIRST-LAST.parquet`.

DuckDB, Spark, Dask and pyarrow read such a folder as one table. A file is complete and on the disk under its name, or
there is none of that name.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import date
from hashlib import blake2b
from pathlib import Path

import pyarrow as pa
from pyarrow import dataset, parquet

from capacity.errors import UnavailableError
from capacity.fleet.received_profile import ReceivedProfile

_MOMENT = pa.timestamp("us", tz="UTC")
SCHEMA = pa.schema(
    [
        pa.field("sequence", pa.int64(), nullable=False),
        pa.field("id", pa.string(), nullable=False),
        pa.field("node_id", pa.string(), nullable=False),
        pa.field("created_at", _MOMENT, nullable=False),
        pa.field("received_at", _MOMENT, nullable=False),
        pa.field("seen_at", _MOMENT, nullable=False),
        pa.field("submitter", pa.string(), nullable=False),
        pa.field("digest", pa.string(), nullable=False),
        pa.field("document", pa.string(), nullable=False),  # JSON, as it was received
    ]
)
"""Columns of a file; `day` and `site` are in its path. Times are UTC, `digest` is BLAKE2b-128 of the document."""

PARTITIONS = dataset.partitioning(
    pa.schema([pa.field("day", pa.date32()), pa.field("site", pa.string())]), flavor="hive"
)
_UNFINISHED = ".unfinished"
_ROW_GROUP = 500  # rows that are read together to find one of them
_BLOCK_BYTES = 1 << 20


class ArchiveError(UnavailableError):
    """The archive's folder or a file in it cannot be used; the text says which and what to do."""


def path_of(day: date, site: str, first: int, last: int) -> str:
    """Path of a file within the archive, from the sequences of its first and last profile."""
    return f"day={day.isoformat()}/site={site}/{first:012d}-{last:012d}.parquet"


def write(folder: Path, path: str, rows: Sequence[ReceivedProfile]) -> str:
    """Write a file, wait until it is on the disk, and read it back.

    Returns:
        Digest of the file, BLAKE2b-128.

    Raises:
        ArchiveError: it cannot be written, or does not hold what was written.
    """
    target = folder / path
    unfinished = target.with_name(target.name + _UNFINISHED)
    columns = [
        [row.document.decode() if name == "document" else getattr(row, name) for row in rows]
        for name in SCHEMA.names
    ]
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with unfinished.open("wb") as file:
            parquet.write_table(
                pa.table(columns, schema=SCHEMA),
                file,
                compression="zstd",
                row_group_size=_ROW_GROUP,
                use_dictionary=["node_id", "submitter"],
            )
            file.flush()
            os.fsync(file.fileno())
        _compare(unfinished, rows)
        digest = digest_of(unfinished)
        unfinished.replace(target)
        for directory in (target.parent, target.parent.parent, folder):
            _sync(directory)
    except OSError as error:
        with suppress(OSError):
            unfinished.unlink()
        raise ArchiveError(
            f"{target}: {error.strerror or error}: nothing was taken out of the database; make room or name another folder"
        ) from error
    return digest


def _compare(path: Path, rows: Sequence[ReceivedProfile]) -> None:
    found = list(read(path))
    if found != list(rows):
        raise ArchiveError(
            f"{path}: does not hold what was written: the disk may be damaged; nothing was deleted"
        )


def read(path: Path) -> Iterator[ReceivedProfile]:
    """All lines of a file, a row group at a time.

    Raises:
        ArchiveError: there is no such file, or it is not one of the archive.
    """
    yield from _lines(path, None)


def find(path: Path, profile_id: str) -> bytes | None:
    """The document of one profile in a file.

    Raises:
        ArchiveError: there is no such file, or it is not one of the archive.
    """
    return next((line.document for line in _lines(path, profile_id)), None)


def _lines(path: Path, profile_id: str | None) -> Iterator[ReceivedProfile]:
    try:
        with parquet.ParquetFile(path) as file:
            for group in range(file.num_row_groups):
                if profile_id is not None:
                    ids = file.read_row_group(group, columns=["id"]).column("id").to_pylist()
                    if profile_id not in ids:
                        continue
                for line in file.read_row_group(group, columns=SCHEMA.names).to_pylist():
                    if profile_id is None or line["id"] == profile_id:
                        yield ReceivedProfile(**{**line, "document": line["document"].encode()})
    except (OSError, pa.ArrowException) as error:
        text = " ".join(str(error).split())[:200]
        raise ArchiveError(
            f"{path}: cannot be read as a file of the archive ({text}): restore it from a backup"
        ) from error


def digest_of(path: Path) -> str:
    """BLAKE2b-128 of a file.

    Raises:
        ArchiveError: it cannot be read.
    """
    whole = blake2b(digest_size=16)
    try:
        with path.open("rb") as file:
            while block := file.read(_BLOCK_BYTES):
                whole.update(block)
    except OSError as error:
        raise ArchiveError(f"{path}: {error.strerror}: restore it from a backup") from error
    return whole.hexdigest()


def files(folder: Path) -> Iterator[str]:
    """Paths within the archive of all its files."""
    for path in sorted(folder.glob("day=*/site=*/*.parquet")):
        yield path.relative_to(folder).as_posix()


def unfinished(folder: Path) -> Iterator[Path]:
    """What a crash left of files that were being written."""
    yield from sorted(folder.glob(f"day=*/site=*/*{_UNFINISHED}"))


def _sync(directory: Path) -> None:
    """Have the name of a file in it on the disk too."""
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
