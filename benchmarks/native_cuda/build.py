"""The twins' launches as a Python module beside `payloads._device`, and device code of the twins and of our kernels."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sysconfig
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from importlib.machinery import ExtensionFileLoader, ModuleSpec
from pathlib import Path
from typing import cast

from payloads.backends import nvrtc
from payloads.backends.device_code import INCLUDE_DIRECTORIES, DeviceCode, source_of
from payloads.backends.device_module import DeviceModule

HERE = Path(__file__).parent
REPOSITORY = HERE.parents[1]
PAYLOADS = REPOSITORY / "payloads"
MODULE = "benchmarks.native_cuda._device"
FLAGS = ("-std=c++17", "-O2", "-fPIC", "-fvisibility=hidden", "-fno-gnu-unique", "-fno-strict-aliasing", "-ffp-contract=off",
         "-fno-math-errno", "-fno-trapping-math", "-w", "-DSITECAP_LANES_WIDE=1", "-DNB_DOMAIN=native_cuda")  # fmt: skip
CONTRACTED = ("--std=c++17", "--fmad=true", "--device-as-default-execution-space")
"""As nvcc compiles by default: a product and a sum become one operation with one rounding."""

NVCC = ("-std=c++17", "-O3", "-fmad=false", "-cubin")


class CannotBuildError(Exception):
    """A compiler is not here or refuses a source; the text is one sentence."""


def compile_twins(folder: Path, flags: Sequence[str] = ()) -> Path:
    """Compile the twins' launches with the drivers to a module of Python: half a minute of CPU time or more.

    Args:
        folder: for what is compiled.
        flags: of the compiler, after its own.

    Raises:
        CannotBuildError: there is no C++ compiler or no nanobind, or the compiler refuses.
    """
    compiler = shutil.which("c++") or shutil.which("g++")
    nanobind = importlib.util.find_spec("nanobind")
    if compiler is None or nanobind is None or nanobind.origin is None:
        raise CannotBuildError(
            "the twins' launches need a C++ compiler (Debian: g++) and nanobind: make setup brings both"
        )
    base = Path(nanobind.origin).parent
    sources = [
        *sorted((PAYLOADS / "backends" / "device").glob("*.cpp")),
        PAYLOADS / "kernels" / "clue" / "layout.cpp",
        *sorted(HERE.glob("*.cpp")),
        base / "src" / "nb_combined.cpp",
    ]
    folders = (REPOSITORY, *INCLUDE_DIRECTORIES, base / "include", base / "ext" / "robin_map" / "include",
               sysconfig.get_path("include"))  # fmt: skip
    options = (*FLAGS, *flags, *(f"-I{place}" for place in folders))
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        objects = list(pool.map(partial(_compiled, compiler, options, folder), sources))
    library = folder / "_device.so"
    _run((compiler, "-shared", "-o", str(library), *map(str, objects), "-ldl", "-pthread"))
    return library


def load_twins(library: Path) -> DeviceModule:
    """The module that `compile_twins` has made; its `kernels` are the twins."""
    loader = ExtensionFileLoader(MODULE, str(library))
    module = importlib.util.module_from_spec(ModuleSpec(MODULE, loader, origin=str(library)))
    loader.exec_module(module)
    return cast("DeviceModule", module)


def _compiled(compiler: str, options: Sequence[str], folder: Path, source: Path) -> Path:
    made = folder / f"{source.parent.name}-{source.stem}.o"
    _run((compiler, *options, "-c", str(source), "-o", str(made)))
    return made


def _run(command: Sequence[str]) -> None:
    done = subprocess.run(list(command), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        errors = [line for line in done.stderr.splitlines() if "error" in line] or done.stderr.splitlines()
        raise CannotBuildError(
            f"{Path(command[0]).name} ended with {done.returncode}: {' '.join(errors[:2])[:500]}"
        )


def twin_source(kernel: str) -> bytes:
    """What a compiler is given for a twin: mkfit's hits are placed by our own entry, so that both meet the same."""
    text = (HERE / f"{kernel}.cu").read_bytes()
    return source_of(kernel) + text if kernel == "mkfit" else text


def twin_code(kernel: str, architecture: str, *, contracted: bool = False) -> DeviceCode:
    """A twin by NVRTC, with the options of our kernels or as nvcc compiles by default.

    Raises:
        DeviceCompilerError: NVRTC is absent or refuses the source.
    """
    options = CONTRACTED if contracted else nvrtc.OPTIONS
    return nvrtc.compile_source(f"the twin of {kernel}", twin_source(kernel), architecture, options)


def nvcc_code(kernel: str, architecture: str, folder: Path) -> bytes:
    """Our kernel as a cubin by nvcc, with the options of NVRTC's.

    Raises:
        CannotBuildError: there is no nvcc on PATH, or it refuses.
    """
    compiler = shutil.which("nvcc")
    if compiler is None:
        raise CannotBuildError("there is no nvcc on PATH (it comes with NVIDIA's CUDA toolkit)")
    cubin = folder / f"{kernel}.{architecture}.cubin"
    includes = [f"-I{place}" for place in INCLUDE_DIRECTORIES]
    source = str(PAYLOADS / "kernels" / kernel / "gpu.cu")
    _run((compiler, *NVCC, f"-arch={architecture}", *includes, source, "-o", str(cubin)))
    return cubin.read_bytes()
