"""The directory of a lab goes with it; that of a killed run goes with the next."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.lab.private import private_directory


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_it_is_gone_with_its_context(place: Path) -> None:
    def fails() -> None:
        with private_directory("vm") as directory:
            (directory / "disk").write_text("x")
            raise KeyError

    with pytest.raises(KeyError):
        fails()
    assert list(place.iterdir()) == []


def test_what_a_killed_run_left_is_removed_and_nothing_else(place: Path) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    for name in (f"sitecap-vm-{ended.pid}-a", f"sitecap-vm-{os.getpid()}-b", f"sitecap-squid-{ended.pid}-c", "sitecap-vm-d-e"):  # fmt: skip
        (place / name).mkdir()
        (place / name / "file").touch()
    with private_directory("vm") as directory:
        left = {path.name for path in place.iterdir()} - {directory.name}
    assert left == {f"sitecap-vm-{os.getpid()}-b", f"sitecap-squid-{ended.pid}-c", "sitecap-vm-d-e"}
