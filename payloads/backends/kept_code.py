"""Device code of kernels beside the events: made once, under a name that changes with every source that goes into it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from payloads.backends.device_code import DeviceCode, sources_digest
from payloads.events import keep, look_up
from payloads.store import Store

Compile = Callable[[str, str], DeviceCode]
"""Makes a kernel's code for an architecture; raises DeviceCompilerError."""


def code_of(
    kernel: str, architecture: str, stores: Sequence[Store], compile_kernel: Compile, options: tuple[str, ...]
) -> tuple[DeviceCode, tuple[str, ...]]:
    """Code of a kernel, from the first store that has it whole, else compiled and kept; and what has to be known of that.

    Args:
        kernel: name of its folder.
        architecture: as the compiler calls it.
        stores: where it is kept; may be empty.
        compile_kernel: the compiler.
        options: that it is given.

    Raises:
        DeviceCompilerError: it is not kept, and the compiler is absent or refuses it.
    """
    name = f"code-{kernel}-{architecture}-{sources_digest(kernel, options)}"
    held, said = look_up(name, stores)
    if held is not None:
        compiler = str(held.about["compiler"])
        return DeviceCode(
            kernel, architecture, held.arrays["code"].tobytes(), "", compiler, origin="kept"
        ), said
    made = replace(compile_kernel(kernel, architecture), origin="compiled")
    if not stores:
        return made, said
    about = {"kernel": kernel, "compiler": made.compiler}
    _, unkept = keep(name, {"code": np.frombuffer(made.code, dtype=np.uint8)}, about, stores)
    return made, (*said, *unkept)
