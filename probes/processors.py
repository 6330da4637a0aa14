"""Reading /proc/cpuinfo of x86, ARM and POWER. A library for probes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median

MAX_BYTES = 8 * 1024 * 1024
"""A node of 768 threads has some 1.3 MB; more than this is not a /proc/cpuinfo."""

MAX_TEXT = 256
MAX_FLAGS = 2048

ARM_IMPLEMENTERS = {
    "0x41": "ARM", "0x42": "Broadcom", "0x43": "Cavium", "0x46": "Fujitsu", "0x48": "HiSilicon",
    "0x4e": "NVIDIA", "0x50": "APM", "0x51": "Qualcomm", "0x56": "Marvell", "0x61": "Apple",
    "0x6d": "Microsoft", "0x70": "Phytium", "0xc0": "Ampere",
}  # fmt: skip
"""Codes of MIDR_EL1.Implementer (util-linux sys-utils/lscpu-arm.c)."""

ARM_PARTS = {
    ("0x41", "0xd07"): "Cortex-A57", ("0x41", "0xd08"): "Cortex-A72", ("0x41", "0xd0c"): "Neoverse-N1",
    ("0x41", "0xd40"): "Neoverse-V1", ("0x41", "0xd49"): "Neoverse-N2", ("0x41", "0xd4f"): "Neoverse-V2",
    ("0x41", "0xd83"): "Neoverse-V3AE", ("0x41", "0xd84"): "Neoverse-V3", ("0x41", "0xd8e"): "Neoverse-N3",
    ("0x43", "0x0af"): "ThunderX2", ("0x46", "0x001"): "A64FX", ("0x48", "0xd01"): "TaiShan-v110",
    ("0x6d", "0xd49"): "Azure Cobalt 100", ("0xc0", "0xac3"): "Ampere-1", ("0xc0", "0xac4"): "Ampere-1a",
}  # fmt: skip
"""(implementer, part) → name, for processors of servers (util-linux sys-utils/lscpu-arm.c)."""

_POWER = re.compile(r"power(\d{1,2})(?!\d)", re.IGNORECASE)
_HEX = re.compile(r"0x[0-9a-f]{1,8}")


@dataclass(frozen=True, kw_only=True)
class ArmPart:
    """One kind of ARM core; codes in lower-case hexadecimal as the kernel writes them."""

    implementer: str
    part: str
    variant: str | None
    revision: str | None


@dataclass(frozen=True, kw_only=True)
class Processors:
    """What /proc/cpuinfo says; None = it does not say.

    Attributes:
        flags: features that all processors have; a job may be moved to any of them.
        frequency_mhz: median over the processors.
        online: how many processors are listed; 0 = none could be read.
        packages, cores: by "physical id" and "core id", which only x86 has.
    """

    vendor: str | None
    model_name: str | None
    family: int | None
    model: int | None
    stepping: int | None
    flags: frozenset[str] | None
    arm: tuple[ArmPart, ...]
    power_generation: int | None
    frequency_mhz: float | None
    online: int
    packages: int | None
    cores: int | None


def parse(text: str) -> Processors:
    """Read the text of /proc/cpuinfo of any of our architectures; damaged lines are passed over."""
    records = list(_records(text))
    first = records[0] if records else {}
    flag_lines = {line for record in records if (line := record.get("flags") or record.get("features"))}
    flags: frozenset[str] | None = None
    for line in flag_lines:
        these = frozenset(flag for flag in line.split()[:MAX_FLAGS] if flag.isascii() and len(flag) <= 64)
        flags = these if flags is None else flags & these
    name = first.get("model name") or first.get("cpu")
    power = _POWER.search(first.get("cpu", ""))
    return Processors(
        vendor=_plain(first.get("vendor_id")),
        model_name=_plain(name),
        family=_count(first.get("cpu family")),
        model=_count(first.get("model")),
        stepping=_count(first.get("stepping")),
        flags=flags or None,
        arm=tuple(sorted({part for record in records if (part := _arm(record))}, key=str))[:16],
        power_generation=int(power[1]) if power else None,
        frequency_mhz=_frequency(records),
        online=len(records),
        packages=_distinct(records, ("physical id",)),
        cores=_distinct(records, ("physical id", "core id")),
    )


def _plain(text: str | None) -> str | None:
    """Without control characters, which could write on the admin's terminal, and of bounded length."""
    return "".join(letter for letter in text or "" if letter.isprintable())[:MAX_TEXT].strip() or None


def _distinct(records: list[dict[str, str]], keys: tuple[str, ...]) -> int | None:
    """How many different combinations of some numbers there are; None if a processor does not have them all."""
    found = {tuple(_count(record.get(key)) for key in keys) for record in records}
    return len(found) if found and not any(None in numbers for numbers in found) else None


def _records(text: str) -> Iterator[dict[str, str]]:
    """One mapping per processor, keys in lower case; what stands before the first one is left out."""
    record: dict[str, str] = {}
    for line in text.splitlines():
        key, colon, value = line.partition(":")
        name = key.strip().lower()
        if name == "processor":
            if record:
                yield record
            record = {"processor": value.strip()}
        elif colon and record and value.strip():
            record.setdefault(name, value.strip())
    if record:
        yield record


def _arm(record: dict[str, str]) -> ArmPart | None:
    implementer, part = record.get("cpu implementer", "").lower(), record.get("cpu part", "").lower()
    if not _HEX.fullmatch(implementer) or not _HEX.fullmatch(part):
        return None
    variant, revision = record.get("cpu variant"), record.get("cpu revision")
    return ArmPart(
        implementer=implementer,
        part=part,
        variant=variant[:16] if variant else None,
        revision=revision[:16] if revision else None,
    )


def _count(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) <= 9 else None


def _frequency(records: list[dict[str, str]]) -> float | None:
    """`cpu MHz` of x86 or `clock` of POWER; ARM has none."""
    found = []
    for record in records:
        text = record.get("cpu mhz") or record.get("clock", "").removesuffix("MHz")
        try:
            value = float(text)
        except ValueError:
            continue
        if 0 < value < 1e5:  # NaN and nonsense fail both comparisons
            found.append(value)
    return median(found) if found else None
