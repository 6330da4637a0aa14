"""payloads/check, compiled by any compiler for any architecture, run here or under QEMU's user emulation."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from tests.lab import LabUnavailableError, need_commands, skip_or_fail

REPOSITORY = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
# Kernel, its section, pile-up: small, since an emulated processor is some 20 times slower.
RUNS = (
    ("pixeltrack", "pixel", 30.0),
    ("clue", "hgcal", 20.0),
    ("hgcalml", "tracksters", 5.0),
    ("mkfit", "tracker", 20.0),
    ("vertexing", "tracks", 35.0),
    ("pflow", "calorimeters", 20.0),
    ("pflow", "singles", 0.0),
    ("eseeding", "electron", 20.0),
    ("catracks", "outertracker", 20.0),
)
SEED = 5
EVENTS = 2
COMPILE_TIMEOUT_S = 900.0
RUN_TIMEOUT_S = 600.0


@dataclass(frozen=True)
class Build:
    """How the program is made: compiler, flags, lanes of the wide variant, and what emulates the processor."""

    name: str
    compiler: str
    flags: str
    lanes: int
    emulator: tuple[str, ...] = ()


@dataclass(frozen=True)
class CheckProgram:
    """A compiled payloads/check."""

    build: Build
    executable: Path

    def run(
        self,
        kernel: str,
        section: str,
        pile_up: float,
        *,
        events: int = EVENTS,
        threads: int = 1,
        columns: Mapping[str, int] = MappingProxyType({}),
    ) -> subprocess.CompletedProcess[str]:
        """Digests of events and results, one a line; `columns` are filled with one value each before."""
        arguments: list[str | Path] = [kernel, section, str(pile_up), str(SEED), str(events), str(threads)]
        arguments += [f"{name}={value}" for name, value in columns.items()]
        return subprocess.run(
            [*self.build.emulator, self.executable, *arguments],
            capture_output=True,
            text=True,
            timeout=RUN_TIMEOUT_S,
            check=False,
            stdin=subprocess.DEVNULL,
        )


def compile_check(build: Build, folder: Path) -> CheckProgram:
    """Compile payloads/check into ``folder``.

    Raises:
        LabUnavailableError: a compiler or an emulator is not here.
        AssertionError: it does not compile.
    """
    need_commands(build.compiler, *build.emulator[:1])
    cmake = BIN / "cmake"
    if not cmake.exists():
        raise LabUnavailableError("CMake is not in this environment; run `make setup`")
    configure: list[str | Path] = [
        cmake, "-G", "Ninja", "-S", REPOSITORY / "payloads" / "check", "-B", folder,
        f"-DCMAKE_MAKE_PROGRAM={BIN / 'ninja'}", f"-DCMAKE_CXX_COMPILER={build.compiler}",
        f"-DCMAKE_CXX_FLAGS={build.flags}", f"-DSITECAP_LANES={build.lanes}",
    ]  # fmt: skip
    build_all: list[str | Path] = [cmake, "--build", folder, "--parallel", str(os.cpu_count() or 1)]
    for command in (configure, build_all):
        done = subprocess.run(command, capture_output=True, text=True, timeout=COMPILE_TIMEOUT_S, check=False)
        assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    return CheckProgram(build, folder / "check")


def compiled_check(build: Build, folder: Path) -> CheckProgram:
    """As ``compile_check``; skips the test, or fails it in CI, where a component is missing."""
    try:
        return compile_check(build, folder)
    except LabUnavailableError as reason:
        skip_or_fail(reason)
