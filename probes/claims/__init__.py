"""What batch systems say they granted: one reader per system, none of which is believed by itself.

A library for probes, not a probe. Every reader has `read(host) -> SlotClaim | None`: None where the system
is not there, never an exception; what could not be understood is a sentence in `SlotClaim.problems`.
"""

from __future__ import annotations

from collections.abc import Callable

from probes.claims import arc, glidein, htcondor, kubernetes, lsf, mjf, pbs, sge, slurm
from probes.host import Host
from probes.settings import Settings
from profiles.facts.batch import SlotClaim

_READERS: tuple[Callable[[Host], SlotClaim | None], ...] = (
    pbs.read,
    lsf.read,
    sge.read,
    arc.read,
    mjf.read,
    glidein.read,
)


def read_all(
    host: Host, settings: Settings | None = None, *, ask_controller: bool = False
) -> tuple[SlotClaim, ...]:
    """The claims of all systems that we run in: a pilot's slot in a batch job has several, side by side.

    Args:
        host: the door.
        settings: say where a pod's manifest puts what the downward API tells; None = the documented places.
        ask_controller: whether the batch system's central daemon may be asked too; one probe a run does.
    """
    pod = None if settings is None else settings.kubernetes
    found = (
        htcondor.read(host),
        slurm.read(host, ask_controller=ask_controller),
        *(read(host) for read in _READERS),
        kubernetes.read(host, kubernetes.names_of(pod)),
    )
    return tuple(claim for claim in found if claim is not None)
