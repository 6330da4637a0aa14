"""What LSF says it granted.

Sources: IBM Spectrum LSF 10.1, "Environment variables set for job execution" and the environment variable
reference. LSB_CG_MEMLIMIT is a hexadecimal number of bytes and is set only where LSF enforces memory by
cgroup. The units of rusage[mem=…] depend on LSF_UNIT_FOR_LIMITS, which a job cannot see, so they are
evidence only.
"""

from __future__ import annotations

import re

from probes.claims.reading import MAX_BYTES, MAX_CORES, Reading, short_name, shown
from probes.host import Host
from profiles.facts.batch import ClaimSource, JobIdKind, SlotClaim

_HEXADECIMAL = re.compile(r"(?:0[xX])?([0-9a-fA-F]{1,16})")


def read(host: Host) -> SlotClaim | None:
    """The claim of the LSF job that we run in; None outside one."""
    reading = Reading(host)
    job_id = reading.variable("LSB_JOBID")
    if job_id is None:
        return None
    index = reading.variable("LSB_JOBINDEX")
    is_task = index not in (None, "0")
    node_name, cores = _here(reading)
    reading.variable("LSB_EFFECTIVE_RSRCREQ")
    return SlotClaim(
        source=ClaimSource.LSF,
        job_id=f"{job_id}[{index}]" if is_task else job_id,
        job_id_kind=JobIdKind.ARRAY_TASK if is_task else JobIdKind.JOB,
        queue=reading.variable("LSB_QUEUE"),
        cores=cores,
        memory_bytes=_memory_bytes(reading),
        node_name=node_name,
        evidence=reading.evidence,
        problems=reading.problems,
    )


def _here(reading: Reading) -> tuple[str | None, int | None]:
    """LSF's name of this host and the slots on it: LSB_MCPU_HOSTS is "hostA 4 hostB 2"."""
    listed = reading.variable("LSB_MCPU_HOSTS")
    total_text = reading.variable("LSB_DJOB_NUMPROC")
    total = None if total_text is None else reading.cores("LSB_DJOB_NUMPROC", total_text)
    if listed is None:
        return None, total
    parts = listed.split()
    if len(parts) % 2:
        reading.problem(f"LSB_MCPU_HOSTS is {shown(listed)}, not pairs of a host and a number")
        return None, None
    pairs = list(zip(parts[::2], parts[1::2], strict=True))
    here = reading.host_name()
    # A job on one host is on this host, whatever LSF calls it.
    name, count = next(
        (pair for pair in pairs if short_name(pair[0]) == here), pairs[0] if len(pairs) == 1 else ("", "")
    )
    if not name:
        reading.problem(f"LSB_MCPU_HOSTS is {shown(listed)}, which does not name this host")
        return None, None
    return name, reading.whole("LSB_MCPU_HOSTS", count, lowest=1, highest=MAX_CORES)


def _memory_bytes(reading: Reading) -> int | None:
    text = reading.variable("LSB_CG_MEMLIMIT")
    if text is None:
        return None
    match = _HEXADECIMAL.fullmatch(text)
    number = int(match[1], 16) if match else MAX_BYTES + 1
    if number > MAX_BYTES:
        reading.problem(f"LSB_CG_MEMLIMIT is {shown(text)}, not a hexadecimal number of bytes")
        return None
    return number or None
