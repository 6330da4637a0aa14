"""NVIDIA's run-time compiler: kernels to cubin or PTX, with no GPU, driver or toolkit on the machine.

The CUDA-12 line is used: it still serves P100 (sm_60) and V100 (sm_70), which CUDA 13 dropped.
"""

from __future__ import annotations

import importlib
from types import ModuleType

from payloads.backends.device_code import INCLUDE_DIRECTORIES, DeviceCode, DeviceCompilerError, source_of

# --fmad=false: no contraction, the same operations as on the CPU. Division and square root are IEEE by default.
OPTIONS = ("--std=c++17", "--fmad=false", "--device-as-default-execution-space")


def _nvrtc() -> ModuleType:
    try:
        return importlib.import_module(
            "cuda.bindings.nvrtc"
        )  # an extra, loaded only where device code is made
    except ImportError as error:
        raise DeviceCompilerError(
            f"NVRTC is not there ({error}): install cuda-bindings and nvidia-cuda-nvrtc-cu12"
        ) from error


def compile_kernel(kernel: str, architecture: str) -> DeviceCode:
    """Compile the device code of a kernel.

    Args:
        kernel: name of its folder.
        architecture: ``sm_70`` gives a cubin, ``compute_70`` PTX.

    Raises:
        DeviceCompilerError: NVRTC is absent or refuses the source.
    """
    nvrtc = _nvrtc()
    try:
        error, program = nvrtc.nvrtcCreateProgram(source_of(kernel), f"{kernel}.cu".encode(), 0, [], [])
    except RuntimeError as absent:
        raise DeviceCompilerError(
            f"NVRTC cannot be loaded ({' '.join(str(absent).split())}): install nvidia-cuda-nvrtc-cu12"
        ) from absent
    options = [f"--gpu-architecture={architecture}", *OPTIONS]
    options += [f"--include-path={folder}" for folder in INCLUDE_DIRECTORIES]
    (error,) = nvrtc.nvrtcCompileProgram(program, len(options), [option.encode() for option in options])
    _, length = nvrtc.nvrtcGetProgramLogSize(program)
    log = bytes(length)  # written in place
    nvrtc.nvrtcGetProgramLog(program, log)
    text = log.rstrip(b"\0 ").decode(errors="replace")
    try:
        if error != nvrtc.nvrtcResult.NVRTC_SUCCESS:
            raise DeviceCompilerError(f"NVRTC does not compile {kernel} for {architecture}: {text[:2000]}")
        return DeviceCode(kernel, architecture, _code(nvrtc, program, architecture), text)
    finally:
        nvrtc.nvrtcDestroyProgram(program)


def _code(nvrtc: ModuleType, program: object, architecture: str) -> bytes:
    if architecture.startswith("compute_"):
        _, length = nvrtc.nvrtcGetPTXSize(program)
        code = bytes(length)
        nvrtc.nvrtcGetPTX(program, code)
    else:
        _, length = nvrtc.nvrtcGetCUBINSize(program)
        code = bytes(length)
        nvrtc.nvrtcGetCUBIN(program, code)
    return code
