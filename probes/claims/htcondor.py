"""What HTCondor says it granted: the machine ad and the job ad in the scratch directory.

Attribute names and units: HTCondor manual, "Machine ClassAd Attributes" (Memory in MiB, Disk in KiB) and
"Job ClassAd Attributes". OMP_NUM_THREADS and its kin are set by the starter too, but they advise a library
and limit nothing, so they are no part of the claim.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from probes.claims import classad
from probes.claims.classad import ClassAd
from probes.claims.reading import MAX_BYTES, MAX_CORES, MAX_DURATION_S, MAX_TEXT, Reading, words
from probes.host import KIB, MIB, Host
from profiles.facts.batch import ClaimSource, JobIdKind, SlotClaim

MARKERS: Final = ("_CONDOR_MACHINE_AD", "_CONDOR_JOB_AD", "_CONDOR_SLOT", "_CONDOR_SCRATCH_DIR")

UNASSIGNED_GPUS: Final = "10000"
"""Default of ENVIRONMENT_VALUE_FOR_UnAssignedGPUs: a device that does not exist, for a slot without GPUs."""

_EMPTY: Final = ClassAd({}, 0)


def read(host: Host) -> SlotClaim | None:
    """The claim of the HTCondor slot that we run in; None outside one."""
    reading = Reading(host)
    if reading.first_variable(MARKERS) is None:
        return None
    scratch = reading.path_variable("_CONDOR_SCRATCH_DIR")
    machine = _ad(reading, "_CONDOR_MACHINE_AD", scratch, ".machine.ad")
    job = _ad(reading, "_CONDOR_JOB_AD", scratch, ".job.ad")
    wall_limit_s, ends_at = _times(reading, machine, job)
    job_id = _job_id(job)
    return SlotClaim(
        source=ClaimSource.HTCONDOR,
        slot_name=_slot_name(reading, machine),
        job_id=job_id,
        job_id_kind=None if job_id is None else JobIdKind.CLUSTER_PROC,
        cores=_integer(reading, machine, "Cpus", lowest=1, highest=MAX_CORES),
        memory_bytes=_size(reading, machine, "Memory", MIB),
        scratch_bytes=_size(reading, machine, "Disk", KIB),
        scratch_directory=scratch,
        gpus=_gpus(reading, machine),
        wall_limit_s=wall_limit_s,
        ends_at=ends_at,
        node_name=_text(reading, machine, "Machine"),
        site_name=_text(reading, machine, "GLIDEIN_CMSSite") or _text(reading, machine, "GLIDEIN_Site"),
        evidence=reading.evidence,
        problems=reading.problems,
    )


def _ad(reading: Reading, variable: str, scratch: str | None, name: str) -> ClassAd:
    path = reading.path_variable(variable) or (None if scratch is None else f"{scratch}/{name}")
    text = None if path is None else reading.file(path)
    if path is None or text is None:
        return _EMPTY
    ad = classad.parse(text)
    if not ad.literals:
        reading.problem(f"{path} holds no ClassAd attribute")
    elif ad.damaged_lines:
        reading.problem(f"{path} has {ad.damaged_lines} lines that are not ClassAd attributes")
    return ad


def _integer(
    reading: Reading, ad: ClassAd, name: str, *, lowest: int = 0, highest: int = MAX_BYTES
) -> int | None:
    value = ad.integer(name)
    if value is None:
        # Every machine ad advertises its cores; other attributes may be absent for good reasons.
        if name.lower() in ad.literals or (ad.literals and name == "Cpus"):
            reading.problem(f"the ClassAd has no number for {name}")
        return None
    reading.note(f"{name} = {value}")
    if lowest <= value <= highest:
        return value
    reading.problem(f"{name} in the ClassAd is {value}, which is not between {lowest} and {highest}")
    return None


def _size(reading: Reading, ad: ClassAd, name: str, unit_bytes: int) -> int | None:
    value = _integer(reading, ad, name, highest=MAX_BYTES // unit_bytes)
    return None if value is None else value * unit_bytes


def _text(reading: Reading, ad: ClassAd, name: str) -> str | None:
    value = ad.text(name)
    if value is None:
        return None
    value = value[:MAX_TEXT]
    reading.note(f'{name} = "{value}"')
    return value


def _slot_name(reading: Reading, machine: ClassAd) -> str | None:
    name = reading.variable("_CONDOR_SLOT") or _text(reading, machine, "Name")
    return None if name is None else name.partition("@")[0] or None


def _job_id(job: ClassAd) -> str | None:
    cluster, process = job.integer("ClusterId"), job.integer("ProcId")
    return None if cluster is None or process is None else f"{cluster}.{process}"


def _gpus(reading: Reading, machine: ClassAd) -> tuple[str, ...] | None:
    """Devices assigned to the slot; a pool that knows of no GPUs at all says nothing."""
    devices = reading.variable("_CONDOR_AssignedGPUs") or _text(reading, machine, "AssignedGPUs")
    if devices == UNASSIGNED_GPUS or _integer(reading, machine, "GPUs") == 0:
        return ()
    return None if devices is None else words(devices)


def _times(reading: Reading, machine: ClassAd, job: ClassAd) -> tuple[float | None, datetime | None]:
    """The job's own limit from its start, and the end of the pilot if the slot belongs to a glidein."""
    limit_s = _integer(reading, job, "AllowedExecuteDuration", highest=MAX_DURATION_S)
    if limit_s is None:
        limit_s = _integer(reading, job, "AllowedJobDuration", highest=MAX_DURATION_S)
    ends: list[datetime] = []
    for ad, name in ((machine, "GLIDEIN_ToDie"), (job, "JobCurrentStartDate")):
        number = _integer(reading, ad, name)
        moment = None if number is None else reading.moment(name, str(number))
        if moment is not None and ad is machine:
            ends.append(moment)
        elif moment is not None and limit_s is not None:
            ends.append(moment + timedelta(seconds=limit_s))
    return None if limit_s is None else float(limit_s), min(ends, default=None)
