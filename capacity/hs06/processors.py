"""Which micro-architecture a processor has, and what its maker says of it: nominal clock, cores, L3."""

from __future__ import annotations

import csv
import re
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from capacity.hs06 import cpu_name
from capacity.hs06.model import CpuDescription

PARENTS: dict[str, str | None] = {
    "k8": None, "k10": "k8", "bulldozer": "k10", "piledriver": "bulldozer",
    "zen": None, "zen2": "zen", "zen3": "zen2", "zen4": "zen3", "zen5": "zen4", "zen4c": "zen4", "zen5c": "zen5",
    "netburst": None, "core2": "netburst", "penryn": "core2", "nehalem": "penryn", "westmere": "nehalem",
    "sandybridge": "westmere", "ivybridge": "sandybridge", "haswell": "ivybridge", "broadwell": "haswell",
    "skylake_avx512": "broadwell", "cascadelake": "skylake_avx512", "icelake": "cascadelake",
    "sapphirerapids": "icelake", "emeraldrapids": "sapphirerapids", "graniterapids": "emeraldrapids",
    "silvermont": None, "sierraforest": None,
    "neoverse_n1": None, "neoverse_n2": "neoverse_n1", "neoverse_v1": "neoverse_n1", "neoverse_v2": "neoverse_v1",
}  # fmt: skip
"""A micro-architecture → the one it was developed from. A generation resembles its parent more than a stranger."""

_BY_NAME: tuple[tuple[str, str], ...] = (
    (r"epyc 97[0-9]4|epyc 8[0-9]{2}4", "zen4c"), (r"epyc (?:9[67]45|9[89][0-9]5)", "zen5c"),
    (r"epyc (?:9[0-9a-z]{2}5|4[0-9]{2}5)", "zen5"), (r"epyc (?:9[0-9a-z]{2}4|4[0-9]{2}4)", "zen4"),
    (r"epyc 7[0-9a-z]{2}3|epyc 7[a-z]13", "zen3"), (r"epyc 7[0-9a-z]{2}2|epyc 7[a-z]12", "zen2"), (r"epyc 7[0-9a-z]{2}1", "zen"),
    (r"opteron 6[23][0-9]8|opteron 63", "piledriver"), (r"opteron [64]2", "bulldozer"),
    (r"opteron (?:6[1]|23[5-9]|24|83[5-9]|84)", "k10"), (r"opteron (?:[12]?[0-9]{3}|22|82)\b|opteron 2[0-9]{2}\b", "k8"),
    (r"xeon max", "sapphirerapids"), (r"xeon 6[0-9]{3}e", "sierraforest"), (r"xeon 6[0-9]{3}p", "graniterapids"),
    (r"xeon (?:bronze|silver|gold|platinum) [3-9]5", "emeraldrapids"), (r"xeon (?:bronze|silver|gold|platinum) [3-9]4", "sapphirerapids"),
    (r"xeon (?:bronze|silver|gold|platinum) [3-9]3", "icelake"), (r"xeon (?:bronze|silver|gold|platinum) [3-9]2", "cascadelake"),
    (r"xeon (?:bronze|silver|gold|platinum) [3-9]1", "skylake_avx512"),
    (r"xeon e[357]-[0-9a-z]+ v4", "broadwell"), (r"xeon e[357]-[0-9a-z]+ v3", "haswell"), (r"xeon e[357]-[0-9a-z]+ v2", "ivybridge"),
    (r"xeon e[35]-[0-9a-z]+$", "sandybridge"), (r"xeon [exlw]?56[0-9]{2}|xeon e7-", "westmere"), (r"xeon [exlw]?55[0-9]{2}", "nehalem"),
    (r"xeon [exl]?54[0-9]{2}|xeon [exl]52", "penryn"), (r"xeon [exl]?5[13][0-9]{2}", "core2"), (r"xeon 800mhz fsb|virtual intel xeon$", "netburst"),
    (r"atom c2", "silvermont"),
    (r"ampere altra|neoverse-n1|graviton2", "neoverse_n1"), (r"neoverse-n2", "neoverse_n2"), (r"neoverse-v1|graviton3", "neoverse_v1"),
    (r"neoverse-v2|grace|graviton4", "neoverse_v2"),
)  # fmt: skip
"""Makers' naming schemes, first match wins: the last digit of an EPYC, the second of a Xeon Scalable tell the generation."""

_AMD = ((23, range(0x30), "zen"), (23, range(0x30, 0x100), "zen2"), (25, range(0x10), "zen3"), (25, range(0x20, 0x60), "zen3"),
        (25, range(0x10, 0x20), "zen4"), (25, range(0x60, 0x80), "zen4"), (25, range(0xA0, 0xB0), "zen4c"),
        (26, range(0x10), "zen5"), (26, range(0x10, 0x20), "zen5c"), (21, range(2), "bulldozer"), (21, range(2, 0x10), "piledriver"))  # fmt: skip
