"""NVML by pynvml, the only place where it is imported; every call is guarded and its refusal kept by name."""

from __future__ import annotations

import ctypes
import hashlib
from collections.abc import Callable
from typing import Any

from pydantic import ValidationError

from probes.answers import Json
from probes.errors import HostError
from probes.gpu.watched import Announce, watched
from probes.host import Host
from profiles.facts.gpu import THROTTLE_REASONS, NvmlFacts

DEADLINE_S = 5.0
"""Below the probe's own deadline, so that the rest of the facts survives a hang of the driver."""

MAX_DEVICES = 64
"""Devices and MIG instances asked for at most: bounds the answer of a broken library."""

_COMPUTE_MODES = {0: "default", 1: "exclusive-thread", 2: "prohibited", 3: "exclusive-process"}
"""nvmlComputeMode_t, from nvml.h."""


def ask(host: Host, deadline_s: float = DEADLINE_S) -> NvmlFacts:
    """What NVML answers, or how it failed to.

    Raises:
        HostError: no child could be made, or a recording has no (or no sensible) answer.
    """
    answer = host.observe("nvml", [], lambda: _live(deadline_s))
    try:
        return NvmlFacts.model_validate(_without_uuids(answer))
    except ValidationError as error:
        where = ".".join(str(part) for part in error.errors()[0]["loc"])
        raise HostError("EBADANSWER", f"NVML's answer has no sense in {where or 'its shape'}") from error


def _without_uuids(answer: Json) -> Json:
    if isinstance(answer, list):
        return [_without_uuids(item) for item in answer]
    if not isinstance(answer, dict):
        return answer
    cleaned = {key: _without_uuids(value) for key, value in answer.items()}
    if "uuid" in cleaned:
        uuid = cleaned.pop("uuid")
        # The door redacts UUIDs consistently in all answers; the profile gets no UUID in any case.
        cleaned["uuid_hash"] = None if uuid is None else hashlib.sha256(str(uuid).encode()).hexdigest()[:8]
    return cleaned


def _live(deadline_s: float) -> Json:
    # Importing reads modules and loads no library. It takes seconds on a slow node, which is no hang of the driver.
    try:
        import pynvml  # noqa: PLC0415 - an optional extra
    except ImportError as error:
        return {"status": "no bindings", "detail": str(error)}
    ended = watched(lambda announce: _talk(pynvml, announce), deadline_s)
    if ended["end"] == "answer":
        return ended["answer"]
    return {"status": ended["end"], "call": ended["call"], "detail": ended["detail"]}


def _talk(pynvml: Any, announce: Announce) -> Json:  # noqa: ANN401 - an untyped module
    asking = _Asking(pynvml, announce)
    failed = asking.opening()
    if failed is not None:
        return failed
    driver = asking("driver_version", "nvmlSystemGetDriverVersion")
    cuda = asking("cuda_driver_version", "nvmlSystemGetCudaDriverVersion")
    count = asking("count", "nvmlDeviceGetCount") or 0
    devices = [_device(pynvml, announce, index) for index in range(min(count, MAX_DEVICES))]
    refused = asking.refused
    announce("nvmlShutdown")
    pynvml.nvmlShutdown()
    return {
        "status": "ok",
        "driver_version": driver,
        "cuda_driver_version": None if cuda is None else f"{cuda // 1000}.{cuda % 1000 // 10}",
        "devices": devices,
        "refused": refused,
    }


