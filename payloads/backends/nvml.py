"""NVIDIA's management library by ctypes: clocks, throttling, power and processes of a board while kernels run on it.

It comes with the driver, so that nothing has to be installed. Signatures and numbers as in nvml.h (CUDA 12). What a board does
not answer is None. The board is found by its place on the bus: a MIG instance has the power and the clocks of its whole board.
"""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable
from typing import Any

from payloads.errors import PayloadError
from payloads.gpu_conditions import GpuSnapshot
from profiles.facts.gpu import THROTTLE_REASONS

LIBRARY = "libnvidia-ml.so.1"

MOST_PROCESSES = 1024
"""Listed at most: bounds the answer of a broken library."""

_INSUFFICIENT_SIZE = 7
_CLOCK_SM, _CLOCK_MEMORY = 1, 2
_TEMPERATURE_GPU = 0
_MIG_ENABLED = 1


class NvmlError(PayloadError):
    """The library is not there, does not start or does not know the board."""


class _Memory(ctypes.Structure):
    _fields_ = [("total", ctypes.c_ulonglong), ("free", ctypes.c_ulonglong), ("used", ctypes.c_ulonglong)]


class _Process(ctypes.Structure):
    _fields_ = [
        ("pid", ctypes.c_uint),
        ("used", ctypes.c_ulonglong),
        ("gpu_instance", ctypes.c_uint),
        ("compute_instance", ctypes.c_uint),
    ]


class Board:
    """A board, as NVML sees it.

    Args:
        bus_id: its place, ``0000:3b:00.0``.
        load: opens the library; tests have one of their own.

    Attributes:
        driver_version: ``535.129.03``; None if it is not told.
        is_cut: whether Multi-Instance GPU has cut it into slices; None if it is not told.

    Raises:
        NvmlError: there is no such library, or no such board.
    """

    def __init__(self, bus_id: str, load: Callable[[str], ctypes.CDLL] = ctypes.CDLL) -> None:
        try:
            self._library = load(LIBRARY)
        except OSError as error:
            raise NvmlError(f"there is no NVML here ({error})") from error
        self._must("nvmlInit_v2")
        self._handle = ctypes.c_void_p()
        self._must("nvmlDeviceGetHandleByPciBusId_v2", bus_id.encode(), ctypes.byref(self._handle))
        self.driver_version = self._driver_version()
        mode, pending = ctypes.c_uint(), ctypes.c_uint()
        answered = self._asked("nvmlDeviceGetMigMode", ctypes.byref(mode), ctypes.byref(pending))
        self.is_cut = mode.value == _MIG_ENABLED if answered else None

    def look(self) -> GpuSnapshot:
        """The board now."""
        reasons = self._number("nvmlDeviceGetCurrentClocksThrottleReasons", ctypes.c_ulonglong)
        power = self._number("nvmlDeviceGetPowerUsage", ctypes.c_uint)
        energy = self._number("nvmlDeviceGetTotalEnergyConsumption", ctypes.c_ulonglong)
        memory = _Memory()
        return GpuSnapshot(
            at=time.monotonic(),
            sm_clock_mhz=self._number("nvmlDeviceGetClockInfo", ctypes.c_uint, _CLOCK_SM),
            memory_clock_mhz=self._number("nvmlDeviceGetClockInfo", ctypes.c_uint, _CLOCK_MEMORY),
            temperature_celsius=self._number("nvmlDeviceGetTemperature", ctypes.c_uint, _TEMPERATURE_GPU),
            power_w=None if power is None else power / 1e3,
            energy_j=None if energy is None else energy / 1e3,
            throttle_reasons=None if reasons is None else _named(reasons),
            processes=self._processes(),
            memory_used_bytes=(
                int(memory.used) if self._asked("nvmlDeviceGetMemoryInfo", ctypes.byref(memory)) else None
            ),
        )

    def _processes(self) -> tuple[int, ...] | None:
        """Identifiers of compute processes; in a container those of the host, or none at all."""
        count = ctypes.c_uint(0)
        room = 0
        while True:
            listed = (_Process * max(room, 1))()
            count.value = room
            error = self._call(
                "nvmlDeviceGetComputeRunningProcesses_v3", self._handle, ctypes.byref(count), listed
            )
            if error == 0:
                return tuple(int(one.pid) for one in listed[: min(count.value, room)])
            if error != _INSUFFICIENT_SIZE or room >= MOST_PROCESSES:
                return None
            room = min(max(2 * room, count.value, 1), MOST_PROCESSES)

    def _driver_version(self) -> str | None:
        text = ctypes.create_string_buffer(96)
        error = self._call("nvmlSystemGetDriverVersion", text, ctypes.c_uint(len(text)))
        return None if error else text.value.decode("ascii", "replace")

    def _number(self, name: str, kind: Callable[[], Any], *before: int) -> int | None:
        value = kind()
        asked = self._asked(name, *(ctypes.c_uint(one) for one in before), ctypes.byref(value))
        return int(value.value) if asked else None

    def _asked(self, name: str, *arguments: Any) -> bool:  # noqa: ANN401 - depends on the function
        return self._call(name, self._handle, *arguments) == 0

    def _must(self, name: str, *arguments: Any) -> None:  # noqa: ANN401 - as above
        error = self._call(name, *arguments)
        if error:
            raise NvmlError(f"NVML does not answer: {name} gave error {error}")

    def _call(self, name: str, *arguments: Any) -> int:  # noqa: ANN401 - as above
        """The function's error; that of a function which the library does not have is 13, as NVML itself numbers it."""
        try:
            function = self._library[name]
        except AttributeError:
            return 13
        return int(function(*arguments))


def _named(bits: int) -> tuple[str, ...]:
    known = [name for bit, name in enumerate(THROTTLE_REASONS) if bits >> bit & 1]
    rest = bits >> len(THROTTLE_REASONS) << len(THROTTLE_REASONS)
    return (*known, *([f"{rest:#x}"] if rest else []))
