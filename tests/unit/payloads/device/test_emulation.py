"""The emulated device finds what kernels do wrong: else its silence about ours would mean nothing."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

REPOSITORY = Path(__file__).parents[4]
PAYLOADS = REPOSITORY / "payloads"


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    compiler = shutil.which("c++") or shutil.which("g++")
    if compiler is None:
        pytest.skip("no C++ compiler for the misbehaving kernels: install g++")
    program = tmp_path_factory.mktemp("misbehaving") / "misbehaving"
    device = PAYLOADS / "backends" / "device"
    sources = [REPOSITORY / "tests/gpu_fake/misbehaving.cpp", device / "emulated.cpp", device / "fibers.cpp"]
    subprocess.run(
        [
            compiler,
            "-std=c++17",
            "-O1",
            f"-I{PAYLOADS}",
            f"-I{PAYLOADS / 'include'}",
            "-o",
            program,
            *sources,
        ],
        check=True,
        timeout=120,
    )
    done = subprocess.run([program], capture_output=True, text=True, timeout=60, check=True)
    return dict(line.split(": ", 1) for line in done.stdout.splitlines())


def test_a_barrier_that_not_all_threads_reach(said: dict[str, str]) -> None:
    assert (
        said["half waits"] == "half_waits: 32 threads of block 0 wait at a barrier that 32 will never reach"
    )
    assert said["ends early"] == "ends_early: 63 threads of block 0 wait at a barrier that 1 will never reach"


@pytest.mark.parametrize("where", ["writes beside", "writes before"])
def test_writing_beside_an_array(said: dict[str, str], where: str) -> None:
    assert said[where] == "emulated device: something has written beside an array"


def test_a_launch_that_no_device_takes(said: dict[str, str]) -> None:
    assert (
        said["too many threads"] == "emulated device cannot launch well_behaved in 1 blocks of 2048 threads"
    )


def test_an_entry_that_leans_on_the_order_of_threads(said: dict[str, str]) -> None:
    assert said["leans on order"] == "other results in another order"


def test_shared_memory_and_barriers_work_in_every_order(said: dict[str, str]) -> None:
    assert said["well behaved"] == "nothing"
