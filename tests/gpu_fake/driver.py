"""Make the fake libcuda.so.1 (cuda.cpp) and libamdhip64.so.6 (hip.cpp), which run the entries of all kernels on the CPU."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent
PAYLOADS = HERE.parents[1] / "payloads"
OPTIONS = ["-std=c++17", "-shared", "-fPIC", "-O1", "-ffp-contract=off", "-Wall", "-Wextra", "-Wno-psabi", "-Werror",
           f"-I{PAYLOADS}", f"-I{PAYLOADS / 'include'}"]  # fmt: skip
ENTRY = re.compile(r"^__global__ void (\w+)\(", re.MULTILINE)


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
    sources = [HERE / source, PAYLOADS / "backends" / "device" / "fibers.cpp", *_entries(directory)]
    command = [compiler, *OPTIONS, f"-Wl,-soname,{library}", "-o", directory / library, *sources]
    subprocess.run(command, check=True, timeout=300)
    return directory


def _entries(directory: Path) -> list[Path]:
    """Sources with the entries of each kernel that has launches, and with the table of all."""
    kernels = sorted(path.parent.name for path in PAYLOADS.glob("kernels/*/device.cpp"))
    made = []
    for kernel in kernels:
        sources = (
            PAYLOADS / "kernels" / kernel / "gpu.cu",
            PAYLOADS / "include" / "sitecap" / "primitives.h",
        )
        names = [name for source in sources for name in ENTRY.findall(source.read_text())]
        rows = "\n".join(
            f'  all.emplace("{name}", sitecap::detail::entry_of<&{name}>("{name}"));' for name in names
        )
        path = directory / f"{kernel}.cpp"
        path.write_text(
            f'#include <map>\n#include "host/device.h"\n#include "kernels/{kernel}/gpu.cu"\n'
            f"void add_{kernel}(std::map<std::string, sitecap::Entry>& all) {{\n{rows}\n}}\n"
        )
        made.append(path)
    entries = "std::map<std::string, sitecap::Entry>"
    declared = "\n".join(f"void add_{kernel}({entries}& all);" for kernel in kernels)
    added = "\n".join(f"    add_{kernel}(made);" for kernel in kernels)
    table = directory / "entries.cpp"
    table.write_text(
        f'#include <map>\n#include "host/device.h"\n{declared}\nconst {entries}& fake_entries() {{\n'
        f"  static const {entries} all = [] {{\n    {entries} made;\n{added}\n    return made;\n  }}();\n  return all;\n}}\n"
    )
    return [*made, table]
