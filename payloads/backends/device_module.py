"""The compiled device backends (payloads/backends/device/module.cpp), as Python sees them."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Protocol, TypedDict, cast

from payloads.arrays import Array
from payloads.backends.device_code import DeviceCode
from payloads.errors import NotBuiltError, PayloadError


class DeviceFailureError(PayloadError):
    """A device, or its driver, fails; the text names it and says why."""


class Listed(TypedDict):
    """A device as its driver lists it; `capability`, `multiprocessors` and `compute_mode` are CUDA's, 0 where not told."""

    name: str
    bus_id: str
    memory_bytes: int
    capability: tuple[int, int]
    multiprocessors: int
    compute_mode: int


class OpenedOnDevice(Protocol):
    """A kernel on a device, several events in flight."""

    events: int
    slots: int
    slot_bytes: int

    def process(self, event: int) -> None:
        """Reconstruct one event in the first slot, and fetch its result."""

    def results(self) -> dict[str, Array]:
        """Copies of the result of the last event that was processed, by name."""
        ...

    def digest(self) -> int:
        """Of the bits of that result, 64 bits."""
        ...

    def digest_of(self, first: int, count: int) -> int:
        """Of the results of `count` events from `first` on, as the CPU's `measure` gives it."""
        ...

    def run(
        self, first: int, count: int, *, threads: int, transfers: bool
    ) -> tuple[float, list[tuple[int, int]]]:
        """Wall seconds for these events, and event and digest of what each slot held last."""
        ...


class Device(Protocol):
    """A GPU that kernels are opened on."""

    name: str

    def launched(self) -> dict[str, int]:
        """Most threads of a block that each entry was launched with so far."""
        ...

    def open(
        self, kernel: str, events: dict[str, Array], settings: dict[str, float], slots: int
    ) -> OpenedOnDevice:
        """A kernel with at most so many events in flight: as many as the device has memory for."""
        ...


@dataclass(frozen=True)
class OpenedGpu:
    """A GPU with a kernel's code loaded.

    Attributes:
        device: itself.
        code: what it was given.
        bus_id: its place, ``0000:3b:00.0``.
        multiprocessors: how many it has; None if its driver does not tell.
        said: what has to be known of how it was opened.
    """

    device: Device
    code: DeviceCode
    bus_id: str
    multiprocessors: int | None
    said: tuple[str, ...]


class DeviceModule(Protocol):
    """The module itself. Its `DeviceError` is what devices raise."""

    DeviceError: type[Exception]
    kernels: list[str]

    def Driver(self, api: str, ordinal: int, code: bytes) -> Device:  # noqa: N802 - a class
        """A GPU with a kernel's code loaded."""
        ...

    def driver_version(self, api: str) -> int:
        """Of the driver's interface, as CUDA writes it: 12040 is 12.4."""
        ...

    def devices(self, api: str) -> list[Listed]:
        """Those that this process may see."""
        ...


def device_module() -> DeviceModule:
    """The module.

    Raises:
        NotBuiltError: it was not compiled.
    """
    try:
        return cast("DeviceModule", importlib.import_module("payloads._device"))
    except ImportError as error:
        raise NotBuiltError(
            f"the compiled module payloads._device is not there ({error}): install a C++17 compiler (Debian: g++) and "
            "install sitecap again, or install the wheel"
        ) from error