class _Asking:
    """Calls functions of pynvml by name and keeps each refusal: in `refused`, and why a field is absent."""

    def __init__(self, pynvml: Any, announce: Announce) -> None:  # noqa: ANN401 - an untyped module
        self._pynvml, self._announce = pynvml, announce
        self._names = {
            getattr(pynvml, name): name
            for name in dir(pynvml)
            if name.startswith("NVML_ERROR_") and isinstance(getattr(pynvml, name), int)
        }
        self.refused: list[Json] = []
        self.absent: dict[str, Json] = {}

    def __call__(self, field: str, call: str, *args: object) -> Any:  # noqa: ANN401 - depends on the call
        """Answer of a call, None if it was refused."""
        self._announce(call)
        try:
            return getattr(self._pynvml, call)(*args)
        except (self._pynvml.NVMLError, UnicodeDecodeError, AttributeError) as error:
            name = self.error_name(error)
        self.absent[field] = f"{call}: {name}"
        self.refused.append({"call": call, "error": name})
        return None

    def error_name(self, error: Exception) -> str:
        """NVML's own name of an error."""
        if isinstance(error, AttributeError):
            return "NVML_ERROR_FUNCTION_NOT_FOUND"
        value = getattr(error, "value", None)
        return self._names.get(value, str(error)) if isinstance(value, int) else str(error)

    def opening(self) -> Json:
        """Open NVML: None if it opens, else the answer that says why not."""
        self._announce("nvmlInit")
        try:
            self._pynvml.nvmlInit()
        except self._pynvml.NVMLError as error:
            name = self.error_name(error)
            if name == "NVML_ERROR_LIBRARY_NOT_FOUND":
                return {
                    "status": "library missing",
                    "call": "nvmlInit",
                    "error": name,
                    "detail": _loader_says(),
                }
            return {"status": "failed", "call": "nvmlInit", "error": name, "detail": str(error)}
        return None


def _loader_says() -> str:
    """Why the loader takes no library; pynvml keeps that to itself."""
    try:
        ctypes.CDLL("libnvidia-ml.so.1")
    except OSError as error:
        return str(error)
    return "libnvidia-ml.so.1 was found on the second try"


def _device(pynvml: Any, announce: Announce, index: int) -> Json:  # noqa: ANN401
    ask_for = _Asking(pynvml, announce)
    device: dict[str, Json] = {"index": index, "refused": ask_for.refused, "absent": ask_for.absent}
    handle = ask_for("name", "nvmlDeviceGetHandleByIndex", index)
    if handle is None:
        return device

    def put(call: str, *fields: tuple[str, Callable[[Any], Json]], args: tuple[int, ...] = ()) -> Any:  # noqa: ANN401
        value = ask_for(fields[0][0], call, handle, *args)
        for field, shape in fields:
            device[field] = None if value is None else shape(value)
            if value is None:
                ask_for.absent[field] = ask_for.absent[fields[0][0]]
        return value

    put("nvmlDeviceGetName", ("name", str))
    put("nvmlDeviceGetUUID", ("uuid", str))
    if device["uuid"] is None:
        ask_for.absent["uuid_hash"] = ask_for.absent.pop("uuid")
    put("nvmlDeviceGetMinorNumber", ("minor", int))
    put(
        "nvmlDeviceGetPciInfo",
        ("pci_slot", _slot),
    )
    put(
        "nvmlDeviceGetMemoryInfo",
        ("memory_total_bytes", lambda memory: int(memory.total)),
        ("memory_used_bytes", lambda memory: int(memory.used)),
    )
    put("nvmlDeviceGetCudaComputeCapability", ("compute_capability", lambda pair: f"{pair[0]}.{pair[1]}"))
    _health(pynvml, put)
    put("nvmlDeviceGetEnforcedPowerLimit", ("power_limit_milliwatts", int))
    put("nvmlDeviceGetClockInfo", ("sm_clock_mhz", int), args=(pynvml.NVML_CLOCK_SM,))
    put("nvmlDeviceGetClockInfo", ("memory_clock_mhz", int), args=(pynvml.NVML_CLOCK_MEM,))
    put("nvmlDeviceGetPersistenceMode", ("persistence_mode", bool))
    put("nvmlDeviceGetComputeMode", ("compute_mode", lambda mode: _COMPUTE_MODES.get(mode, str(mode))))
    put("nvmlDeviceGetComputeRunningProcesses", ("processes", len))
    mode = put(
        "nvmlDeviceGetMigMode", ("mig_enabled", lambda modes: modes[0] == pynvml.NVML_DEVICE_MIG_ENABLE)
    )
    if mode is None or device["mig_enabled"]:
        # A container that was given an instance only may be refused the mode of the parent: ask on.
        device["mig_instances"] = _instances(pynvml, announce, handle, ask_for)
    return device


