"""Limits: open files, threads (tried, not only read), stack, core files and file size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from probes import granted
from probes.cgroup_limits import CgroupReader
from probes.errors import HostError
from probes.host import MIB, Host
from probes.judging import Judging
from probes.settings import Settings
from probes.spec import Bound, Check, Probe
from profiles.checks import CheckResult
from profiles.facts.limits import Amount, LimitsFacts, PidsLimit, ResourceLimit

THREADS_PER_CORE = 64
MAX_TRIED = 256
"""Threads started at most: a trial has to be harmless on a node that is full of jobs."""

MAX_LIMIT = 2**63 - 1

_LIMITS = {
    "open_files": "NOFILE",
    "processes": "NPROC",
    "stack_bytes": "STACK",
    "core_file_bytes": "CORE",
    "file_size_bytes": "FSIZE",
}

CHECKS = (
    Check(
        id="LIM-01",
        title="open files",
        rule="WARNING if the soft RLIMIT_NOFILE is below the bound; the hard limit is told.",
        origin="cvmfsexec #69: limits of HPC centres too low for a CVMFS client",
        hint="raise LimitNOFILE of the batch daemon's unit, or nofile in /etc/security/limits.conf",
        why="A merge job, an XRootD client or a CVMFS client without a mount keeps thousands of files and "
        "sockets open. At the limit they fail in the middle of the job with EMFILE.",
        bounds=(
            Bound(
                name="warn_below_files",
                default=4096,
                origin="policy: four times the customary soft limit, 1024",
            ),
        ),
    ),
    Check(
        id="LIM-02",
        title="threads",
        rule="WARNING if RLIMIT_NPROC or pids.max of any cgroup level leaves fewer threads than the bound "
        "for the cores granted, or if that many (at most 256) cannot be started.",
        origin="OSG worker-node thread test",
        hint="raise TasksMax of the batch daemon's unit, pids.max of the slot, or nproc in "
        "/etc/security/limits.conf",
        why="CMSSW, TBB, XRootD clients and Python libraries each start threads per core. At the limit the "
        "job ends with `Resource temporarily unavailable`, often long after its start.",
        bounds=(
            Bound(
                name="warn_below_threads_per_core",
                default=THREADS_PER_CORE,
                origin="policy: 64 threads per core",
            ),
        ),
    ),
    Check(
        id="LIM-03",
        title="stack and core files",
        rule="Information: soft limits of stack, core files and file size.",
        origin="OSG ULIMIT_STACK_SIZE",
        hint="set them in the batch system's prolog or in /etc/security/limits.conf",
        why="Some generators and fits need a large stack; core files of failed jobs fill the scratch space; "
        "a limit on the file size ends a job that writes a larger output.",
    ),
)


def gather(host: Host, settings: Settings) -> LimitsFacts:
    """Read the limits and try the threads; never raises."""
    absent: dict[str, str] = {}
    limits = {field: _limit(host, field, name, absent) for field, name in _LIMITS.items()}
    reader = CgroupReader(host)
    levels = reader.pids()[:64]
    cores = granted.cores(host, settings).effective_cores
    if cores is None:
        absent["granted_cores"] = "the number of cores granted is not known; threads were tried for one"
    return LimitsFacts(
        **limits,
        pids=tuple(PidsLimit(path=level.path[:4096], limit=level.limit, used=level.used) for level in levels),
        granted_cores=cores,
        **_threads(host, cores or 1.0, absent),
        problems=reader.problems,
        absent=absent,
    )


def _limit(host: Host, field: str, name: str, absent: dict[str, str]) -> ResourceLimit | None:
    try:
        limit = host.limit(name)
    except HostError as error:
        absent[field] = error.text[:4096]
        return None
    if any(bound is not None and not 0 <= bound <= MAX_LIMIT for bound in limit):
        absent[field] = f"RLIMIT_{name} has an implausible value"
        return None
    return ResourceLimit(soft=_amount(limit.soft), hard=_amount(limit.hard))


def _amount(bound: int | None) -> Amount:
    return "unlimited" if bound is None else bound


def _threads(host: Host, cores: float, absent: dict[str, str]) -> dict[str, Any]:
    tried = min(max(round(THREADS_PER_CORE * cores), 1), MAX_TRIED)
    said: dict[str, Any] = {"threads_tried": tried, "threads_work": None, "threads_detail": None}
    try:
        trial = host.try_threads(tried)
    except HostError as error:
        absent.update(dict.fromkeys(said, error.text[:4096]))
        return said | {"threads_tried": None}
    if trial.detail is None:
        absent["threads_detail"] = "all of them started"
    return said | {"threads_work": trial.works, "threads_detail": trial.detail and trial.detail[:4096]}


def judge(facts: LimitsFacts, judging: Judging) -> Sequence[CheckResult]:
    """LIM-01 … LIM-03."""
    return [_open_files(facts, judging), _thread_room(facts, judging), _information(facts, judging)]


def summarise(facts: LimitsFacts) -> str:
    """E.g. "20000 files, 128 threads run"."""
    files = "files not known" if facts.open_files is None else f"{facts.open_files.soft} files"
    if facts.threads_tried is None:
        return f"{files}, threads not tried"
    return f"{files}, {facts.threads_tried} threads {'run' if facts.threads_work else 'do not run'}"


def _open_files(facts: LimitsFacts, judging: Judging) -> CheckResult:
    limit = facts.open_files
    if limit is None:
        return judging.unknown("LIM-01", f"RLIMIT_NOFILE is not known: {facts.absent.get('open_files', '')}")
    text = f"{limit.soft} open files (hard limit {limit.hard})"
    few = limit.soft != "unlimited" and limit.soft < judging.number("LIM-01", "warn_below_files")
    value = None if limit.soft == "unlimited" else limit.soft
    verdict = judging.warn if few else judging.ok
    return verdict("LIM-01", text, value=value, unit="1", evidence=("RLIMIT_NOFILE",))


def _thread_room(facts: LimitsFacts, judging: Judging) -> CheckResult:
    cores = facts.granted_cores or 1.0
    wanted = judging.number("LIM-02", "warn_below_threads_per_core") * max(cores, 1.0)
    rooms: list[tuple[int, str]] = []
    if facts.processes is not None and facts.processes.soft != "unlimited":
        rooms.append((facts.processes.soft, "RLIMIT_NPROC allows this user"))
    for level in facts.pids:
        left = max(level.limit - (level.used or 0), 0)
        rooms.append((left, f"{level.path} leaves (of {level.limit})"))
    evidence = [f"{where}: {left}" for left, where in rooms]
    if facts.threads_tried is not None:
        outcome = "started" if facts.threads_work else f"failed: {facts.threads_detail or 'no reason given'}"
        evidence.append(f"{facts.threads_tried} threads at the same time: {outcome}")
    evidence += facts.problems
    room = min(rooms, default=None)
    value = None if room is None else room[0]
    if facts.threads_work is False:
        text = f"threads cannot be started: {facts.threads_detail or 'no reason given'}"
        return judging.warn("LIM-02", text, value=value, unit="1", evidence=evidence)
    if room is not None and room[0] < wanted:
        text = f"room for {room[0]} threads, {wanted:.0f} wanted for {cores:g} cores ({room[1]})"
        return judging.warn("LIM-02", text, value=value, unit="1", evidence=evidence)
    if facts.threads_work is None:
        why = facts.absent.get("threads_work", "")
        return judging.unknown("LIM-02", f"threads could not be tried: {why}", evidence=evidence)
    said = "no limit in the way" if room is None else f"room for {room[0]}"
    text = f"{facts.threads_tried} threads run at the same time, {said}"
    return judging.ok("LIM-02", text, value=value, unit="1", evidence=evidence)


def _information(facts: LimitsFacts, judging: Judging) -> CheckResult:
    named = (
        ("stack", facts.stack_bytes),
        ("core files", facts.core_file_bytes),
        ("file size", facts.file_size_bytes),
    )
    known = [f"{name} {_size(limit.soft)}" for name, limit in named if limit is not None]
    if not known:
        return judging.unknown("LIM-03", f"no limit is known: {facts.absent.get('stack_bytes', '')}")
    evidence = [f"{name}: soft {limit.soft}, hard {limit.hard}" for name, limit in named if limit is not None]
    return judging.ok("LIM-03", ", ".join(known), evidence=evidence)


def _size(amount: Amount) -> str:
    if amount == "unlimited":
        return amount
    return "off" if amount == 0 else f"{amount / MIB:g} MiB" if amount >= MIB else f"{amount} bytes"


PROBE = Probe(
    name="limits",
    title="open files, threads, stack and file size",
    section="Slot",
    facts_model=LimitsFacts,
    gather=gather,
    judge=judge,
    summarise=summarise,
    checks=CHECKS,
    # A claim may have to be fetched from a batch daemon or a metadata service that is slow to answer.
    deadline_s=10.0,
    # Hundreds of threads reserve an arena of address space each (64 MiB, glibc's mallopt(3)).
    memory_bytes=8 * 1024 * MIB,
)
