"""What PBS says it granted: Torque and PBS Professional (OpenPBS), which share names but not meanings.

Torque sets PBS_NUM_PPN and writes one line per core into PBS_NODEFILE; PBS Professional sets NCPUS and
writes one line per MPI process. Sources: Torque administrator's guide, "Exported batch environment
variables"; PBS Professional reference guide, "PBS environment variables".
"""

from __future__ import annotations

import re

from probes.claims.reading import MAX_CORES, Reading, short_name
from probes.host import Host
from profiles.facts.batch import ClaimSource, JobIdKind, SlotClaim

_ARRAY_ID = re.compile(r"[0-9]+\[[0-9]+\].*")
_GPU_LINE = re.compile(r"(?P<host>\S+)-gpu(?P<index>[0-9]{1,4})")


def read(host: Host) -> SlotClaim | None:
    """The claim of the PBS job that we run in; None outside one."""
    reading = Reading(host)
    job_id = reading.variable("PBS_JOBID")
    if job_id is None:
        return None
    here = reading.host_name()
    wall = reading.variable("PBS_WALLTIME")
    return SlotClaim(
        source=ClaimSource.PBS,
        job_id=job_id,
        job_id_kind=JobIdKind.ARRAY_TASK if _ARRAY_ID.fullmatch(job_id) else JobIdKind.JOB,
        queue=reading.variable("PBS_QUEUE"),
        cores=_cores(reading, here),
        scratch_directory=reading.path_variable("PBS_JOBDIR"),
        gpus=_gpus(reading, here),
        wall_limit_s=None if wall is None else reading.clock_seconds("PBS_WALLTIME", wall),
        node_name=_node_name(reading, here),
        evidence=reading.evidence,
        problems=reading.problems,
    )


def _cores(reading: Reading, here: str | None) -> int | None:
    if (text := reading.variable("NCPUS")) is not None and reading.variable("PBS_NUM_PPN") is None:
        return reading.cores("NCPUS", text)
    text = reading.variable("PBS_NUM_PPN")
    per_node = None if text is None else reading.cores("PBS_NUM_PPN", text)
    listed = _lines_of(reading, here)
    if listed and per_node and listed != per_node:
        # PBS_NUM_PPN knows one number only, also for jobs such as nodes=1:ppn=4+2:ppn=8.
        reading.problem(
            f"PBS_NUM_PPN says {per_node} but PBS_NODEFILE has {listed} lines for this host, which are taken"
        )
    return listed or per_node


def _lines_of(reading: Reading, here: str | None) -> int | None:
    path = reading.path_variable("PBS_NODEFILE")
    text = None if path is None or here is None else reading.file(path)
    if text is None:
        return None
    hosts = [short_name(line) for line in text.splitlines() if line.strip()]
    count = hosts.count(here or "")
    reading.note(f"{path}: {count} of {len(hosts)} lines name this host")
    return count if 1 <= count <= MAX_CORES else None


def _gpus(reading: Reading, here: str | None) -> tuple[str, ...] | None:
    """Torque's list of devices, lines such as "wn7-gpu0"; an empty file means none."""
    path = reading.path_variable("PBS_GPUFILE")
    text = None if path is None else reading.file(path)
    if text is None:
        return None
    matches = [_GPU_LINE.fullmatch(line.strip()) for line in text.splitlines() if line.strip()]
    if None in matches:
        reading.problem(f"{path} has lines that are not of the form host-gpuN")
    return tuple(
        dict.fromkeys(match["index"] for match in matches if match and short_name(match["host"]) == here)
    )[:256]


def _node_name(reading: Reading, here: str | None) -> str | None:
    """PBS Professional numbers the nodes of a job; Torque names none, and then the host's own name stands."""
    name = reading.variable("PBS_VNODENAME")
    return here if name is None else name
