"""Why this CPU does not run code built for a target: the features that it lacks. A library of `agent explain`."""

from __future__ import annotations

import re

from probes import isa, microarchitecture, processors
from probes.host import Host

_LEVEL = re.compile(r"x86[-_]64[-_]v([1-4])")


def why_not(host: Host, target: str) -> tuple[str, ...]:
    """What is missing for `target`, empty if nothing is.

    Args:
        host: whose /proc/cpuinfo is read.
        target: an x86-64 level ("x86-64-v4", by the full flag table of the psABI) or a name of archspec ("zen4").

    Raises:
        KeyError: archspec knows no such target.
        HostError: the CPU cannot be read.
    """
    machine = host.system_name().machine
    cpu = processors.parse(host.read_text("/proc/cpuinfo", limit_bytes=processors.MAX_BYTES))
    flags = cpu.flags or frozenset()
    level = _LEVEL.fullmatch(target)
    if level and machine == "x86_64":
        return isa.missing_of(flags).get(int(level[1]), ())
    from archspec.cpu import TARGETS  # noqa: PLC0415 - the agent must start without the table

    wanted = TARGETS[target.replace("-", "_")]
    family = microarchitecture.FAMILIES.get(machine)
    if str(wanted.family) != family:
        return (f"the architecture {wanted.family} (this is {machine})",)
    lacking: list[str] = []
    vendor = microarchitecture.arm_vendor(cpu.arm[0].implementer) if cpu.arm else cpu.vendor
    if wanted.vendor not in ("generic", vendor) and not machine.startswith("ppc"):
        lacking.append(f"the vendor {wanted.vendor}")
    if machine.startswith("ppc") and (cpu.power_generation or 0) < wanted.generation:
        lacking.append(f"POWER{wanted.generation}")
    shown = flags | ({"sse3"} if "ssse3" in flags else frozenset())
    return (*lacking, *sorted(wanted.features - shown))
