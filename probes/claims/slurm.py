"""What Slurm says it granted, from the job's environment; `scontrol` only for what the environment lacks.

Names and units: sbatch(1) and srun(1), "OUTPUT ENVIRONMENT VARIABLES". Memory is in MB of 2^20 bytes. The
start and the end of the job are in the environment of newer versions only (22.05 has neither), hence the
command.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final, NamedTuple

from probes.claims.reading import MAX_BYTES, MAX_CORES, Reading, shown, words
from probes.errors import HostError
from probes.host import KIB, MIB, Host
from profiles.facts.batch import ClaimSource, JobIdKind, SlotClaim

SCONTROL_TIMEOUT_S: Final = 2.0
"""scontrol waits much longer for a controller that does not answer; a probe has no such time."""

SCONTROL_LIMIT_BYTES: Final = 64 * KIB

_PER_NODE = re.compile(r"([0-9]{1,9})(?:\(x([0-9]{1,9})\))?")
_RANGE = re.compile(r"([0-9]{1,4})-([0-9]{1,4})")


class _Times(NamedTuple):
    wall_limit_s: float | None
    ends_at: datetime | None


def read(host: Host, *, ask_controller: bool = True) -> SlotClaim | None:
    """The claim of the Slurm job that we run in; None outside one.

    `ask_controller` = False leaves the end of the job unknown where only `scontrol` knows it: on a farm of thousands
    of slots one question a run is enough.
    """
    reading = Reading(host)
    found = reading.first_variable(("SLURM_JOB_ID", "SLURM_JOBID"))
    if found is None:
        return None
    numeric_id = reading.whole(*found, lowest=1)
    job_id, kind = _job_id(reading, found[1])
    cores = _cores(reading)
    times = _times(reading, numeric_id, ask_controller=ask_controller)
    return SlotClaim(
        source=ClaimSource.SLURM,
        job_id=job_id,
        job_id_kind=kind,
        queue=reading.variable("SLURM_JOB_PARTITION"),
        cores=cores,
        memory_bytes=_memory_bytes(reading, cores),
        gpus=_gpus(reading),
        wall_limit_s=times.wall_limit_s,
        ends_at=times.ends_at,
        node_name=reading.variable("SLURMD_NODENAME"),
        evidence=reading.evidence,
        problems=reading.problems,
    )


def on_node(text: str, node_index: int) -> int | None:
    """The entry of one node in a per-node list such as "2(x3),1", which means 2, 2, 2, 1.

    Args:
        text: the list, as in SLURM_JOB_CPUS_PER_NODE.
        node_index: which node of the job, from 0.

    Returns:
        The number for that node; None if the list is malformed or has no such node.
    """
    position = 0
    for entry in text.split(","):
        match = _PER_NODE.fullmatch(entry.strip())
        if match is None:
            return None
        position += int(match[2] or 1)
        if node_index < position:
            return int(match[1])
    return None


def _job_id(reading: Reading, job_id: str) -> tuple[str, JobIdKind]:
    array = reading.variable("SLURM_ARRAY_JOB_ID")
    task = reading.variable("SLURM_ARRAY_TASK_ID")
    if array is not None and task is not None:
        return f"{array}_{task}", JobIdKind.ARRAY_TASK
    return job_id, JobIdKind.JOB


def _cores(reading: Reading) -> int | None:
    """CPUs on this node; the two fall-backs serve sites that clean the environment."""
    if (text := reading.variable("SLURM_CPUS_ON_NODE")) is not None:
        return reading.cores("SLURM_CPUS_ON_NODE", text)
    node_index = _node_index(reading)
    if (text := reading.variable("SLURM_JOB_CPUS_PER_NODE")) is not None:
        number = on_node(text, node_index)
        if number is not None and 1 <= number <= MAX_CORES:
            return number
        reading.problem(
            f"SLURM_JOB_CPUS_PER_NODE is {shown(text)}: no number of CPUs for node {node_index} of the job"
        )
    if (text := reading.variable("SLURM_CPUS_PER_TASK")) is None:
        return None
    per_task = reading.cores("SLURM_CPUS_PER_TASK", text)
    layout = reading.variable("SLURM_TASKS_PER_NODE")
    tasks = 1 if layout is None else on_node(layout, node_index)
    if per_task is None or not tasks or per_task * tasks > MAX_CORES:
        return per_task
    return per_task * tasks


def _node_index(reading: Reading) -> int:
    text = reading.variable("SLURM_NODEID")
    number = None if text is None else reading.whole("SLURM_NODEID", text, highest=MAX_CORES)
    return number or 0


def _memory_bytes(reading: Reading, cores: int | None) -> int | None:
    """--mem is per node, --mem-per-cpu per CPU; 0 asks for all memory of the node, so it names no number."""
    if (text := reading.variable("SLURM_MEM_PER_NODE")) is not None:
        return reading.size("SLURM_MEM_PER_NODE", text, unit_bytes=MIB) or None
    if (text := reading.variable("SLURM_MEM_PER_CPU")) is not None:
        per_cpu = reading.size("SLURM_MEM_PER_CPU", text, unit_bytes=MIB)
        if per_cpu and cores is not None and per_cpu <= MAX_BYTES // cores:
            return per_cpu * cores
    return None


def _gpus(reading: Reading) -> tuple[str, ...] | None:
    """Devices of the step, else of the job; "NoDevFiles" is Slurm's word for none of the node's GPUs."""
    found = reading.first_variable(("SLURM_STEP_GPUS", "SLURM_JOB_GPUS"))
    if found is not None:
        return _expanded(words(found[1]))
    if (
        reading.variable("CUDA_VISIBLE_DEVICES") == "NoDevFiles"
        or reading.variable("SLURM_GPUS_ON_NODE") == "0"
    ):
        return ()
    return None


def _expanded(devices: tuple[str, ...]) -> tuple[str, ...]:
    """Ranges ("0-3") as single devices."""
    single: list[str] = []
    for device in devices:
        match = _RANGE.fullmatch(device)
        first, last = (int(match[1]), int(match[2])) if match else (0, -1)
        if 0 <= last - first < 256:
            single.extend(str(number) for number in range(first, last + 1))
        else:
            single.append(device)
    return tuple(single)[:256]


def _times(reading: Reading, job_id: int | None, *, ask_controller: bool) -> _Times:
    end_text = reading.variable("SLURM_JOB_END_TIME")
    if end_text is None:
        return _times_by_command(reading, job_id) if ask_controller else _Times(None, None)
    ends_at = reading.moment("SLURM_JOB_END_TIME", end_text)
    start_text = reading.variable("SLURM_JOB_START_TIME")
    started_at = None if start_text is None else reading.moment("SLURM_JOB_START_TIME", start_text)
    if ends_at is None or started_at is None or ends_at < started_at:
        return _Times(None, ends_at)
    return _Times((ends_at - started_at).total_seconds(), ends_at)


def _times_by_command(reading: Reading, job_id: int | None) -> _Times:
    if job_id is None:
        return _Times(None, None)
    argv = ["scontrol", "-o", "show", "job", str(job_id)]
    said = " ".join(argv)
    try:
        # UTC, because scontrol prints local time without a zone.
        result = reading.host.run(
            argv,
            timeout_s=SCONTROL_TIMEOUT_S,
            limit_bytes=SCONTROL_LIMIT_BYTES,
            env={"TZ": "UTC0", "SLURM_TIME_FORMAT": "standard"},
        )
    except HostError as error:
        if not error.is_absent:
            reading.problem(f"the end of the job is not known, because `{said}` failed: {error.text}")
        return _Times(None, None)
    # The first task of an array has the array's own number, and then every task is listed.
    record = next((line for line in result.stdout.splitlines() if line.startswith(f"JobId={job_id} ")), None)
    if result.returncode != 0 or record is None:
        reading.problem(f"the end of the job is not known, because `{said}` said {shown(result.stderr)}")
        return _Times(None, None)
    fields = dict(part.partition("=")[::2] for part in record.split())
    return _Times(
        _time_limit(reading, said, fields.get("TimeLimit")), _end_time(reading, said, fields.get("EndTime"))
    )


def _time_limit(reading: Reading, said: str, text: str | None) -> float | None:
    if text is None:
        return None
    reading.note(f"{said}: TimeLimit={text}")
    # Words such as UNLIMITED and Partition_Limit name no duration.
    if not text[:1].isdigit():
        return None
    return reading.clock_seconds("TimeLimit of the job", text)


def _end_time(reading: Reading, said: str, text: str | None) -> datetime | None:
    if text is None:
        return None
    reading.note(f"{said}: EndTime={text} (UTC)")
    if not text[:1].isdigit():
        return None
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S").replace(tzinfo=UTC)
    except ValueError:
        reading.problem(f"EndTime of the job is {shown(text)}, not a date and time")
        return None
