"""A kernel on an AMD GPU: a code object by HIPRTC, kept from before or made now, and ROCm, which takes it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from payloads.backends import hiprtc, kept_code, kfd
from payloads.backends.device_code import DeviceCompilerError
from payloads.backends.device_module import DeviceFailureError, OpenedGpu, device_module
from payloads.store import Store


def open_gpu(kernel: str, ordinal: int, stores: Sequence[Store], root: Path = Path("/")) -> OpenedGpu:
    """A GPU with the code of a kernel loaded.

    Args:
        kernel: name of its folder.
        ordinal: of the GPU, among those that this process may see.
        stores: where code is kept; may be empty.
        root: of the file tree that says which instruction set it has; for tests.

    Raises:
        DeviceFailureError: it takes no code that there is, or cannot be opened.
        NotBuiltError: the device backends were not compiled.
    """
    module = device_module()
    try:
        listed = module.devices("hip")
        if ordinal >= len(listed):
            raise DeviceFailureError(
                f"there is no hip device {ordinal}: the driver lists {len(listed)} (ROCR_VISIBLE_DEVICES may hide others)"
            )
        own = listed[ordinal]
        architecture = kfd.architecture_at(own["bus_id"], root)
        if architecture is None:
            raise DeviceFailureError(
                f"hip device {ordinal} ({own['name']}): the kernel does not tell its instruction set: "
                f"/{kfd.NODES} has nothing at {own['bus_id']}"
            )
        code, said = kept_code.code_of(kernel, architecture, stores, hiprtc.compile_kernel, hiprtc.OPTIONS)
        device = module.Driver("hip", ordinal, code.code)
    except (DeviceCompilerError, module.DeviceError) as error:
        raise DeviceFailureError(str(error)) from error
    return OpenedGpu(device, code, own["bus_id"], None, said)
