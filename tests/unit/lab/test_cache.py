"""The labs' cache: made once whoever asks, never half, and from this machine's own mirror."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.lab import LabUnavailableError
from tests.lab.cache import artefact, cache_dir, debian_mirror

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(autouse=True)
def _own_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))


# A program, not multiprocessing, whose tracker of resources would stay until pytest ends.
ASK = """
import os, sys
from tests.lab.cache import artefact

def make(path):
    with open(sys.argv[1], "a") as file:
        file.write(f"{os.getpid()}\\n")
    path.write_text("content")

assert artefact("thing", "1", make).read_text() == "content"
"""


def test_of_several_workers_one_makes_it(tmp_path: Path) -> None:
    log = tmp_path / "log"
    workers = [subprocess.Popen([sys.executable, "-c", ASK, str(log)], cwd=ROOT) for _ in range(4)]
    assert [worker.wait(60) for worker in workers] == [0] * 4
    assert len(log.read_text().splitlines()) == 1


def test_a_new_version_is_made_anew(tmp_path: Path) -> None:
    first = artefact("thing", "1", lambda path: path.mkdir())
    second = artefact("thing", "2", lambda path: path.mkdir())
    assert first != second
    assert first.is_dir()
    assert second.is_dir()


def test_nothing_is_kept_of_a_failure() -> None:
    def fail(path: Path) -> None:
        path.mkdir()
        (path / "half").write_text("")
        raise LabUnavailableError("the mirror went away")

    with pytest.raises(LabUnavailableError):
        artefact("thing", "1", fail)
    assert [path for path in cache_dir().iterdir() if not path.name.endswith(".lock")] == []
    assert artefact("thing", "1", lambda path: path.mkdir()).is_dir()


ONE_LINE = "deb http://mirror.example/debian bookworm main\n"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("sources.list", f"# deb http://old.example/debian x main\n{ONE_LINE}"),
        ("sources.list", "deb [arch=amd64 signed-by=/k] http://mirror.example/debian/ bookworm main\n"),
        ("sources.list.d/a.list", f"deb https://packages.example/other stable main\n{ONE_LINE}"),
        ("sources.list.d/d.sources", "Types: deb\nURIs: http://mirror.example/debian\nSuites: bookworm\n"),
    ],
    ids=["comment", "options", "others first", "deb822"],
)
def test_the_mirror_is_the_one_that_apt_uses(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / "apt/sources.list.d").mkdir(parents=True)
    (tmp_path / "apt" / name).write_text(text)
    assert debian_mirror(tmp_path / "apt") == "http://mirror.example/debian"


def test_says_that_there_is_no_mirror(tmp_path: Path) -> None:
    with pytest.raises(LabUnavailableError, match="no Debian mirror in"):
        debian_mirror(tmp_path)
