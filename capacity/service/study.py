"""A study: every node or every archived profile under some calibration, as a Parquet file; nothing else is changed."""

from __future__ import annotations

import math
import os
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
from pyarrow import parquet

from capacity.errors import BadInputError
from capacity.hs06.calibration import Calibration
from capacity.hs06.estimate import Estimator
from capacity.service.reestimate import Piece, Reestimated, archive_pieces, fleet_pieces, reestimate
from capacity.store.database import Database

_REAL = pa.float64()
SCHEMA = pa.schema(
    [
        pa.field("site", pa.string(), nullable=False),
        pa.field("node_id", pa.string(), nullable=False),
        pa.field("profile_id", pa.string()),
        pa.field("seen_at", pa.timestamp("us", tz="UTC"), nullable=False),
        pa.field("catalogue_version", pa.string(), nullable=False),
        pa.field("calibration_version", pa.string()),
        pa.field("hs23_per_core", _REAL),
        pa.field("low", _REAL),
        pa.field("high", _REAL),
        pa.field("sigma", _REAL),
        pa.field("cores", _REAL),
        pa.field("hs23_scope", _REAL),
        pa.field("method", pa.string()),
        pa.field("provisional", pa.bool_()),
        pa.field("calibrated", pa.bool_()),
        pa.field("reason", pa.string()),
    ]
)
"""Columns as in `Reestimated`."""
_ROWS = 5000


class Studied(NamedTuple):
    """What was written.

    Attributes:
        file: its path.
        rows: nodes or profiles.
        without_figure: of them, those that have a reason instead.
        mean_hs23_per_core: geometric mean; None = no row has a figure.
    """

    file: str
    rows: int
    without_figure: int
    mean_hs23_per_core: float | None

    def sentence(self, version: str) -> str:
        """For a screen."""
        mean = (
            ""
            if self.mean_hs23_per_core is None
            else f", {self.mean_hs23_per_core:.2f} HS23 per core in the mean"
        )
        return f"{self.file}: {self.rows} rows under {version}{mean}; {self.without_figure} without a figure"


def write(
    database: Database, calibration: Calibration, file: Path, archive: Path | None, scheduler: str | None
) -> Studied:
    """Estimates and writes.

    Args:
        database: whose nodes are estimated, if no archive is given.
        calibration: to estimate with.
        file: to write; it appears when it is complete.
        archive: folder of an archive, all profiles of which are estimated instead.
        scheduler: see `reestimate`.

    Raises:
        BadInputError: the file cannot be written, there is no archive, or Dask is not installed.
        UnavailableError: the database, the scheduler or a file of the archive cannot be used.
    """
    pieces: list[Piece] = [*(archive_pieces(archive) if archive else fleet_pieces(database))]
    rows = reestimate(pieces, Estimator.shipped(calibration), scheduler)
    try:
        handle, name = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
        try:
            with (
                os.fdopen(handle, "wb") as sink,
                parquet.ParquetWriter(sink, SCHEMA, compression="zstd") as writer,
            ):
                told = _write(writer, rows, file)
            Path(name).chmod(0o644)
            Path(name).replace(file)
        except BaseException:
            with suppress(OSError):
                Path(name).unlink()
            raise
    except OSError as error:
        raise BadInputError(f"{file}: {error.strerror or error}: name a file that may be written") from error
    return told


def _write(writer: parquet.ParquetWriter, rows: Iterable[Reestimated], file: Path) -> Studied:
    count = without = 0
    log_sum = 0.0
    page: list[Reestimated] = []
    for row in rows:
        count += 1
        if row.hs23_per_core is None:
            without += 1
        else:
            log_sum += math.log(row.hs23_per_core)
        page.append(row)
        if len(page) == _ROWS:
            _flush(writer, page)
            page = []
    _flush(writer, page)
    figures = count - without
    return Studied(str(file), count, without, math.exp(log_sum / figures) if figures else None)


def _flush(writer: parquet.ParquetWriter, page: list[Reestimated]) -> None:
    if page:
        writer.write_table(pa.Table.from_pylist([row._asdict() for row in page], schema=SCHEMA))
