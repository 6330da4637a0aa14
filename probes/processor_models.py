"""What a processor of a known model must be able to do, whatever flags it shows. A library for probes."""

from __future__ import annotations

import re
from typing import NamedTuple


class Known(NamedTuple):
    """A line of processors: its name, its x86-64 level and its archspec target."""

    line: str
    x86_64_level: int
    archspec: str


_AMD_MODELS: tuple[tuple[int, range, Known], ...] = (
    (23, range(0x10), Known("Zen (EPYC 7xx1)", 3, "zen")),
    (23, range(0x30, 0x40), Known("Zen 2 (EPYC 7xx2)", 3, "zen2")),
    (25, range(0x10), Known("Zen 3 (EPYC 7xx3)", 3, "zen3")),
    (25, range(0x10, 0x20), Known("Zen 4 (EPYC 9xx4)", 4, "zen4")),
    (25, range(0xA0, 0xB0), Known("Zen 4c (EPYC 97x4, 8xx4)", 4, "zen4")),
    (26, range(0x20), Known("Zen 5 (EPYC 9xx5)", 4, "zen5")),
)
"""(family, models) as the kernel's arch/x86/kernel/cpu/amd.c divides them."""

_INTEL_MODELS: dict[int, Known] = {
    63: Known("Haswell (Xeon E5 v3)", 3, "haswell"),
    79: Known("Broadwell (Xeon E5 v4)", 3, "broadwell"),
    86: Known("Broadwell (Xeon D)", 3, "broadwell"),
    85: Known("Skylake-SP or Cascade Lake", 4, "skylake_avx512"),
    106: Known("Ice Lake-SP", 4, "icelake"),
    108: Known("Ice Lake-D", 4, "icelake"),
    143: Known("Sapphire Rapids", 4, "sapphirerapids"),
    207: Known("Emerald Rapids", 4, "sapphirerapids"),
    173: Known("Granite Rapids", 4, "sapphirerapids"),
}
"""Models of family 6 (arch/x86/include/asm/intel-family.h)."""

_NAMES: tuple[tuple[re.Pattern[str], Known], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), known)
    for pattern, known in (
        (r"EPYC 9[0-9A-Z]{2}5", Known("Zen 5 (EPYC 9xx5)", 4, "zen5")),
        (r"EPYC (9[0-9A-Z]{2}|8[0-9]{2})4", Known("Zen 4 (EPYC 9xx4, 8xx4)", 4, "zen4")),
        (r"EPYC 7[0-9A-Z]{2}3", Known("Zen 3 (EPYC 7xx3)", 3, "zen3")),
        (r"EPYC 7[0-9A-Z]{2}2", Known("Zen 2 (EPYC 7xx2)", 3, "zen2")),
        (r"EPYC 7[0-9A-Z]{2}1", Known("Zen (EPYC 7xx1)", 3, "zen")),
        (
            r"Xeon\(R\) (Bronze|Silver|Gold|Platinum) [3-9][0-9]{3}",
            Known("Xeon Scalable", 4, "skylake_avx512"),
        ),
        (r"Xeon\(R\) CPU E[357]-[0-9]{4}[A-Z]* v4", Known("Broadwell (Xeon v4)", 3, "broadwell")),
        (r"Xeon\(R\) CPU E[357]-[0-9]{4}[A-Z]* v3", Known("Haswell (Xeon v3)", 3, "haswell")),
    )
)
"""Vendors' naming schemes: the last digit of an EPYC and the tier of a Xeon tell the generation."""


def known(vendor: str | None, model_name: str | None, family: int | None, model: int | None) -> Known | None:
    """The line that a processor belongs to, by its name and else by its numbers; None if we do not know it.

    The name comes first: a hypervisor that masks flags often shows the numbers of an older processor.
    """
    for pattern, line in _NAMES:
        if model_name and pattern.search(model_name):
            return line
    if vendor == "GenuineIntel" and family == 6 and model is not None:
        return _INTEL_MODELS.get(model)
    if vendor == "AuthenticAMD" and family is not None and model is not None:
        return next((line for its, models, line in _AMD_MODELS if its == family and model in models), None)
    return None
