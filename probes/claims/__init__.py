"""What batch systems say they granted: one reader per system, none of which is believed by itself.

A library for probes, not a probe. Every reader has `read(host) -> SlotClaim | None`: None where the system
is not there, never an exception; what could not be understood is a sentence in `SlotClaim.problems`.
"""

from __future__ import annotations

from probes.claims import arc, glidein, htcondor, kubernetes, lsf, mjf, pbs, sge, slurm
from probes.host import Host
from profiles.facts.batch import SlotClaim

_READERS = (
    htcondor.read,
    slurm.read,
    pbs.read,
    lsf.read,
    sge.read,
    arc.read,
    kubernetes.read,
    mjf.read,
    glidein.read,
)


def read_all(host: Host) -> tuple[SlotClaim, ...]:
    """The claims of all systems that we run in: a pilot's slot in a batch job has several, side by side."""
    return tuple(claim for read in _READERS if (claim := read(host)) is not None)
