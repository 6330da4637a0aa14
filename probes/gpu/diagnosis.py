"""What it means that NVML does not open, and what to do about it."""

from __future__ import annotations

from typing import NamedTuple

from profiles.checks import Status
from profiles.facts.gpu import NvmlFacts, NvmlStatus


class Diagnosis(NamedTuple):
    """A verdict on NVML's failure; the hint is None for the catalogue's own."""

    status: Status
    text: str
    hint: str | None = None


_ERRORS = {
    "NVML_ERROR_DRIVER_NOT_LOADED": (
        "the NVIDIA driver is not loaded",
        "modprobe nvidia on the node (after a kernel update: rebuild the module, e.g. dkms autoinstall).",
    ),
    "NVML_ERROR_UNKNOWN": (
        "NVML says Unknown Error: access to the devices was lost",
        "A systemd daemon-reload took the devices away: restart the container; for good, use CDI or cgroupfs.",
    ),
    "NVML_ERROR_NO_PERMISSION": (
        "this process may not open the NVIDIA devices",
        "Check the modes of /dev/nvidia* and /dev/nvidiactl and the device cgroup of the slot.",
    ),
    "NVML_ERROR_GPU_IS_LOST": (
        "a GPU has fallen off the bus",
        "Look for Xid 79 in dmesg; drain the node and power-cycle it; reseat or replace the board.",
    ),
}


def diagnose(nvml: NvmlFacts, kernel_module_version: str | None, *, present: bool) -> Diagnosis:
    """Verdict on an NVML that did not open.

    `present`: whether PCI, a device node or the kernel module shows an NVIDIA device; without one a missing
    library is nothing to complain about.
    """
    call = nvml.call or "loading the library"
    if nvml.status is NvmlStatus.HUNG:
        return Diagnosis(
            Status.CRITICAL,
            f"NVML hung in {call}: {nvml.detail}",
            "The driver is stuck: look for Xid and NVRM lines in dmesg, drain the node and reboot it.",
        )
    if nvml.status is NvmlStatus.CRASHED:
        hint = "Library and driver do not fit, or the library is damaged: reinstall the driver's packages."
        return Diagnosis(Status.CRITICAL, f"NVML crashed in {call}: {nvml.detail}", hint)
    if "Is a directory" in (nvml.detail or "") and nvml.status is NvmlStatus.LIBRARY_MISSING:
        hint = (
            "A bind mount whose source was missing left an empty directory: remove it, install the driver "
            "on the node, and start the container again."
        )
        return Diagnosis(Status.CRITICAL, "libnvidia-ml.so.1 is a directory, not a library", hint)
    if not present and (
        nvml.status in (NvmlStatus.NO_BINDINGS, NvmlStatus.LIBRARY_MISSING)
        or nvml.error == "NVML_ERROR_DRIVER_NOT_LOADED"
    ):
        return Diagnosis(Status.SKIPPED, "no NVIDIA device")
    if nvml.status is NvmlStatus.NO_BINDINGS:
        hint = "pip install 'sitecap[gpu-nvidia]'"
        return Diagnosis(Status.WARNING, "an NVIDIA device is here, but Python has no NVML bindings", hint)
    if nvml.status is NvmlStatus.LIBRARY_MISSING:
        hint = "Start the container with --nv (Apptainer) or the NVIDIA runtime; or install the driver."
        return Diagnosis(Status.WARNING, "an NVIDIA device is here, but not libnvidia-ml.so.1", hint)
    if nvml.error == "NVML_ERROR_LIB_RM_VERSION_MISMATCH":
        loaded = f" (loaded: {kernel_module_version})" if kernel_module_version else ""
        hint = "The driver was updated while in use: restart the container; or reload the module, or reboot."
        return Diagnosis(Status.CRITICAL, f"library and kernel module have different versions{loaded}", hint)
    text, hint_or_none = _ERRORS.get(nvml.error or "", (None, None))
    return Diagnosis(Status.CRITICAL, text or f"{call} failed: {nvml.error or nvml.detail}", hint_or_none)
