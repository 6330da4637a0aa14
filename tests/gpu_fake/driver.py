"""Make the fake libcuda.so.1 (cuda.cpp) and libamdhip64.so.6 (hip.cpp), which run clue's entries on the CPU."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent
PAYLOADS = HERE.parents[1] / "payloads"


def native_driver(directory: Path) -> Path:
    """The directory with the fake of CUDA's driver, compiled for this machine."""
    return _compiled(directory, "cuda.cpp", "libcuda.so.1")


def native_rocm(directory: Path) -> Path:
    """The directory with the fake of ROCm's run-time library."""
    return _compiled(directory, "hip.cpp", "libamdhip64.so.6")


def _compiled(directory: Path, source: str, library: str) -> Path:
    compiler = shutil.which("c++") or shutil.which("g++")
    if compiler is None:
        pytest.skip("no C++ compiler for the fake drivers: install g++")
    options = ["-std=c++17", "-shared", "-fPIC", "-O1", "-ffp-contract=off", "-Wall", "-Wextra", "-Wno-psabi", "-Werror",
               f"-Wl,-soname,{library}", f"-I{PAYLOADS}", f"-I{PAYLOADS / 'include'}"]  # fmt: skip
    sources = [HERE / source, PAYLOADS / "backends" / "device" / "fibers.cpp"]
    subprocess.run([compiler, *options, "-o", directory / library, *sources], check=True, timeout=300)
    return directory
