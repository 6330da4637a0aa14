"""The same bits from every compiler, architecture and lane width, events and results alike."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab import LabUnavailableError
from tests.lab.check_program import Build, CheckProgram, compile_check

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("check-programs")]

REFERENCE = Build("g++ scalar", "g++", "-O2 -march=x86-64", 1)
BUILDS = (
    Build("g++ v2, 4 lanes", "g++", "-O3 -march=x86-64-v2", 4),
    Build("g++ v3, 8 lanes", "g++", "-O3 -march=x86-64-v3", 8),
    Build("g++ v3, 16 lanes", "g++", "-O3 -march=x86-64-v3", 16),
    Build("clang++ v3, 8 lanes", "clang++", "-O2 -march=x86-64-v3", 8),
    Build("aarch64, 4 lanes", "aarch64-linux-gnu-g++", "-O2 -static", 4, ("qemu-aarch64-static",)),
    Build("power8, 4 lanes", "powerpc64le-linux-gnu-g++", "-O2 -static -mcpu=power8", 4,
          ("qemu-ppc64le-static", "-cpu", "power8")),
    Build("power9, 8 lanes", "powerpc64le-linux-gnu-g++", "-O2 -static -mcpu=power9", 8,
          ("qemu-ppc64le-static", "-cpu", "power9")),
)  # fmt: skip
# kernel, its section, pile-up: small, since an emulated processor is some 20 times slower
RUNS = (("pixeltrack", "pixel", 20), ("clue", "hgcal", 10), ("mkfit", "tracker", 10), ("vertexing", "tracks", 35))


def made(build: Build, folder: Path) -> CheckProgram:
    try:
        return compile_check(build, folder)
    except LabUnavailableError as error:
        pytest.skip(str(error))


def digests(done: subprocess.CompletedProcess[str]) -> set[str]:
    """The lines without the number of lanes: widths must agree, too."""
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines
    return {" ".join(word for word in line.split(" lanes ")[0].split()) + " " + line.split()[-1] for line in lines}


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, set[str]]]:
    program = made(REFERENCE, tmp_path_factory.mktemp("reference"))
    yield {kernel: digests(program.run(kernel, section, pile_up, 5, 2)) for kernel, section, pile_up in RUNS}


@pytest.mark.parametrize("build", BUILDS, ids=lambda build: build.name)
def test_every_kernel_gives_the_same_bits(
    build: Build, expected: dict[str, set[str]], tmp_path: Path
) -> None:
    program = made(build, tmp_path / "check")
    for kernel, section, pile_up in RUNS:
        assert digests(program.run(kernel, section, pile_up, 5, 2)) == expected[kernel], kernel
