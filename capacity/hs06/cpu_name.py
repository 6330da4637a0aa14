"""One key for one processor model, whatever prints its name: /proc/cpuinfo, lscpu, a hypervisor, a benchmark table.

Examples: `Intel(R) Xeon(R) CPU E5-2683 v4 @ 2.10GHz` and `Intel Xeon E5-2683v4` → `intel xeon e5-2683 v4`;
`AMD EPYC 7302P 16-Core Processor` → `amd epyc 7302p`; `Neoverse-N1 - Ampere(R) Altra(R) Max Processor M128-30 3.00GHz` →
`ampere altra max m128-30`; `Intel Core Processor (Haswell, no TSX, IBRS)` → `virtual haswell`.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

_LONGEST = 256
"""Characters looked at; lscpu cuts names at 48 on x86 (CPUID leaves 0x80000002-4), ARM firmware at 64."""

_CLOCK = re.compile(r"@?\s*\b([0-9]{1,2}(?:\.[0-9]{1,3})?)\s*ghz\b")
_MARKS = re.compile(r"\(r\)|\(tm\)|\(c\)|®|™|,")
_NOISE = re.compile(
    r"\b(?:(?:[0-9]{1,3}|single|dual|triple|quad|six|eight|twelve|sixteen)[- ]core"
    r"|cpu|processors?|scalable|with (?:amd )?radeon.*|w/ radeon.*|apu)(?![a-z0-9])"
)
_SPACE = re.compile(r"\s+")
_ENGINEERING = re.compile(
    r"\bgenuine intel\b|\beng(?:ineering)? sample\b|\b100-0000[0-9]{5}-[0-9]{2}|\b0000\b"
)
_XEON_GENERATION = re.compile(r"\b(e[357])[ -]?([0-9]{4}[a-z]{0,2}?)(?: ?0\b| ?(v[2-6]))?(?=\s|$)")
_ALTRA = re.compile(r"\baltra\b(?: (max))?(?: ([qm][0-9]{2,3}-[0-9]{2}))?")

_VIRTUAL = (
    (r"turin", "zen5"), (r"genoa|bergamo", "zen4"), (r"milan", "zen3"), (r"rome", "zen2"), (r"naples", "zen"),
    (r"graniterapids", "graniterapids"), (r"sierraforest", "sierraforest"), (r"sapphirerapids", "sapphirerapids"),
    (r"ice ?lake", "icelake"), (r"cascade ?lake|cooperlake", "cascadelake"), (r"skylake", "skylake_avx512"),
    (r"broadwell", "broadwell"), (r"haswell", "haswell"), (r"ivy ?bridge|e3-12xx v2", "ivybridge"),
    (r"sandy ?bridge|e312xx", "sandybridge"), (r"westmere|e56xx", "westmere"), (r"nehalem|core i7 9xx", "nehalem"),
    (r"conroe|penryn|core 2 duo", "core2"), (r"opteron g[1-5]|opteron [0-9]{2}xx", "opteron"),
)  # fmt: skip
"""What QEMU's CPU models call themselves (target/i386/cpu.c, `model_id`) → archspec's micro-architecture."""
_QEMU = re.compile(r"\(([^)]{1,60})\)|\b(?:qemu|kvm|common)\b|epyc-(?:rome|milan|genoa|turin)|[0-9]xx\b")
_NAMELESS = frozenset({
    "amd epyc", "intel xeon", "intel core", "amd opteron", "intel xeon gold", "intel xeon platinum", "intel xeon silver", "intel", "amd",
    "amd opteron 62xx", "amd opteron 63xx",
})  # fmt: skip
"""What is left of a name that a hypervisor has shortened to the brand, e.g. `AMD EPYC`, `Intel Xeon Processor @ 2.30GHz`."""


class CpuName(NamedTuple):
    """What a name tells.

    Attributes:
        key: the same for all spellings of one model; "" if the name is empty.
        model: whether the key names one model; false for names that hypervisors and engineering samples give.
        microarchitecture: archspec's name of it, if the name of a virtual CPU says so.
        clock_ghz: nominal clock, if the name says so.
        why: why the key names no model.
    """

    key: str
    model: bool
    microarchitecture: str | None = None
    clock_ghz: float | None = None
    why: str | None = None


def normalise(name: str) -> str:
    """The key (`cpu_key`) of a processor name."""
    return parse(name).key


@lru_cache(maxsize=4096)
def parse(name: str) -> CpuName:
    """Key, nominal clock and what else a processor name tells. Never raises; reads 256 characters at most."""
    raw = _SPACE.sub(" ", _MARKS.sub(" ", name[:_LONGEST].lower()).replace("( r )", " ")).strip()
    raw = re.sub(r"\( ?(?:r|tm) ?\)", " ", raw)
    clock = _CLOCK.search(raw)
    clock_ghz = float(clock.group(1)) if clock and 0.1 < float(clock.group(1)) < 10 else None
    if _ENGINEERING.search(raw):
        key = " ".join(
            ("engineering sample", *re.findall(r"[0-9a-z_./-]*[0-9][0-9a-z_./-]*", _CLOCK.sub(" ", raw)))
        )
        return CpuName(
            key.strip(), model=False, clock_ghz=clock_ghz, why="an engineering sample is in no table"
        )
    if virtual := _virtual(raw, clock_ghz):
        return virtual
    text = raw if "altra" in raw else _CLOCK.sub(" ", raw)
    text = re.sub(r"\([^)]*\)", " ", text.split("@")[0])
    text = _SPACE.sub(" ", _NOISE.sub(" ", text)).strip(" -")
    key = _arm(text) or _power(text) or _x86(text)
    if key in _NAMELESS:
        return CpuName(
            f"virtual {key}", model=False, clock_ghz=clock_ghz, why="the name tells the brand, not the model"
        )
    return CpuName(
        key, model=bool(key), clock_ghz=clock_ghz, why=None if key else "the processor has no name"
    )


def _virtual(raw: str, clock_ghz: float | None) -> CpuName | None:
    hint = _QEMU.search(raw)
    if not hint:
        return None
    inside = hint.group(1) or raw
    for pattern, microarchitecture in _VIRTUAL:
        if re.search(pattern, inside):
            why = (
                f"a virtual CPU of the {microarchitecture} kind; the hypervisor hides which model it runs on"
            )
            return CpuName(f"virtual {microarchitecture}", False, microarchitecture, clock_ghz, why)  # noqa: FBT003
    if re.search(r"\b(?:qemu|kvm)\b", raw) or "ibpb" in raw:
        brand = "epyc" if "epyc" in raw else "x86"
        return CpuName(
            f"virtual {brand}", model=False, clock_ghz=clock_ghz, why="the hypervisor hides the model"
        )
    return None


def _arm(text: str) -> str | None:
    altra = _ALTRA.search(text)
    if altra:
        return " ".join(word for word in ("ampere altra", altra.group(1), altra.group(2)) if word)
    for word in ("neoverse-", "cortex-", "thunderx", "a64fx", "kunpeng", "graviton", "grace", "ampereone"):
        if word in text:
            return text.replace(" - ", " ")
    return None


def _power(text: str) -> str | None:
    found = re.search(r"\bpower ?([0-9]{1,2})\b", text)
    return f"ibm power{found.group(1)}" if found else None


def _x86(text: str) -> str:
    text = re.sub(r"\bxeon gold gold\b", "xeon gold", text)
    text = _XEON_GENERATION.sub(lambda m: f"{m[1]}-{m[2]}{f' {m[3]}' if m[3] else ''}", text)
    text = re.sub(r"\b(epyc|opteron) se\b", r"\1", text)
    if re.match(r"(?:xeon|core i|pentium|atom)\b", text):
        text = f"intel {text}"
    elif re.match(r"(?:epyc|opteron|ryzen|threadripper)\b", text):
        text = f"amd {text}"
    return _SPACE.sub(" ", text).strip()
