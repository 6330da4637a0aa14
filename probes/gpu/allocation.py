"""What the environment says of granted accelerators, variable by variable, and whose slot this is."""

from __future__ import annotations

import re

from probes.host import Host
from profiles.facts.gpu import AllocationKind, GpuAllocation

VARIABLES = (
    "_CONDOR_AssignedGPUs",
    "SLURM_STEP_GPUS",
    "SLURM_JOB_GPUS",
    "CUDA_VISIBLE_DEVICES",
    "NVIDIA_VISIBLE_DEVICES",
    "ROCR_VISIBLE_DEVICES",
)

MAX_DEVICES = 1024

_SLOTS = (
    ("_CONDOR_SLOT", "HTCondor"),
    ("SLURM_JOB_ID", "Slurm"),
    ("PBS_JOBID", "PBS"),
    ("LSB_JOBID", "LSF"),
    ("KUBERNETES_SERVICE_HOST", "Kubernetes"),
)
"""Variables that only a job (or a pod) has."""

_NONE = {
    "_CONDOR_AssignedGPUs": {"", "10000", "undefined"},
    "CUDA_VISIBLE_DEVICES": {"", "-1", "NoDevFiles", "10000"},
    "NVIDIA_VISIBLE_DEVICES": {"", "none", "void"},
    "ROCR_VISIBLE_DEVICES": {"", "-1"},
}
"""Words for "no device": 10000 is HTCondor's index that no device has, set where a job asked for none; void
is the container runtime's "I was not asked"."""

_UUID = re.compile(r"(?:GPU|MIG)-[0-9A-Za-z/-]+")
_INDEX = re.compile(r"(?:CUDA|OCL|HIP)?(\d{1,5})(?:-(\d{1,5}))?(?::\d{1,5})?")
"""3, CUDA3 (HTCondor), 0-3 (Slurm), 0:1 (device:instance, container runtime)."""


def allocations(host: Host) -> tuple[GpuAllocation, ...]:
    """One entry for each variable that is set."""
    texts = ((name, host.env(name)) for name in VARIABLES)
    return tuple(understand(name, text) for name, text in texts if text is not None)


def understand(variable: str, text: str) -> GpuAllocation:
    """Read the value of an allocation variable; UUIDs are counted, never kept."""
    text = text.strip()
    if text in _NONE.get(variable, {""}):
        return GpuAllocation(variable=variable, kind=AllocationKind.NONE, count=0)
    if text == "all" and variable == "NVIDIA_VISIBLE_DEVICES":
        return GpuAllocation(variable=variable, kind=AllocationKind.ALL, count=None)
    devices: set[str] = set()
    uuids, mig = False, False
    for word in text.split(","):
        word = word.strip()  # noqa: PLW2901
        if _UUID.fullmatch(word):
            devices.add(word)
            uuids, mig = True, mig or word.startswith("MIG-")
            continue
        found = _INDEX.fullmatch(word)
        first, last = (int(found[1]), int(found[2] or found[1])) if found else (1, 0)
        if not 0 <= last - first < MAX_DEVICES:
            return GpuAllocation(variable=variable, kind=AllocationKind.NOT_UNDERSTOOD, count=None)
        devices.update([word] if ":" in word else (str(index) for index in range(first, last + 1)))
    return GpuAllocation(
        variable=variable, kind=AllocationKind.DEVICES, count=len(devices), by_uuid=uuids, mig=mig
    )


def slot_of(host: Host) -> str | None:
    """Whose slot this is, None outside of any."""
    return next((name for variable, name in _SLOTS if host.has_env(variable)), None)
