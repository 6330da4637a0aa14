"""GPUs in the list of what kernels can run on."""

from __future__ import annotations

from collections.abc import Iterator

from agent.chosen_devices import ABSENT
from payloads.backends.device_module import device_module
from payloads.backends.devices import Backend, Gpu, backends
from payloads.errors import NotBuiltError


def device_lines() -> Iterator[str]:
    """A line a GPU, or a line a driver that has none, with the reason."""
    try:
        kernels = ", ".join(device_module().kernels)
    except NotBuiltError as error:
        yield f"gpu  no: {error}"
        return
    for backend in backends():
        if backend.reason is not None:
            yield f"{backend.api:<5} no: {backend.reason}"
        for gpu in backend.gpus:
            yield f"{gpu.place}  {_about(gpu, backend, kernels)}"
    yield f"intel no: {ABSENT['intel']}"


def _about(gpu: Gpu, backend: Backend, kernels: str) -> str:
    if gpu.reason is not None:
        return f"no: {gpu.name}: {gpu.reason}"
    facts = [gpu.name, gpu.architecture, f"{gpu.memory_bytes / 1e9:.0f} GB"]
    if backend.version is not None:
        facts.append(f"driver for CUDA {backend.version}")
    return f"{', '.join(filter(None, facts))}; kernels: {kernels}"
