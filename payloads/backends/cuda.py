"""A kernel on an NVIDIA GPU: its code, from the wheel, kept from before or compiled now, and the driver that takes it.

First a cubin of the GPU's own architecture is tried; then PTX, which the driver compiles itself: for a GPU that NVRTC does
not know yet, or that takes no cubin of ours.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from payloads.backends import embedded, kept_code, nvrtc
from payloads.backends.device_code import DeviceCode, DeviceCompilerError
from payloads.backends.device_module import DeviceFailureError, OpenedGpu, device_module
from payloads.backends.embedded import PTX
from payloads.store import Store

Said = tuple[str, ...]


def open_gpu(kernel: str, ordinal: int, stores: Sequence[Store]) -> OpenedGpu:
    """A GPU with the code of a kernel loaded.

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
    own = listed[ordinal]
    major, minor = own["capability"]
    for find in _ways(kernel, f"sm_{major}{minor}", stores):
        try:
            code, about = find()
            if code is None:
                continue
            said += about
            device = module.Driver("cuda", ordinal, code.code)
        except (DeviceCompilerError, module.DeviceError) as error:
            refusals.append(str(error))
            continue
        if refusals:
            said.append(f"{device.name} runs {kernel} from {code.architecture}: {refusals[0]}")
        return OpenedGpu(device, code, own["bus_id"], own["multiprocessors"] or None, tuple(said))
    raise DeviceFailureError("; ".join(dict.fromkeys(refusals)))


def _ways(
    kernel: str, architecture: str, stores: Sequence[Store]
) -> tuple[Callable[[], tuple[DeviceCode | None, Said]], ...]:
    """Where code may come from, the best first."""
    return (
        lambda: (embedded.embedded(kernel, architecture), ()),
        lambda: code_of(kernel, architecture, stores),
        lambda: (embedded.embedded(kernel, PTX), ()),
        lambda: code_of(kernel, PTX, stores),
    )


def code_of(kernel: str, architecture: str, stores: Sequence[Store]) -> tuple[DeviceCode, Said]:
    """Cubin or PTX of a kernel, kept or compiled now; see `kept_code.code_of`.

    Raises:
        DeviceCompilerError: it is not kept, and NVRTC is absent or refuses it.
    """
    return kept_code.code_of(kernel, architecture, stores, nvrtc.compile_kernel, nvrtc.OPTIONS)
