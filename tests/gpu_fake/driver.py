"""Make the fake libcuda.so.1 (cuda.cpp), which runs clue's entries on the CPU."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent
PAYLOADS = HERE.parents[1] / "payloads"
LIBRARY = "libcuda.so.1"


def native_driver(directory: Path) -> Path:
    """The directory with the fake, compiled for this machine."""
    compiler = shutil.which("c++") or shutil.which("g++")
    if compiler is None:
        pytest.skip("no C++ compiler for the fake CUDA driver: install g++")
    options = ["-std=c++17", "-shared", "-fPIC", "-O1", "-ffp-contract=off", "-Wall", "-Wextra", "-Wno-psabi", "-Werror",
               f"-Wl,-soname,{LIBRARY}", f"-I{PAYLOADS}", f"-I{PAYLOADS / 'include'}"]  # fmt: skip
    sources = [HERE / "cuda.cpp", PAYLOADS / "backends" / "device" / "fibers.cpp"]
    subprocess.run([compiler, *options, "-o", directory / LIBRARY, *sources], check=True, timeout=300)
    return directory
