"""AMD's run-time compiler: kernels to code objects, with no GPU on the machine; needs ROCm's libamdhip64."""

from __future__ import annotations

import ctypes
from functools import cache

from payloads.backends.device_code import DeviceCode, DeviceCompilerError, source_of
from payloads.backends.runtime_compiler import RuntimeCompiler

OPTIONS = ("-std=c++17", "-ffp-contract=off", "-O3")
# ROCm 5 keeps the compiler within the run-time library, later releases beside it.
_LIBRARIES = ("libhiprtc.so.7", "libhiprtc.so.6", "libhiprtc.so.5", "libamdhip64.so.7", "libamdhip64.so.6",
              "libamdhip64.so.5")  # fmt: skip


@cache
def _hiprtc() -> RuntimeCompiler:
    for name in _LIBRARIES:
        try:
            library = ctypes.CDLL(name)
        except OSError:
            continue
        if hasattr(library, "hiprtcCreateProgram"):
            return RuntimeCompiler(library, "hiprtc", "HIPRTC")
    raise DeviceCompilerError("HIPRTC is not there: install ROCm's run-time library (Debian: libamdhip64-5)")


def compile_kernel(kernel: str, architecture: str) -> DeviceCode:
    """Compile the device code of a kernel.

    Args:
        kernel: name of its folder.
        architecture: ``gfx90a``, ``gfx942`` …; a release of ROCm that does not know it may end the process.

    Raises:
        DeviceCompilerError: HIPRTC is absent or refuses the source.
    """
    options = (f"--offload-arch={architecture}", *OPTIONS)
    return _hiprtc().compile(kernel, source_of(kernel), architecture, options, "Code")
