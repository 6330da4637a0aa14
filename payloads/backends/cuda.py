"""A kernel on an NVIDIA GPU: its code, from the cache or compiled now, and the driver that takes it.

First a cubin of the GPU's own architecture is tried; then PTX, which the driver compiles itself: for a GPU that NVRTC does
not know yet, or that takes no cubin of ours. Code is kept beside the events, under a name that changes with every source that goes
into it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from functools import cache

import numpy as np

from payloads.backends import nvrtc
from payloads.backends.device_code import PAYLOADS, DeviceCompilerError
from payloads.backends.device_module import Device, DeviceFailureError, device_module
from payloads.events import keep, look_up
from payloads.store import Store

PTX = "compute_60"
"""What every GPU since P100 can be given."""


def open_gpu(kernel: str, ordinal: int, stores: Sequence[Store]) -> tuple[Device, tuple[str, ...]]:
    """A GPU with the code of a kernel loaded; the sentences say what has to be known of how that went.

    Args:
        kernel: name of its folder.
        ordinal: of the GPU, among those that this process may see.
        stores: where code is kept; may be empty.

    Raises:
        DeviceFailureError: it takes no code that there is, or cannot be opened.
        NotBuiltError: the device backends were not compiled.
    """
    module = device_module()
    said: list[str] = []
    refusals: list[str] = []
    try:
        listed = module.devices("cuda")
        if ordinal >= len(listed):
            raise DeviceFailureError(
                f"there is no cuda device {ordinal}: the driver lists {len(listed)} (CUDA_VISIBLE_DEVICES may hide others)"
            )
    except module.DeviceError as error:
        raise DeviceFailureError(str(error)) from error
    major, minor = listed[ordinal]["capability"]
    for architecture in (f"sm_{major}{minor}", PTX):
        try:
            code, about = code_of(kernel, architecture, stores)
            said += about
            device = module.Driver("cuda", ordinal, code)
        except (DeviceCompilerError, module.DeviceError) as error:
            refusals.append(str(error))
            continue
        if refusals:
            said.append(f"{device.name} runs {kernel} from {architecture}: {refusals[0]}")
        return device, tuple(said)
    raise DeviceFailureError("; ".join(dict.fromkeys(refusals)))


def code_of(kernel: str, architecture: str, stores: Sequence[Store]) -> tuple[bytes, tuple[str, ...]]:
    """Cubin or PTX of a kernel, from the first store that has it whole, else compiled and kept.

    Raises:
        DeviceCompilerError: it is not kept, and NVRTC is absent or refuses it.
    """
    name = f"code-{kernel}-{architecture}-{_sources_digest(kernel)}"
    held, said = look_up(name, stores)
    if held is not None:
        return held.arrays["code"].tobytes(), said
    code = nvrtc.compile_kernel(kernel, architecture).code
    if not stores:
        return code, said
    _, unkept = keep(name, {"code": np.frombuffer(code, dtype=np.uint8)}, {"kernel": kernel}, stores)
    return code, (*said, *unkept)


@cache
def _sources_digest(kernel: str) -> str:
    """Of all that NVRTC may read for a kernel, and of how it is asked."""
    digest = hashlib.blake2b(repr((kernel, nvrtc.OPTIONS)).encode(), digest_size=8)
    for path in _sources(kernel):
        digest.update(str(path).encode() + b"\0" + (PAYLOADS / path).read_bytes())
    return digest.hexdigest()


def _sources(kernel: str) -> Iterator[str]:
    for folder in ("include/sitecap", f"kernels/{kernel}"):
        for path in sorted((PAYLOADS / folder).rglob("*")):
            if path.suffix in {".h", ".cu", ".inc"}:
                yield str(path.relative_to(PAYLOADS))
