"""The x86-64 micro-architecture levels v1 to v4, by their full flag tables. A library for probes."""

from __future__ import annotations

from collections.abc import Collection

LEVELS: dict[int, tuple[str, ...]] = {
    1: ("cmov", "cx8", "fpu", "fxsr", "lm", "mmx", "sse", "sse2", "syscall"),
    2: ("cx16", "lahf_lm", "pni", "popcnt", "sse4_1", "sse4_2", "ssse3"),
    3: ("abm", "avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "movbe", "xsave"),
    4: ("avx512bw", "avx512cd", "avx512dq", "avx512f", "avx512vl"),
}
"""What each level adds to the one below: x86-64 psABI 1.0 table 3.1, in the spelling of /proc/cpuinfo.

`pni` is SSE3, `abm` is LZCNT, and `xsave` is only shown if the kernel has enabled it (OSXSAVE).
"""

HIGHEST = max(LEVELS)


def level_of(flags: Collection[str]) -> int:
    """The level N of x86-64-vN that a processor with these flags has; 0 if it lacks the baseline itself."""
    reached = 0
    for level in sorted(LEVELS):
        if not all(flag in flags for flag in LEVELS[level]):
            break
        reached = level
    return reached


def missing_of(flags: Collection[str]) -> dict[int, tuple[str, ...]]:
    """For every level that is not reached, all flags missing for it, those of lower levels included."""
    missing: list[str] = []
    found: dict[int, tuple[str, ...]] = {}
    for level in sorted(LEVELS):
        missing += [flag for flag in LEVELS[level] if flag not in flags]
        if missing:
            found[level] = tuple(sorted(missing))
    return found
