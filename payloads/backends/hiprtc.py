"""AMD's run-time compiler: kernels to code objects, with no GPU on the machine; needs ROCm's libamdhip64."""

from __future__ import annotations

import ctypes

from payloads.backends.device_code import INCLUDE_DIRECTORIES, DeviceCode, DeviceCompilerError, source_of

OPTIONS = ("-std=c++17", "-ffp-contract=off", "-O3")
# ROCm 5 keeps the compiler within the run-time library, later releases beside it.
_LIBRARIES = ("libhiprtc.so.7", "libhiprtc.so.6", "libhiprtc.so.5", "libamdhip64.so.7", "libamdhip64.so.6",
              "libamdhip64.so.5")  # fmt: skip


def _hiprtc() -> ctypes.CDLL:
    for name in _LIBRARIES:
        try:
            library = ctypes.CDLL(name)
        except OSError:
            continue
        if hasattr(library, "hiprtcCreateProgram"):
            return library
    raise DeviceCompilerError("HIPRTC is not there: install ROCm's run-time library (Debian: libamdhip64-5)")


def compile_kernel(kernel: str, architecture: str) -> DeviceCode:
    """Compile the device code of a kernel.

    Args:
        kernel: name of its folder.
        architecture: ``gfx90a``, ``gfx942`` …

    Raises:
        DeviceCompilerError: HIPRTC is absent or refuses the source.
    """
    hiprtc = _hiprtc()
    program = ctypes.c_void_p()
    hiprtc.hiprtcCreateProgram(
        ctypes.byref(program), source_of(kernel), f"{kernel}.hip".encode(), 0, None, None
    )
    options = [f"--offload-arch={architecture}", *OPTIONS, *(f"-I{folder}" for folder in INCLUDE_DIRECTORIES)]
    raw = (ctypes.c_char_p * len(options))(*(option.encode() for option in options))
    error = hiprtc.hiprtcCompileProgram(program, len(options), raw)
    log = _text(hiprtc, program)
    try:
        if error:
            raise DeviceCompilerError(f"HIPRTC does not compile {kernel} for {architecture}: {log[:2000]}")
        length = ctypes.c_size_t()
        hiprtc.hiprtcGetCodeSize(program, ctypes.byref(length))
        code = ctypes.create_string_buffer(length.value)
        hiprtc.hiprtcGetCode(program, code)
        return DeviceCode(kernel, architecture, code.raw, log)
    finally:
        hiprtc.hiprtcDestroyProgram(ctypes.byref(program))


def _text(hiprtc: ctypes.CDLL, program: ctypes.c_void_p) -> str:
    length = ctypes.c_size_t()
    hiprtc.hiprtcGetProgramLogSize(program, ctypes.byref(length))
    buffer = ctypes.create_string_buffer(length.value + 1)
    hiprtc.hiprtcGetProgramLog(program, buffer)
    return buffer.value.decode(errors="replace").strip()
