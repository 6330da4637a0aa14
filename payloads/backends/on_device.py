"""A kernel on a device, as the rest of the payloads know a kernel on a CPU."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from payloads.arrays import Array, Arrays
from payloads.backends import cuda, hip
from payloads.backends.device_module import DeviceFailureError, OpenedGpu, OpenedOnDevice, device_module
from payloads.backends.devices import place_of
from payloads.errors import PayloadError
from payloads.store import Store

SLOTS = 8
"""Events in flight unless a request says otherwise: more than a GPU's copy engines and the kernels of one event leave idle."""


class OnDevice:
    """Implements `payloads.compiled.Opened`.

    Args:
        opened: the kernel on its device.
        gpu: the device, with what has to be known of how it was opened.
        threads: of this process that drive the device.
    """

    def __init__(self, opened: OpenedOnDevice, gpu: OpenedGpu, threads: int = 2) -> None:
        self.gpu = gpu
        self.name = gpu.device.name
        self.said = gpu.said
        self.events = opened.events
        self.slots = opened.slots
        self.workspace_bytes = opened.slots * opened.slot_bytes
        self._opened = opened
        self.threads = min(threads, opened.slots)
        self._failure = device_module().DeviceError
        self._digests: dict[int, int] = {}
        self._passes: dict[tuple[int, int], int] = {}

    def process(self, event: int) -> None:
        """Reconstruct one event.

        Raises:
            DeviceFailureError: the device fails.
        """
        try:
            self._opened.process(event)
        except self._failure as error:
            raise DeviceFailureError(str(error)) from error

    def results(self) -> dict[str, Array]:
        """Copies of the result of the last event, by name."""
        return self._opened.results()

    def digest(self) -> int:
        """Of the bits of the last result, 64 bits."""
        return self._opened.digest()

    def measure(self, first: int, count: int) -> tuple[float, int]:
        """Wall seconds for these events end to end, and the digest of all their results.

        Digests are taken in a pass of their own, the first time, since the host would else be what is measured; of the timed pass
        those results are held against them that are in the slots at its end.

        Raises:
            DeviceFailureError: the device fails, or computed other bits in the timed pass.
        """
        try:
            if (first, count) not in self._passes:
                self._passes[first, count] = self._opened.digest_of(first, count)
            seconds, last = self._opened.run(first, count, threads=self.threads, transfers=True)
            for event, digest in last:
                if digest != self._digest_of(event):
                    raise DeviceFailureError(
                        f"{self.name} computed other bits for event {event} in the timed pass than before"
                    )
        except self._failure as error:
            raise DeviceFailureError(str(error)) from error
        return seconds, self._passes[first, count]

    def measure_kernels(self, count: int) -> float:
        """Wall seconds for so many events that lie on the device already, and whose results stay there.

        Raises:
            DeviceFailureError: the device fails.
        """
        try:
            return self._opened.run(0, count, threads=self.threads, transfers=False)[0]
        except self._failure as error:
            raise DeviceFailureError(str(error)) from error

    def stages(self, event: int) -> dict[str, float]:  # noqa: ARG002 - as on a CPU
        """None: work of many events overlaps."""
        return {}

    def _digest_of(self, event: int) -> int:
        if event not in self._digests:
            self._opened.process(event)
            self._digests[event] = self._opened.digest()
        return self._digests[event]


def open_on_device(request: Mapping[str, Any], events: Arrays, stores: list[Store]) -> OnDevice:
    """The kernel of a request on the device that it names.

    Args:
        request: `kernel`, `settings`, `device` (``cuda:0``), and perhaps `slots`.
        events: what it reconstructs.
        stores: where device code is kept.

    Raises:
        DeviceFailureError: the device cannot be opened or has no room for one event.
        PayloadError: the kernel has no launches for a device, or does not run on this one.
        ValueError: the kernel refuses events or settings.
    """
    module = device_module()
    api, ordinal = place_of(request["device"])
    if request["kernel"] not in module.kernels:
        raise PayloadError(
            f"{request['kernel']} has no launches for a device yet; {', '.join(module.kernels)} has"
        )
    open_gpu = cuda.open_gpu if api == "cuda" else hip.open_gpu
    gpu = open_gpu(request["kernel"], ordinal, stores)
    wanted = int(request.get("slots", SLOTS))
    try:
        opened = gpu.device.open(request["kernel"], dict(events), dict(request["settings"]), wanted)
    except module.DeviceError as error:
        raise DeviceFailureError(str(error)) from error
    if opened.slots < wanted:
        room = f"{opened.slots} of {wanted} events in flight, {opened.slot_bytes / 1e6:.0f} MB each"
        gpu = replace(gpu, said=(*gpu.said, f"{gpu.device.name} has memory for {room}"))
    return OnDevice(opened, gpu, int(request.get("host_threads", 2)))