"""(family, models) as Linux divides them (arch/x86/kernel/cpu/amd.c)."""
_INTEL = {
    26: "nehalem", 44: "westmere", 45: "sandybridge", 62: "ivybridge", 63: "haswell", 79: "broadwell", 86: "broadwell",
    85: "skylake_avx512", 106: "icelake", 108: "icelake", 143: "sapphirerapids", 207: "emeraldrapids", 173: "graniterapids",
    175: "sierraforest",
}  # fmt: skip
"""Models of family 6 (arch/x86/include/asm/intel-family.h); 85 is also Cascade Lake, told apart by AVX512-VNNI."""


class Processor(NamedTuple):
    """What a maker publishes of one model.

    Attributes:
        cores: physical, of one package.
        nominal_ghz: base clock.
        l3_mib: of one package; None = no list that was at hand tells it, or two contradict each other.
        clock_source: list that cores and clock were read from; docs/explanation/hs06-equivalent.md says which it is.
        l3_source: the same for the L3; None without one.
    """

    key: str
    cores: int
    nominal_ghz: float
    l3_mib: float | None
    clock_source: str
    l3_source: str | None


@cache
def published() -> dict[str, Processor]:
    """Key → what its maker publishes (data/processors.csv)."""
    text = files("capacity.hs06").joinpath("data", "processors.csv").read_text("utf-8")
    return {
        line["key"]: Processor(
            key=line["key"],
            cores=int(line["cores"]),
            nominal_ghz=float(line["nominal_ghz"]),
            l3_mib=float(line["l3_mib"]) if line["l3_mib"] else None,
            clock_source=line["clock_source"],
            l3_source=line["l3_source"] or None,
        )
        for line in csv.DictReader(text.splitlines())
    }


def facts_of(key: str) -> Processor | None:
    """What is published of a model; a single-socket sibling (EPYC 7302P) is the same silicon."""
    found = published()
    return found.get(key) or found.get(without_p(key))


def without_p(key: str) -> str:
    """The key of the two-socket sibling: `amd epyc 7302p` → `amd epyc 7302`."""
    return key.removesuffix("p") if key.startswith("amd epyc") else key


def silicon_of(key: str) -> str:
    """What models of the same silicon have in common: 7302 and 7302P; an Altra Max with and without its part number."""
    return "ampere altra max" if key.startswith("ampere altra max") else without_p(key)


def key_of(cpu: CpuDescription) -> str:
    """The key of a node's processor. ARM names only its core, so Altra and Altra Max are told by their core count."""
    key = cpu_name.normalise(cpu.model_name or "")
    if key == "neoverse-n1" and cpu.physical_cores and cpu.virtualised is not True:
        per_package = cpu.physical_cores / (cpu.packages or 1)
        return "ampere altra max" if per_package > 80 else "ampere altra"
    return key


def microarchitecture_of(cpu: CpuDescription) -> str | None:
    """By the model's name, then by family and model number, then by archspec; None = a stranger.

    archspec comes last: it judges by flags, and hypervisors hide flags (a Zen 3 without `pku` looks like Zen 2).
    """
    name, key = cpu_name.parse(cpu.model_name or ""), key_of(cpu)
    if name.model:
        for pattern, microarchitecture in _BY_NAME:
            if re.search(pattern, key):
                return microarchitecture
    if cpu.x86_family is not None and cpu.x86_model is not None:
        if cpu.x86_family == 6 and cpu.x86_model in _INTEL:
            cascade = cpu.x86_model == 85 and "cascadelake" in (cpu.microarchitecture, name.microarchitecture)
            return "cascadelake" if cascade else _INTEL[cpu.x86_model]
        for family, models, microarchitecture in _AMD:
            if family == cpu.x86_family and cpu.x86_model in models:
                return microarchitecture
    for candidate in (
        name.microarchitecture,
        _ARCHSPEC.get(cpu.microarchitecture or "", cpu.microarchitecture),
    ):
        if candidate in PARENTS:
            return candidate
    return None


_ARCHSPEC = {"skylake": "skylake_avx512", "cannonlake": "skylake_avx512", "steamroller": "piledriver", "excavator": "piledriver"}  # fmt: skip
"""archspec's names that stand for another of ours."""


def lineage(microarchitecture: str) -> tuple[str, ...]:
    """A micro-architecture and its ancestors, oldest first."""
    found: list[str] = []
    here: str | None = microarchitecture
    while here is not None:
        found.append(here)
        here = PARENTS[here]
    return tuple(reversed(found))


def smt_states(cpu: CpuDescription) -> tuple[bool, ...]:
    """SMT states to reckon with: a virtual CPU without visible siblings may be a whole core or one thread of it."""
    if cpu.smt_on is None or (cpu.virtualised and not cpu.smt_on):
        return (False, True) if may_have_smt(cpu) else (False,)
    return (cpu.smt_on,)


def may_have_smt(cpu: CpuDescription) -> bool:
    """False for micro-architectures that have no second thread: ARM Neoverse, AMD before Zen, Intel Core 2."""
    root = microarchitecture_of(cpu)
    none = {"k8", "k10", "bulldozer", "piledriver", "core2", "penryn", "silvermont", "sierraforest"}
    return not (cpu.arch == "aarch64" or (root is not None and (root in none or root.startswith("neoverse"))))
