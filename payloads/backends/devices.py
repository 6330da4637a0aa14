"""Which GPUs this process may use, and why not the others.

A driver may hang or bring the process down, so each is asked in a child.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from payloads.backends import kfd
from payloads.backends.device_module import device_module
from payloads.children import WORKER, ask_one
from payloads.errors import PayloadError

Api = Literal["cuda", "hip"]
APIS: tuple[Api, ...] = ("cuda", "hip")

ANSWER_S = 20.0
"""For a driver to start: it wakes sleeping GPUs one after another, some 2 s each without persistence mode."""

OLDEST_CUDA = 12000
"""Cubins and PTX of the CUDA-12 line need a driver of that line (NVIDIA, "CUDA Compatibility")."""

_PROHIBITED = 2
"""CU_COMPUTEMODE_PROHIBITED of cuda.h."""


@dataclass(frozen=True)
class Gpu:
    """A device that a driver lists.

    Attributes:
        api: whose driver.
        ordinal: its number there, among those that this process may see.
        name: the product's.
        memory_bytes: all of it.
        architecture: ``sm_90``, ``gfx90a``; None where nobody says.
        reason: why it cannot be used; None if it can.
        bus_id: its place, ``0000:3b:00.0``.
    """

    api: Api
    ordinal: int
    name: str
    memory_bytes: int
    architecture: str | None
    reason: str | None
    bus_id: str

    @property
    def place(self) -> str:
        """What users and children call it: ``cuda:0``."""
        return f"{self.api}:{self.ordinal}"


@dataclass(frozen=True)
class Backend:
    """A driver, with its devices.

    Attributes:
        api: whose.
        version: ``12.4``; None where it could not be asked, or has versions that tell nothing.
        gpus: the devices.
        reason: why there are none.
    """

    api: Api
    version: str | None
    gpus: tuple[Gpu, ...]
    reason: str | None


def ask_driver(request: Mapping[str, Any]) -> dict[str, Any]:
    """What a driver says, in this process: `version` and `devices`.

    Raises:
        PayloadError: there is none, or it fails.
    """
    module = device_module()
    try:
        return {
            "version": module.driver_version(request["api"]),
            "devices": module.devices(request["api"]),
        }
    except module.DeviceError as error:
        raise PayloadError(str(error)) from error


def backends(
    command: Sequence[str] = WORKER, patience_s: float = ANSWER_S, root: Path = Path("/")
) -> tuple[Backend, ...]:
    """All drivers with their devices, each asked in a child that is killed when it does not answer.

    Args:
        command: the worker.
        patience_s: for the answer.
        root: of the file tree that tells what AMD's devices are; for tests.
    """

    def one(api: Api) -> Backend:
        try:
            request = {"task": "driver", "api": api}
            end = time.monotonic() + patience_s
            return _backend(api, ask_one(command, f"the {api} driver", request, end), root)
        except PayloadError as error:
            return Backend(api, None, (), str(error))

    with ThreadPoolExecutor(len(APIS)) as pool:
        return tuple(pool.map(one, APIS))


def _backend(api: Api, answer: Mapping[str, Any], root: Path) -> Backend:
    version = version_of(answer["version"]) if api == "cuda" else None
    if api == "cuda" and answer["version"] < OLDEST_CUDA:
        return Backend(
            api,
            version,
            (),
            f"the driver serves CUDA {version}; needed is one that serves CUDA 12 (525 or newer)",
        )
    gpus = tuple(_gpu(api, ordinal, one, root) for ordinal, one in enumerate(answer["devices"]))
    hidden = "CUDA_VISIBLE_DEVICES" if api == "cuda" else "ROCR_VISIBLE_DEVICES"
    return Backend(
        api,
        version,
        gpus,
        None if gpus else f"the driver lists no device: check {hidden} and what the job was granted",
    )


def version_of(number: int) -> str:
    """CUDA's 12040 is 12.4."""
    return f"{number // 1000}.{number % 1000 // 10}"


def _gpu(api: Api, ordinal: int, told: Mapping[str, Any], root: Path) -> Gpu:
    bus_id = str(told["bus_id"])
    reason = None
    if api == "hip":
        architecture = kfd.architecture_at(bus_id, root)
        if architecture is None:
            reason = f"the kernel does not tell its instruction set (/{kfd.NODES})"
    else:
        major, minor = told["capability"]
        architecture = f"sm_{major}{minor}" if major else None
        if told["compute_mode"] == _PROHIBITED:
            reason = "its compute mode is prohibited (nvidia-smi -c)"
    return Gpu(api, ordinal, str(told["name"]), int(told["memory_bytes"]), architecture, reason, bus_id)


def place_of(text: str) -> tuple[Api, int]:
    """Driver and ordinal of a device: ``cuda:1``, ``hip:0``.

    Raises:
        ValueError: it is none of these.
    """
    for api in APIS:
        found = re.fullmatch(rf"{api}:([0-9]{{1,3}})", text)
        if found is not None:
            return api, int(found[1])
    raise ValueError(f"{text!r} names no device: write cuda:0 or hip:0")
