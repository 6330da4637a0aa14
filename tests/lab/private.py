"""Directories of labs that leave nothing behind: removed with their context, or by the next lab where a run was killed."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def private_directory(kind: str) -> Iterator[Path]:
    """A directory for one lab, of which the name tells the process that made it.

    Those of the same kind whose process is gone are removed first: nobody else will.
    """
    prefix = f"sitecap-{kind}-"
    _sweep(Path(tempfile.gettempdir()), prefix)
    directory = Path(tempfile.mkdtemp(prefix=f"{prefix}{os.getpid()}-"))
    try:
        yield directory
    finally:
        # What a daemon in it may have removed meanwhile is no error.
        shutil.rmtree(directory, ignore_errors=True)


def _sweep(where: Path, prefix: str) -> None:
    for path in where.glob(f"{prefix}*-*"):
        number = path.name.removeprefix(prefix).partition("-")[0]
        if number.isdigit() and not Path(f"/proc/{number}").exists():
            shutil.rmtree(path, ignore_errors=True)
