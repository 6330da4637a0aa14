"""What machine/job features say: $MACHINEFEATURES and $JOBFEATURES, each a directory or an http(s) address.

Keys and units: HSF-TN-2016-02, "Machine/Job Features Specification". Few sites provide them; a hint, never
a proof.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final, TypeVar

from probes.claims.reading import Reading, shown
from probes.errors import HostError
from probes.host import KIB, Host
from profiles.facts.batch import ClaimSource, JobIdKind, SlotClaim

VALUE_LIMIT_BYTES: Final = 4 * KIB
HTTP_TIMEOUT_S: Final = 2.0

MACHINE_KEYS: Final = ("shutdowntime",)
JOB_KEYS: Final = (
    "job_id",
    "allocated_cpu",
    "wall_limit_secs",
    "jobstart_secs",
    "shutdowntime_job",
    "max_rss_bytes",
    "scratch_limit_bytes",
)

Value = TypeVar("Value")


def read(host: Host) -> SlotClaim | None:
    """The claim of the machine/job features of this slot; None if it has none."""
    reading = Reading(host)
    machine = _features(reading, "MACHINEFEATURES", MACHINE_KEYS)
    job = _features(reading, "JOBFEATURES", JOB_KEYS)
    if machine is None and job is None:
        return None
    machine, job = machine or {}, job or {}
    wall = _parsed(job, "wall_limit_secs", reading.seconds)
    job_id = job.get("job_id")
    return SlotClaim(
        source=ClaimSource.MJF,
        job_id=job_id,
        job_id_kind=None if job_id is None else JobIdKind.JOB,
        cores=_parsed(job, "allocated_cpu", reading.cores),
        memory_bytes=_parsed(job, "max_rss_bytes", reading.size),
        scratch_bytes=_parsed(job, "scratch_limit_bytes", reading.size),
        wall_limit_s=wall,
        ends_at=_ends_at(reading, machine, job, wall),
        evidence=reading.evidence,
        problems=reading.problems,
    )


def _features(reading: Reading, variable: str, keys: tuple[str, ...]) -> dict[str, str] | None:
    """Values of the known keys that are there; None if the variable is not set."""
    place = reading.variable(variable, as_evidence=False)
    if place is None:
        return None
    if place.startswith(("http://", "https://")):
        return _fetched(reading, variable, place.rstrip("/"), keys)
    if not place.startswith("/"):
        reading.problem(f"{variable} is {shown(place)}, neither an absolute path nor an http(s) address")
        return {}
    try:
        present = reading.host.list_dir(place)
    except HostError as error:
        reading.problem(f"{variable} names a directory that could not be listed: {error.text}")
        return {}
    texts = {
        key: reading.file(f"{place.rstrip('/')}/{key}", limit_bytes=VALUE_LIMIT_BYTES)
        for key in keys
        if key in present
    }
    return _kept(reading, variable, texts)


def _fetched(reading: Reading, variable: str, address: str, keys: tuple[str, ...]) -> dict[str, str]:
    texts: dict[str, str | None] = {}
    for key in keys:
        try:
            answer = reading.host.http_get(
                f"{address}/{key}", timeout_s=HTTP_TIMEOUT_S, limit_bytes=VALUE_LIMIT_BYTES
            )
        except HostError as error:
            reading.problem(f"${variable}/{key} could not be read: {error.text}")
            break
        if answer.status is None:
            # A server that does not answer once is not asked again: each time would cost the time-out.
            reading.problem(f"${variable}/{key} gave no answer: {answer.error or 'unknown reason'}")
            break
        if answer.status == 200:
            texts[key] = answer.body_text
        elif answer.status != 404:
            reading.problem(f"${variable}/{key} answered with HTTP status {answer.status}")
    return _kept(reading, variable, texts)


def _kept(reading: Reading, variable: str, texts: dict[str, str | None]) -> dict[str, str]:
    values = {key: text.strip()[:256] for key, text in texts.items() if text and text.strip()}
    for key, value in values.items():
        reading.note(f"${variable}/{key}: {value}")
    return values


def _parsed(values: dict[str, str], key: str, parse: Callable[[str, str], Value | None]) -> Value | None:
    text = values.get(key)
    return None if text is None else parse(key, text)


def _ends_at(
    reading: Reading, machine: dict[str, str], job: dict[str, str], wall_limit_s: float | None
) -> datetime | None:
    """The earliest of: the machine's shutdown, the job's shutdown, start plus wall limit."""
    started_at = _parsed(job, "jobstart_secs", reading.moment)
    ends = [
        _parsed(machine, "shutdowntime", reading.moment),
        _parsed(job, "shutdowntime_job", reading.moment),
    ]
    if started_at is not None and wall_limit_s is not None:
        ends.append(started_at + timedelta(seconds=wall_limit_s))
    return min((end for end in ends if end is not None), default=None)
