"""Device code of the kernels: the sources that a GPU's compiler is given, and what it made of them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from payloads.errors import PayloadError

PAYLOADS = Path(__file__).parents[1]
# What a kernel's gpu.cu may include; the same two folders as on the CPU.
INCLUDE_DIRECTORIES = (PAYLOADS, PAYLOADS / "include")


Form = Literal["cubin", "PTX", "code object"]
Origin = Literal["wheel", "kept", "compiled"]


class DeviceCompilerError(PayloadError):
    """A device compiler is not there, or refuses a source; the message carries the head of its log."""


@dataclass(frozen=True)
class DeviceCode:
    """One kernel compiled for one architecture.

    Attributes:
        kernel: name of the kernel's folder.
        architecture: ``sm_90``, ``compute_60``, ``gfx90a`` …
        code: cubin, PTX or code object.
        log: what the compiler said; "" if nothing.
        compiler: name and version.
        origin: whether it came with the wheel, was kept from an earlier run, or was compiled now.
    """

    kernel: str
    architecture: str
    code: bytes
    log: str
    compiler: str
    origin: Origin = "compiled"

    @property
    def form(self) -> Form:
        """What kind of code it is: PTX is compiled by the driver."""
        if self.architecture.startswith("gfx"):
            return "code object"
        return "PTX" if self.architecture.startswith("compute_") else "cubin"


def source_of(kernel: str) -> bytes:
    """The one line that a device compiler is given: everything else it finds by #include."""
    return f'#include "kernels/{kernel}/gpu.cu"\n'.encode()


def device_kernels() -> tuple[str, ...]:
    """Kernels that have device code, by name."""
    return tuple(sorted(path.parent.name for path in (PAYLOADS / "kernels").glob("*/gpu.cu")))


@cache
def sources_digest(kernel: str, options: tuple[str, ...]) -> str:
    """Of all that a device compiler may read for a kernel, and of how it is asked: code of other sources is not used."""
    digest = hashlib.blake2b(repr((kernel, options)).encode(), digest_size=8)
    for path in _sources(kernel):
        digest.update(str(path).encode() + b"\0" + (PAYLOADS / path).read_bytes())
    return digest.hexdigest()


def _sources(kernel: str) -> Iterator[str]:
    for folder in ("include/sitecap", f"kernels/{kernel}"):
        for path in sorted((PAYLOADS / folder).rglob("*")):
            if path.suffix in {".h", ".cu", ".inc"}:
                yield str(path.relative_to(PAYLOADS))
