"""Accelerators: presence, NVML, allocation, health. NVML runs at its own risk, in a child of its own."""

from __future__ import annotations

from typing import Any

from probes.errors import HostError
from probes.gpu import allocation, nvml, sysfs
from probes.gpu.checks import CHECKS
from probes.gpu.judge import judge, summarise
from probes.host import Host
from probes.settings import Settings
from probes.spec import Probe
from profiles.facts.gpu import GpuFacts, NvmlFacts, NvmlStatus, PciGpu

__all__ = ["CHECKS", "PROBE", "gather"]


def gather(host: Host, settings: Settings) -> GpuFacts:  # noqa: ARG001 - every probe is called alike
    """Read the accelerators of this node."""
    return gather_within(host, nvml.DEADLINE_S)


def gather_within(host: Host, nvml_deadline_s: float) -> GpuFacts:
    """Read the accelerators; NVML is killed after `nvml_deadline_s`, the rest is kept."""
    absent: dict[str, str] = {}
    pci: tuple[PciGpu, ...] | None = None
    try:
        pci = sysfs.pci_gpus(host)
    except HostError as error:
        # A machine may have no PCI bus (s390x, small virtual machines); without /sys nothing is known.
        pci = () if error.is_absent and host.exists("/sys/bus") else None
        if pci is None:
            absent["pci"] = str(error)
    found: NvmlFacts | None = None
    try:
        found = nvml.ask(host, nvml_deadline_s)
    except HostError as error:
        absent["nvml"] = str(error)
    facts: dict[str, Any] = {
        "pci": pci,
        "nvml": found,
        "nodes": sysfs.device_nodes(host, try_nvidia=found is None or found.status is not NvmlStatus.HUNG),
        "kernel_module_version": _or_reason(host, absent),
        "other": sysfs.other_gpus(host, pci or ()),
        "allocations": allocation.allocations(host),
        "slot_of": allocation.slot_of(host),
    }
    if facts["slot_of"] is None:
        absent["slot_of"] = "no variable of a batch system or Kubernetes is set"
    return GpuFacts(**facts, absent=absent)


def _or_reason(host: Host, absent: dict[str, str]) -> str | None:
    try:
        return sysfs.kernel_module_version(host)
    except HostError as error:
        absent["kernel_module_version"] = str(error)
        return None


PROBE = Probe(
    name="gpu",
    title="Accelerators: presence, NVML, MIG, allocation and health",
    section="Hardware",
    facts_model=GpuFacts,
    gather=gather,
    judge=judge,
    summarise=summarise,
    checks=CHECKS,
    # NVML's own 5 s come after the import of its bindings, which took longer than that on a busy emulated node.
    deadline_s=12.0,
)
