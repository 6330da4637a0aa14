"""Where `agent bench` keeps its events, down to a container in which nothing can be written."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from pathlib import Path

import pytest

from agent import bench


def test_no_directory_for_temporary_files_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setattr(tempfile, "_candidate_tempdir_list", lambda: ["/nowhere"])
    monkeypatch.setattr(bench, "MEMORY_DISK", Path("/nowhere"))

    with ExitStack() as stack:
        assert len(bench._places(None, {"TMPDIR": "/nowhere", "HOME": "/nowhere"}, stack)) == 1


def test_a_spare_place_goes_with_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "MEMORY_DISK", Path("/nowhere"))

    with ExitStack() as stack:
        first, spare = bench._places(Path("/wanted"), {"TMPDIR": str(tmp_path)}, stack)
        assert first == Path("/wanted")
        assert spare.parent == tmp_path
    assert not list(tmp_path.iterdir())
