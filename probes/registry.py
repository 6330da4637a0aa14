"""Which probes there are: ours in one tuple, others by entry point, a double name is an error."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from importlib import metadata

from probes.spec import Check, Probe

ENTRY_POINT_GROUP = "sitecap.probes"

BUILTIN = (
    "context",
    "batch",
    "cores",
    "cpu",
    "memory",
    "disk",
    "limits",
    "container",
    "gpu",
    "network",
    "siteconf",
    "credentials",
    "cvmfs",
    "cvmfs_mount",
    "squid",
    "xrootd",
    "webdav",
)
"""Names of our own probes, in the order in which they are judged and shown."""


class RegistryError(Exception):
    """A probe from outside cannot be used; the text names its distribution."""


def builtin_probes() -> tuple[Probe, ...]:
    """Our own probes, in order."""
    return tuple(importlib.import_module(f"probes.{name}").PROBE for name in BUILTIN)


def outside_probes() -> tuple[Probe, ...]:
    """Probes that installed distributions bring under the entry point group `sitecap.probes`.

    Raises:
        RegistryError: one cannot be imported, is not a Probe, or takes a name that is taken.
    """
    found: list[Probe] = []
    taken = set(BUILTIN)
    for entry in sorted(metadata.entry_points(group=ENTRY_POINT_GROUP), key=lambda entry: entry.name):
        origin = entry.dist.name if entry.dist else "an unnamed distribution"
        try:
            probe = entry.load()
        except Exception as error:
            raise RegistryError(f"probe {entry.name!r} of {origin} cannot be loaded: {error}") from error
        if not isinstance(probe, Probe):
            raise RegistryError(f"entry point {entry.name!r} of {origin} is not a probes.spec.Probe")
        if probe.name in taken:
            raise RegistryError(f"{origin} brings a second probe named {probe.name!r}: rename or remove it")
        taken.add(probe.name)
        found.append(probe)
    return tuple(found)


def all_probes() -> tuple[Probe, ...]:
    """Ours, then those from outside."""
    return (*builtin_probes(), *outside_probes())


def catalogue(probes: Sequence[Probe]) -> dict[str, tuple[Probe, Check]]:
    """Every check by its id, with the probe that judges it.

    Raises:
        RegistryError: two probes claim one id.
    """
    found: dict[str, tuple[Probe, Check]] = {}
    for probe in probes:
        for check in probe.checks:
            if check.id in found:
                raise RegistryError(
                    f"check {check.id} is claimed by {found[check.id][0].name} and {probe.name}"
                )
            found[check.id] = (probe, check)
    return found
