"""The same bits from every compiler, architecture and lane width, events and results alike."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.lab.check_program import RUNS, Build, compiled

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


def digests(done: subprocess.CompletedProcess[str]) -> set[str]:
    """The lines without the number of lanes: widths must agree, too."""
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines
    return {re.sub(r" lanes \d+", "", line) for line in lines}


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    program = compiled(REFERENCE, tmp_path_factory.mktemp("reference"))
    return {kernel: digests(program.run(kernel, section, pile_up)) for kernel, section, pile_up in RUNS}


@pytest.mark.parametrize("build", BUILDS, ids=lambda build: build.name)
def test_every_kernel_gives_the_same_bits(
    build: Build, expected: dict[str, set[str]], tmp_path: Path
) -> None:
    program = compiled(build, tmp_path / "check")
    for kernel, section, pile_up in RUNS:
        assert digests(program.run(kernel, section, pile_up)) == expected[kernel], kernel
