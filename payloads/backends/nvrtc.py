"""NVIDIA's run-time compiler: kernels to cubin or PTX, with no GPU, driver or toolkit on the machine.

The CUDA-12 line is used: it still serves P100 (sm_60) and V100 (sm_70), which CUDA 13 dropped.
"""

from __future__ import annotations

import ctypes
import importlib.util
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

from payloads.backends.device_code import DeviceCode, DeviceCompilerError, source_of
from payloads.backends.runtime_compiler import RuntimeCompiler

# --fmad=false: no contraction, the same operations as on the CPU. Division and square root are IEEE by default.
OPTIONS = ("--std=c++17", "--fmad=false", "--device-as-default-execution-space")
LIBRARY = "libnvrtc.so.12"


def _places() -> Iterator[str]:
    """Of the distribution nvidia-cuda-nvrtc-cu12, then of a toolkit that the loader knows."""
    found = importlib.util.find_spec("nvidia")
    for folder in (found.submodule_search_locations or ()) if found else ():
        path = Path(folder) / "cuda_nvrtc" / "lib" / LIBRARY
        if path.exists():
            yield str(path)
    yield LIBRARY


@cache
def _nvrtc() -> RuntimeCompiler:
    reason = ""
    for place in _places():
        try:
            return RuntimeCompiler(ctypes.CDLL(place), "nvrtc", "NVRTC")
        except OSError as error:
            reason = str(error)
    raise DeviceCompilerError(
        f"NVRTC is not there ({reason}): install nvidia-cuda-nvrtc-cu12 (extra bench-nvidia)"
    )


def version() -> str:
    """``NVRTC 12.9``.

    Raises:
        DeviceCompilerError: NVRTC is absent.
    """
    return _nvrtc().version


def compile_kernel(kernel: str, architecture: str) -> DeviceCode:
    """Compile the device code of a kernel.

    Args:
        kernel: name of its folder.
        architecture: ``sm_70`` gives a cubin, ``compute_70`` PTX.

    Raises:
        DeviceCompilerError: NVRTC is absent or refuses the source.
    """
    return compile_source(kernel, source_of(kernel), architecture)


def compile_source(
    name: str, source: bytes, architecture: str, options: Sequence[str] = OPTIONS
) -> DeviceCode:
    """Compile a text of one's own; what it includes is looked for as for kernels.

    Args:
        name: for sentences.
        source: the text.
        architecture: as of `compile_kernel`.
        options: others than those of kernels.

    Raises:
        DeviceCompilerError: NVRTC is absent or refuses the source.
    """
    product = "PTX" if architecture.startswith("compute_") else "CUBIN"
    whole = (f"--gpu-architecture={architecture}", *options)
    return _nvrtc().compile(name, source, architecture, whole, product)
