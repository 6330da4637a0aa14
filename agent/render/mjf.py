"""Profile → Machine/Job Features: one file a key, plain values, as HSF-TN-2016-02 names and measures them.

A pilot leaves them for its payloads where the site gives none. Keys that the profile does not know are left out, which is
what the specification asks for; `hs06` is one, since what a node is worth is for the service to say.
"""

from __future__ import annotations

import math

from profiles.facts.batch import SlotClaim
from profiles.profile import CapabilityProfile

MACHINE = "machinefeatures"
JOB = "jobfeatures"


def render(profile: CapabilityProfile) -> dict[str, str]:
    """Text of each file by its path, `machinefeatures/total_cpu` and so on."""
    memory, batch = profile.facts.memory, profile.facts.batch
    granted = profile.scope.cores_granted
    claims = batch.claims if batch is not None else ()
    end = None if batch is None or batch.ends_at is None else int(batch.ends_at.timestamp())
    wall_s = _first(claims, "wall_limit_s")
    begins = [
        int(claim.ends_at.timestamp() - claim.wall_limit_s)
        for claim in claims
        if claim.ends_at is not None and claim.wall_limit_s is not None
    ]
    values: dict[str, object] = {
        f"{MACHINE}/total_cpu": profile.scope.cores_present,
        # Whole processors: a quota of 1.5 is worth one thread that never waits.
        f"{JOB}/allocated_cpu": None if granted is None else max(math.floor(granted), 1),
        f"{JOB}/shutdowntime_job": end,
        f"{JOB}/wall_limit_secs": None if not isinstance(wall_s, float) else int(wall_s),
        f"{JOB}/jobstart_secs": begins[0] if begins else None,
        f"{JOB}/max_rss_bytes": None if memory is None else memory.effective_bytes,
        f"{JOB}/scratch_limit_bytes": _first(claims, "scratch_bytes"),
        f"{JOB}/job_id": _first(claims, "job_id"),
    }
    return {path: f"{value}\n" for path, value in values.items() if value is not None}


def _first(claims: tuple[SlotClaim, ...], field: str) -> object:
    return next((value for claim in claims if (value := getattr(claim, field)) is not None), None)
