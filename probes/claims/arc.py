"""What ARC's computing element says of the job it handed to the batch system below.

ARC grants nothing itself, the batch system does; it names the grid job, which is how a site finds it in its
logs. Source: nordugrid/arc, src/services/a-rex, the job's environment (GRID_GLOBAL_*; the host since ARC
6.8).
"""

from __future__ import annotations

from probes.claims.reading import Reading
from probes.host import Host
from profiles.facts.batch import ClaimSource, JobIdKind, SlotClaim


def read(host: Host) -> SlotClaim | None:
    """The claim of the ARC job that we run in; None outside one."""
    reading = Reading(host)
    job_id = reading.variable("GRID_GLOBAL_JOBID")
    if job_id is None:
        return None
    reading.variable("GRID_GLOBAL_JOBINTERFACE")
    reading.variable("GRID_GLOBAL_JOBHOST")
    return SlotClaim(
        source=ClaimSource.ARC,
        job_id=job_id,
        job_id_kind=JobIdKind.GRID_JOB,
        evidence=reading.evidence,
        problems=reading.problems,
    )
