"""Make the fake libcuda.so.1 (cuda.cpp) and libamdhip64.so.6 (hip.cpp), which run the entries of all kernels on the CPU.

So they do with the entries of the twins of `benchmarks/native_cuda`.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent
REPOSITORY = HERE.parents[1]
PAYLOADS = REPOSITORY / "payloads"
TWINS = Path("benchmarks") / "native_cuda"
OPTIONS = ["-std=c++17", "-shared", "-fPIC", "-O1", "-ffp-contract=off", "-Wall", "-Wextra", "-Wno-psabi", "-Wno-unknown-pragmas", "-Werror",
           f"-I{REPOSITORY}", f"-I{PAYLOADS}", f"-I{PAYLOADS / 'include'}"]  # fmt: skip
ENTRY = re.compile(r"^__global__ void (?:__launch_bounds__\([\w:]+\)\s+)?(\w+)\(", re.MULTILINE)


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
    """Sources with the entries of each kernel that has launches and of each twin, and with the table of all."""
    primitives = Path("payloads") / "include" / "sitecap" / "primitives.h"
    kernels = sorted(path.parent.name for path in PAYLOADS.glob("kernels/*/device.cpp"))
    texts = {kernel: [Path("payloads") / "kernels" / kernel / "gpu.cu", primitives] for kernel in kernels}
    texts |= {f"native_{path.stem}": [TWINS / path.name] for path in (REPOSITORY / TWINS).glob("*.cu")}
    made = [_source(directory / f"{name}.cpp", name, sources) for name, sources in texts.items()]
    entries = "std::map<std::string, sitecap::Entry>"
    declared = "\n".join(f"void add_{name}({entries}& all);" for name in texts)
    added = "\n".join(f"    add_{name}(made);" for name in texts)
    table = directory / "entries.cpp"
    table.write_text(
        f'#include <map>\n#include "host/device.h"\n{declared}\nconst {entries}& fake_entries() {{\n'
        f"  static const {entries} all = [] {{\n    {entries} made;\n{added}\n    return made;\n  }}();\n  return all;\n}}\n"
    )
    return [*made, table]


def _source(path: Path, name: str, texts: list[Path]) -> Path:
    """Adds the entries of the first text, which includes the others."""
    names = [name for text in texts for name in ENTRY.findall((REPOSITORY / text).read_text())]
    rows = "\n".join(
        f'  all.emplace("{name}", sitecap::detail::entry_of<&{name}>("{name}"));' for name in names
    )
    path.write_text(
        f'#include <map>\n#include "host/device.h"\n#include "{texts[0]}"\n'
        f"void add_{name}(std::map<std::string, sitecap::Entry>& all) {{\n{rows}\n}}\n"
    )
    return path