def _health(pynvml: Any, put: Callable[..., Any]) -> None:  # noqa: ANN401
    put("nvmlDeviceGetEccMode", ("ecc_enabled", lambda modes: bool(modes[0])))
    put(
        "nvmlDeviceGetTotalEccErrors",
        ("uncorrected_ecc_errors", int),
        args=(pynvml.NVML_MEMORY_ERROR_TYPE_UNCORRECTED, pynvml.NVML_VOLATILE_ECC),
    )
    cause = pynvml.NVML_PAGE_RETIREMENT_CAUSE_DOUBLE_BIT_ECC_ERROR
    put("nvmlDeviceGetRetiredPages", ("retired_pages", len), args=(cause,))
    put(
        "nvmlDeviceGetRemappedRows",
        ("remapped_rows", lambda rows: rows[1]),
        ("remap_pending", lambda rows: bool(rows[2])),
        ("remap_failed", lambda rows: bool(rows[3])),
    )
    put("nvmlDeviceGetTemperature", ("temperature_celsius", int), args=(pynvml.NVML_TEMPERATURE_GPU,))
    slowdown = pynvml.NVML_TEMPERATURE_THRESHOLD_SLOWDOWN
    put("nvmlDeviceGetTemperatureThreshold", ("slowdown_celsius", int), args=(slowdown,))
    put("nvmlDeviceGetCurrentClocksThrottleReasons", ("throttle_reasons", _reasons))


def _slot(info: Any) -> str:  # noqa: ANN401
    """Slot in the kernel's notation: NVML writes the domain with 8 digits, sysfs with 4."""
    text = info.busId.decode("ascii", "replace") if isinstance(info.busId, bytes) else str(info.busId)
    return text.lower().removeprefix("0000") if len(text) == 16 else text.lower()


def _reasons(bits: int) -> Json:
    named: list[Json] = [name for bit, name in enumerate(THROTTLE_REASONS) if bits >> bit & 1]
    rest = bits >> len(THROTTLE_REASONS) << len(THROTTLE_REASONS)
    return [*named, *([f"{rest:#x}"] if rest else [])]


def _instances(pynvml: Any, announce: Announce, parent: Any, of_parent: _Asking) -> Json:  # noqa: ANN401
    most = of_parent("mig_count", "nvmlDeviceGetMaxMigDeviceCount", parent)
    of_parent.absent.pop("mig_count", None)
    found: list[Json] = []
    for index in range(min(most or 0, MAX_DEVICES)):
        announce("nvmlDeviceGetMigDeviceHandleByIndex")
        try:
            handle = pynvml.nvmlDeviceGetMigDeviceHandleByIndex(parent, index)
        except pynvml.NVMLError as error:
            name = of_parent.error_name(error)
            if name != "NVML_ERROR_NOT_FOUND":  # the slots of a parent need not be taken in order
                of_parent.refused.append({"call": "nvmlDeviceGetMigDeviceHandleByIndex", "error": name})
            continue
        found.append(_instance(_Asking(pynvml, announce), handle))
    return found


def _instance(ask_for: _Asking, handle: Any) -> Json:  # noqa: ANN401
    uuid = ask_for("uuid_hash", "nvmlDeviceGetUUID", handle)
    name = ask_for("profile", "nvmlDeviceGetName", handle)
    memory = ask_for("memory_bytes", "nvmlDeviceGetMemoryInfo", handle)
    profile = name.rpartition("MIG ")[2] if name and "MIG " in name else None
    if profile is None:
        slices = ask_for("profile", "nvmlDeviceGetAttributes", handle)
        if slices is not None:
            ask_for.absent.pop("profile", None)
            # The decimal of the profile's name is the memory rounded up to whole GB: 4864 MiB is 1g.5gb.
            profile = f"{slices.gpuInstanceSliceCount}g.{-(-slices.memorySizeMB // 1024)}gb"
    return {
        "uuid": uuid,
        "profile": profile,
        "memory_bytes": None if memory is None else int(memory.total),
        "absent": ask_for.absent,
        "refused": ask_for.refused,
    }
