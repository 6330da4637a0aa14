"""What the kernel does with the processors: governor, clock, throttling, mitigations. A library for probes."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from probes.errors import HostError
from probes.host import KIB, Host

CPUS: Final = "/sys/devices/system/cpu"

MAX_POLICIES: Final = 64
"""Governors are set for all policies by the same tool; this many, evenly spread, show a mixture."""

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


class Frequency(NamedTuple):
    """Of cpufreq; None with a reason in `problem` if the machine has none."""

    governors: tuple[str, ...] | None
    energy_preferences: tuple[str, ...] | None
    driver: str | None
    min_mhz: float | None
    max_mhz: float | None
    now_mhz: float | None
    problem: str | None


def frequency(host: Host) -> Frequency:
    """Read the cpufreq policies. Virtual machines have none: the host of the machine decides."""
    base = f"{CPUS}/cpufreq"
    try:
        policies = [name for name in host.list_dir(base) if re.fullmatch(r"policy[0-9]{1,5}", name)]
    except HostError as error:
        return Frequency(None, None, None, None, None, None, error.text)
    if not policies:
        problem = (
            f"{base} has no policies: the frequency is not this kernel's to choose, as in virtual machines"
        )
        return Frequency(None, None, None, None, None, None, problem)
    policies.sort(key=lambda name: int(name[6:]))
    some = policies[:: -(-len(policies) // MAX_POLICIES)]
    first = f"{base}/{some[0]}"
    return Frequency(
        governors=_names(host, [f"{base}/{name}/scaling_governor" for name in some]),
        energy_preferences=_names(host, [f"{base}/{name}/energy_performance_preference" for name in some]),
        driver=_name(host, f"{first}/scaling_driver"),
        min_mhz=_khz_as_mhz(host, f"{first}/scaling_min_freq"),
        max_mhz=_khz_as_mhz(host, f"{first}/scaling_max_freq"),
        now_mhz=_khz_as_mhz(host, f"{first}/scaling_cur_freq"),
        problem=None,
    )


def throttle_events(host: Host, online: frozenset[int]) -> int | None:
    """Thermal throttling events since boot; None if the processor does not count them (only Intel does).

    A package's counter is the same in all its CPUs, so the largest one is added to those of the cores; at
    most MAX_POLICIES CPUs are asked.
    """
    cpus = sorted(online)
    step = max(1, -(-len(cpus) // MAX_POLICIES))
    cores: list[int] = []
    packages: list[int] = []
    for cpu in cpus[::step]:
        directory = f"{CPUS}/cpu{cpu}/thermal_throttle"
        core = _number(host, f"{directory}/core_throttle_count")
        if core is None:
            break
        cores.append(core)
        packages.append(_number(host, f"{directory}/package_throttle_count") or 0)
    return sum(cores) + max(packages) if cores else None


def mitigations(host: Host) -> dict[str, str] | None:
    """CPU vulnerability → the kernel's word on it; None if the kernel is older than 4.15 or hides it."""
    base = f"{CPUS}/vulnerabilities"
    found = {}
    for name in host.list_dir_or_empty(base)[:256]:
        text = host.read_text_or_none(f"{base}/{name}", limit_bytes=4 * KIB)
        if text is not None and _NAME.fullmatch(name):
            found[name] = text.strip()[:1024]
    return found or None


def _text(host: Host, path: str) -> str:
    return (host.read_text_or_none(path, limit_bytes=4 * KIB) or "").strip()


def _name(host: Host, path: str) -> str | None:
    text = _text(host, path)
    return text if _NAME.fullmatch(text) else None


def _names(host: Host, paths: list[str]) -> tuple[str, ...] | None:
    return tuple(sorted({name for path in paths if (name := _name(host, path))}))[:16] or None


def _number(host: Host, path: str) -> int | None:
    text = _text(host, path)
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 15 else None


def _khz_as_mhz(host: Host, path: str) -> float | None:
    number = _number(host, path)
    return number / 1000 if number is not None and 0 < number < 10**8 else None
