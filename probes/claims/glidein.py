"""What a glideinWMS pilot says of itself: variables that it gives to jobs, and its own configuration file.

Source: glideinWMS/glideinwms, creation/web_base (`glidein_config`, lines "KEY value") and the factory's
attributes. GLIDEIN_CPUS may be a word ("auto", "slot", "node") that tells the pilot to look for itself; it
is no number then.
"""

from __future__ import annotations

from typing import Final

from probes.claims.reading import MAX_TEXT, Reading
from probes.host import MIB, Host
from profiles.facts.batch import ClaimSource, JobIdKind, SlotClaim

MARKERS: Final = ("glidein_config", "GLIDEIN_CMSSite", "GLIDEIN_Site", "GLIDEIN_Entry_Name")
KEYS: Final = (
    "GLIDEIN_CMSSite",
    "GLIDEIN_Site",
    "GLIDEIN_CPUS",
    "GLIDEIN_MaxMemMBs",
    "GLIDEIN_Max_Walltime",
    "GLIDEIN_ToDie",
    "GLIDEIN_ClusterId",
    "GLIDEIN_ProcId",
    "GLIDEIN_Entry_Name",
    "GLIDEIN_LOCAL_TMP_DIR",
)
CPU_WORDS: Final = frozenset({"auto", "slot", "node", "-1", "0"})


def read(host: Host) -> SlotClaim | None:
    """The claim of the glidein that we run in; None outside one."""
    reading = Reading(host)
    if reading.first_variable(MARKERS) is None:
        return None
    values = _configuration(reading)
    for key in KEYS:
        if (value := reading.variable(key)) is not None:
            values[key] = value
    cluster, process = values.get("GLIDEIN_ClusterId"), values.get("GLIDEIN_ProcId")
    cpus, memory = values.get("GLIDEIN_CPUS"), values.get("GLIDEIN_MaxMemMBs")
    wall, end = values.get("GLIDEIN_Max_Walltime"), values.get("GLIDEIN_ToDie")
    directory = values.get("GLIDEIN_LOCAL_TMP_DIR", "")
    return SlotClaim(
        source=ClaimSource.GLIDEIN,
        job_id=f"{cluster}.{process}" if cluster and process else None,
        job_id_kind=JobIdKind.GLIDEIN if cluster and process else None,
        queue=values.get("GLIDEIN_Entry_Name"),
        cores=None if cpus is None or cpus.lower() in CPU_WORDS else reading.cores("GLIDEIN_CPUS", cpus),
        memory_bytes=None
        if memory is None
        else reading.size("GLIDEIN_MaxMemMBs", memory, unit_bytes=MIB) or None,
        scratch_directory=directory if directory.startswith("/") else None,
        wall_limit_s=None if wall is None else reading.seconds("GLIDEIN_Max_Walltime", wall),
        ends_at=None if end is None else reading.moment("GLIDEIN_ToDie", end),
        site_name=values.get("GLIDEIN_CMSSite") or values.get("GLIDEIN_Site"),
        evidence=reading.evidence,
        problems=reading.problems,
    )


def _configuration(reading: Reading) -> dict[str, str]:
    """The known keys of the pilot's configuration file; a later line overrides an earlier one."""
    path = reading.path_variable("glidein_config")
    text = None if path is None else reading.file(path, limit_bytes=MIB)
    values: dict[str, str] = {}
    for line in (text or "").splitlines():
        key, _, value = line.partition(" ")
        if key in KEYS and value.strip():
            values[key] = value.strip()[:MAX_TEXT]
    for key, value in values.items():
        reading.note(f"{path}: {key} {value}")
    return values
