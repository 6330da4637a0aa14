"""Which probes the user meant."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from probes.spec import Probe


class UnknownProbeError(Exception):
    """There is no probe of that name; the text suggests one."""


def choose(probes: Sequence[Probe], names: Sequence[str]) -> tuple[Probe, ...]:
    """The named probes in the order of the registry; all of them if no name is given.

    A name brings its companions along: cvmfs also means cvmfs_mount.

    Raises:
        UnknownProbeError: a name is not a probe's.
    """
    known = [probe.name for probe in probes]
    for name in names:
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
            hint = f"did you mean {close[0]!r}?" if close else f"there are: {', '.join(known)}"
            raise UnknownProbeError(f"there is no probe {name!r}; {hint}")
    return tuple(probe for probe in probes if not names or any(_means(name, probe) for name in names))


def _means(name: str, probe: Probe) -> bool:
    return probe.name == name or probe.name.startswith(f"{name}_")


def listing(probes: Sequence[Probe]) -> str:
    """Every probe with its checks, for `agent probe --list`."""
    out = []
    for probe in probes:
        origin = "" if probe.origin == "sitecap" else f" [{probe.origin}]"
        out.append(f"{probe.name:<10} {probe.title}{origin}")
        out += [f"    {check.id:<8} {check.title}" for check in probe.checks]
    return "\n".join(out) + "\n"
