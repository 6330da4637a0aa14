"""Which CMSSW builds (SCRAM_ARCH) a processor and a C library can run. A library for probes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class OsFamily:
    """An operating system that CMSSW is built on.

    Attributes:
        glibc: version of its C library; binaries built on it need this or a later one.
        x86_64_level: lowest level that its own packages are built for.
    """

    glibc: tuple[int, int]
    x86_64_level: int


FAMILIES = {
    "slc7": OsFamily(glibc=(2, 17), x86_64_level=1),
    "el8": OsFamily(glibc=(2, 28), x86_64_level=1),
    "el9": OsFamily(glibc=(2, 34), x86_64_level=2),
    "el10": OsFamily(glibc=(2, 39), x86_64_level=3),
}
"""Release notes of Enterprise Linux 7 to 10: C library and, since 9, the x86-64 level of the distribution."""

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "aarch64", "ppc64le": "ppc64le"}
"""uname -m → the word in SCRAM_ARCH (WMCore Utils/… ARCH_TO_OS and SCRAM's own names)."""

BUILDS = (
    "slc7_amd64_gcc700", "slc7_amd64_gcc10", "slc7_amd64_gcc11", "slc7_amd64_gcc12",
    "el8_amd64_gcc10", "el8_amd64_gcc11", "el8_amd64_gcc12", "el8_amd64_gcc13", "el8_amd64_gcc14",
    "el9_amd64_gcc11", "el9_amd64_gcc12", "el9_amd64_gcc13", "el9_amd64_gcc14", "el10_amd64_gcc14",
    "el8_aarch64_gcc11", "el8_aarch64_gcc12", "el8_aarch64_gcc13", "el8_aarch64_gcc14",
    "el9_aarch64_gcc11", "el9_aarch64_gcc12", "el9_aarch64_gcc13",
    "el8_ppc64le_gcc11", "el8_ppc64le_gcc12",
)  # fmt: skip
"""Builds of release cycles 10_6 and later: cms-sw/cms-bot config.map, and the labels of its release requests
(cmssw#43333, #44004 for the el8 and el9 builds of ARM and POWER)."""

MIN_LEVEL = {"el8_amd64_gcc14": 2, "el9_amd64_gcc14": 2, "el8_amd64_gcc13": 2, "el9_amd64_gcc13": 2}
"""x86-64 level that a build's own binaries need beyond its OS: cycles 15_0 and later come for v2 at least
(cms-bot config.map, MULTIARCH_OPTS=x86-64-v2 beside the default v3)."""


def glibc_version(text: str | None) -> tuple[int, int] | None:
    """(2, 36) of "glibc 2.36"; None for another C library or garbage."""
    name, _, version = (text or "").partition(" ")
    major, _, minor = version.partition(".")
    minor = minor.partition(".")[0]
    if name != "glibc" or not (major.isdecimal() and minor.isdecimal() and len(major) + len(minor) < 9):
        return None
    return int(major), int(minor)


def runnable(machine: str, level: int | None, glibc: tuple[int, int] | None = None) -> tuple[str, ...]:
    """The builds that run.

    Args:
        machine: as uname -m says.
        level: x86-64 level; not looked at on other architectures. None = not known: none of x86 is promised.
        glibc: C library of the environment; None = the job brings its own OS in a container.
    """
    word = ARCHITECTURES.get(machine)
    found = []
    for build in BUILDS:
        family_name, architecture, _ = build.split("_")
        family = FAMILIES[family_name]
        if architecture != word:
            continue
        needed = max(family.x86_64_level, MIN_LEVEL.get(build, 1))
        if architecture == "amd64" and (level is None or level < needed):
            continue
        if glibc is None or glibc >= family.glibc:
            found.append(build)
    return tuple(found)
