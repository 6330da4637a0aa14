"""Which GPUs a user means by `--device` and `--backend`, and why one cannot be had."""

from __future__ import annotations

import re
from collections.abc import Sequence

from payloads.backends.devices import APIS, Backend, Gpu, backends

BACKENDS = ("cpu", *APIS)

ABSENT = {
    "intel": "there are no kernels for Intel's GPUs",
    "sycl": "there are no kernels for Intel's GPUs",
    "oneapi": "there are no kernels for Intel's GPUs",
    "level-zero": "there are no kernels for Intel's GPUs",
    "metal": "there are no kernels for Apple's GPUs",
    "rocm": "AMD's GPUs are called hip",
    "amd": "AMD's GPUs are called hip",
    "nvidia": "NVIDIA's GPUs are called cuda",
    "gpu": "name the kind of GPU, or say --device gpu:0",
}
"""What else one may ask for, and the answer."""

_NAME = re.compile(r"(cuda|hip|gpu):([0-9]{1,3}|all)")
_HOW = "write gpu:0, gpu:all, cuda:0 or hip:0"


class UnusableDeviceError(Exception):
    """The device or backend that was asked for cannot be used; the text says why, or which can."""


def chosen_gpus(devices: Sequence[str], backend: str | None) -> tuple[Gpu, ...]:
    """The GPUs to measure on, each once, in the order in which they were named; none for the CPUs.

    Args:
        devices: ``cuda:1``, ``hip:0``; ``gpu:0`` counts all that can be used, NVIDIA's first; ``gpu:all`` is all of these.
        backend: ``cpu``, ``cuda``, ``hip``; a GPU's means its first unless a device is named. None = as the devices say.

    Raises:
        UnusableDeviceError: there is none of that name, it cannot be used, or the two contradict each other.
    """
    if backend is not None and backend not in BACKENDS:
        why = ABSENT.get(backend.lower())
        raise UnusableDeviceError(
            f"--backend {backend}: {f'{why}; ' if why else ''}there are: {', '.join(BACKENDS)}; "
            "agent bench --list-backends says which of them can be used here"
        )
    for name in devices:
        found = _NAME.fullmatch(name)
        if found is None:
            raise UnusableDeviceError(f"--device {name!r} names no device: {_HOW}")
        if backend is not None and found[1] not in ("gpu", backend):
            raise UnusableDeviceError(
                f"--backend {backend} and --device {name} do not go together: give one of them"
            )
    if backend == "cpu" and devices:
        raise UnusableDeviceError(f"--backend cpu measures on CPUs: leave --device {devices[0]} out")
    if backend in (None, "cpu") and not devices:
        return ()
    known = [one for one in backends() if backend in (None, one.api)]
    if not devices:
        return _one_of(f"--backend {backend}", known, "gpu", "0")
    chosen: list[Gpu] = []
    for name in devices:
        kind, _, number = name.partition(":")
        chosen += _one_of(f"--device {name}", known, kind, number)
    return tuple(dict.fromkeys(chosen))


def _one_of(flag: str, known: Sequence[Backend], kind: str, number: str) -> tuple[Gpu, ...]:
    among = [one for one in known if kind in ("gpu", one.api)]
    there = [gpu for one in among for gpu in one.gpus]
    usable = [gpu for gpu in there if gpu.reason is None]
    reasons = [one.reason for one in among if one.reason is not None]
    reasons += [f"{gpu.place}: {gpu.name}: {gpu.reason}" for gpu in there if gpu.reason is not None]
    if not there or (not usable and kind == "gpu"):
        raise UnusableDeviceError(f"{flag}: {'; '.join(reasons)}")
    if number == "all":
        if not usable:
            raise UnusableDeviceError(f"{flag}: {'; '.join(reasons)}")
        return tuple(usable)
    # A driver's own number stands even where the device cannot be used, so that it can be said why.
    countable = usable if kind == "gpu" else there
    if int(number) >= len(countable):
        names = ", ".join(gpu.place for gpu in countable)
        raise UnusableDeviceError(f"{flag}: there is no such device; there are: {names}")
    gpu = countable[int(number)]
    if gpu.reason is not None:
        raise UnusableDeviceError(f"{flag}: {gpu.name}: {gpu.reason}")
    return (gpu,)
