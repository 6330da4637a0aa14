"""promtool, the checker of Prometheus itself, of Debian's package: one program, unpacked and not installed."""

from __future__ import annotations

import platform
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from tests.lab import LabUnavailableError, skip_or_fail
from tests.lab.cache import artefact
from tests.lab.foreign import AMD64, ARM64, PPC64EL, Apt, run_or_unavailable

# Raise when make() below leaves something else.
RECIPE = "1"


class Promtool:
    """The program.

    Args:
        path: of it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def complaints(self, metrics: str) -> str:
        """What `promtool check metrics` says of a page; empty = it is well-formed and follows the conventions."""
        done = subprocess.run(
            [self._path, "check", "metrics"], input=metrics, capture_output=True, text=True, timeout=60
        )
        said = f"{done.stdout}{done.stderr}".strip()
        return said if done.returncode == 0 else f"exit {done.returncode}: {said}"


def find() -> Promtool:
    """The installed one, else the one of Debian's package, kept in the cache.

    Raises:
        LabUnavailableError: there is no apt here, no mirror answers, or there is no such package.
    """
    installed = shutil.which("promtool")
    if installed is not None:
        return Promtool(Path(installed))
    machine = platform.machine()
    architecture = next((one for one in (AMD64, ARM64, PPC64EL) if one.machine == machine), None)
    if architecture is None:
        raise LabUnavailableError(f"no Debian package of promtool is known for {machine}")

    def make(path: Path) -> None:
        with tempfile.TemporaryDirectory(dir=path.parent) as private:
            (deb,) = Apt(architecture, Path(private) / "apt").download(["prometheus"])
            tree = Path(private) / "tree"
            run_or_unavailable(["dpkg-deb", "-x", str(deb), str(tree)], "unpacking promtool failed")
            shutil.copy2(tree / "usr/bin/promtool", path)

    return Promtool(artefact(f"promtool-{architecture.debian}", RECIPE, make))


@pytest.fixture(scope="session")
def promtool() -> Promtool:
    """The checker of Prometheus' text format and conventions."""
    try:
        return find()
    except LabUnavailableError as reason:
        skip_or_fail(reason)
