"""What Grid Engine says it granted (SGE, Son of Grid Engine, Univa and Altair Grid Engine).

Sources: qsub(1), "ENVIRONMENTAL VARIABLES"; sge_pe(5) for the host file; queue_conf(5) for h_rt.
SGE_HGR_name lists the devices of an RSMAP resource (Univa) with the name that the site chose, which
mentions "gpu" by custom.
"""

from __future__ import annotations

import contextlib

from probes.claims.reading import MAX_CORES, Reading, short_name, words
from probes.errors import HostError
from probes.host import Host
from profiles.facts.batch import ClaimSource, JobIdKind, SlotClaim


def read(host: Host) -> SlotClaim | None:
    """The claim of the Grid Engine job that we run in; None outside one.

    JOB_ID alone is too common a name: one of the variables that only Grid Engine sets must be there as well.
    """
    reading = Reading(host)
    if reading.first_variable(("SGE_TASK_ID", "SGE_CELL", "SGE_ROOT")) is None:
        return None
    job_id = reading.variable("JOB_ID")
    slots = reading.variable("NSLOTS")
    if job_id is None or slots is None:
        return None
    task = reading.variable("SGE_TASK_ID")
    is_task = task not in (None, "undefined")
    reading.variable("SGE_BINDING")
    return SlotClaim(
        source=ClaimSource.SGE,
        job_id=f"{job_id}.{task}" if is_task else job_id,
        job_id_kind=JobIdKind.ARRAY_TASK if is_task else JobIdKind.JOB,
        queue=reading.variable("QUEUE"),
        cores=_cores(reading, slots),
        gpus=_gpus(reading),
        wall_limit_s=_wall_limit_s(reading),
        node_name=reading.variable("HOSTNAME"),
        evidence=reading.evidence,
        problems=reading.problems,
    )


def _cores(reading: Reading, slots: str) -> int | None:
    """Slots on this host: PE_HOSTFILE has lines "host slots queue processors", one per queue instance."""
    total = reading.cores("NSLOTS", slots)
    path = reading.path_variable("PE_HOSTFILE")
    text = None if path is None else reading.file(path)
    here = reading.host_name()
    if text is not None and here is not None:
        lines = [line.split() for line in text.splitlines()]
        counts = [
            reading.whole(f"{path}", fields[1], highest=MAX_CORES)
            for fields in lines
            if len(fields) >= 2 and short_name(fields[0]) == here
        ]
        found = sum(count for count in counts if count)
        reading.note(f"{path}: {found} slots on this host")
        if 1 <= found <= MAX_CORES:
            return found
        reading.problem(f"{path} grants no slots on this host")
    hosts = reading.variable("NHOSTS")
    if hosts not in (None, "1"):
        reading.problem(f"NSLOTS={slots} is for {hosts} hosts, and how many of them are here is not known")
        return None
    return total


def _gpus(reading: Reading) -> tuple[str, ...] | None:
    names: tuple[str, ...] = ()
    with contextlib.suppress(HostError):
        names = reading.host.env_names("SGE_HGR_")
    found = reading.first_variable(name for name in names if "gpu" in name.lower())
    return None if found is None else words(found[1])


def _wall_limit_s(reading: Reading) -> float | None:
    """h_rt in the job's configuration, which the execution daemon leaves in the job's spool directory."""
    spool = reading.path_variable("SGE_JOB_SPOOL_DIR")
    text = None if spool is None else reading.file(f"{spool}/config", expected=False)
    for line in (text or "").splitlines():
        name, _, value = line.partition("=")
        if name.strip() == "h_rt" and value.strip():
            reading.note(f"{spool}/config: h_rt={value.strip()}")
            return (
                None
                if value.strip().upper() == "INFINITY"
                else reading.clock_seconds("h_rt of the job", value)
            )
    return None
