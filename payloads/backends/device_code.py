"""Device code of the kernels: the sources that a GPU's compiler is given, and what it made of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from payloads.errors import PayloadError

PAYLOADS = Path(__file__).parents[1]
# What a kernel's gpu.cu may include; the same two folders as on the CPU.
INCLUDE_DIRECTORIES = (PAYLOADS, PAYLOADS / "include")


class DeviceCompilerError(PayloadError):
    """A device compiler is not there, or refuses a source; the message carries the head of its log."""


@dataclass(frozen=True)
class DeviceCode:
    """One kernel compiled for one architecture.

    Attributes:
        kernel: name of the kernel's folder.
        architecture: ``sm_90``, ``gfx90a`` …
        code: cubin or code object.
        log: what the compiler said; "" if nothing.
    """

    kernel: str
    architecture: str
    code: bytes
    log: str


def source_of(kernel: str) -> bytes:
    """The one line that a device compiler is given: everything else it finds by #include."""
    return f'#include "kernels/{kernel}/gpu.cu"\n'.encode()


def device_kernels() -> tuple[str, ...]:
    """Kernels that have device code, by name."""
    return tuple(sorted(path.parent.name for path in (PAYLOADS / "kernels").glob("*/gpu.cu")))
