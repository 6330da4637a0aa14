"""The same bits from every compiler, architecture and lane width, events and results alike."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from payloads import compiled
from tests.lab.check_program import EVENTS, RUNS, SEED, Build, compiled_check

pytestmark = [pytest.mark.lab, pytest.mark.long, pytest.mark.xdist_group("check-programs")]

# What is compiled and run here, scalar to the widest, is compared by the kernels' own unit tests.
BUILDS = (
    Build("g++, 16 lanes on AVX2", "g++", "-O1 -march=x86-64-v3", 16),
    Build("clang++, 8 lanes", "clang++", "-O1 -march=x86-64-v3", 8),
    Build("aarch64, 4 lanes", "aarch64-linux-gnu-g++", "-O1 -static", 4, ("qemu-aarch64-static",)),
    Build("power8, 4 lanes", "powerpc64le-linux-gnu-g++", "-O0 -static -mcpu=power8", 4,
          ("qemu-ppc64le-static", "-cpu", "power8")),
    Build("power9, 8 lanes", "powerpc64le-linux-gnu-g++", "-O1 -static -mcpu=power9", 8,
          ("qemu-ppc64le-static", "-cpu", "power9")),
)  # fmt: skip


def digests(done: subprocess.CompletedProcess[str]) -> set[str]:
    """The lines without the number of lanes: widths must agree, too."""
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines
    return {re.sub(r" lanes \d+", "", line) for line in lines}


def here(kernel: str, section: str, pile_up: float) -> set[str]:
    """What the installed scalar module makes of the same events."""
    events = compiled.simulate(section, pile_up, SEED, 0, EVENTS)
    opened = compiled.open_kernel("scalar", kernel, events)
    lines = {f"events {compiled.simulation().digest(events):016x}"}
    for event in range(EVENTS):
        opened.process(event)
        lines.add(f"result {kernel} event {event} {opened.digest():016x}")
    return lines


@pytest.mark.parametrize("build", BUILDS, ids=lambda build: build.name)
def test_every_kernel_gives_the_same_bits(build: Build, tmp_path: Path) -> None:
    program = compiled_check(build, tmp_path / "check")
    for kernel, section, pile_up in RUNS:
        assert digests(program.run(kernel, section, pile_up)) == here(kernel, section, pile_up), kernel
