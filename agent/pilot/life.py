"""How long the slot still lives: the earliest end that any source names, and what a process of it may use."""

from __future__ import annotations

import contextlib
import json
import os
import resource
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from probes.claims import read_all
from probes.errors import HostError
from probes.host import Host
from probes.settings import Settings
from profiles.facts.batch import ClaimSource, SlotClaim

JOB_MARKS = {
    ClaimSource.PBS: "PBS_JOBID",
    ClaimSource.LSF: "LSB_JOBID",
    ClaimSource.SGE: "JOB_ID",
    ClaimSource.SLURM: "SLURM_JOB_ID",
}
"""The variable that every process of a job has, and none outside of it."""

CHANGING = frozenset({ClaimSource.MJF, ClaimSource.HTCONDOR, ClaimSource.GLIDEIN})
"""Sources that are files or addresses, and so can name another end later; variables of a process cannot change."""

MAX_ENVIRONMENT_BYTES = 1 << 20
MAX_ANCESTORS = 64


@dataclass(frozen=True)
class Slot:
    """What a pilot has to know of its slot before it plans.

    Attributes:
        life_s: what is left of it; None = no source says.
        life_source: who says so.
        names: source and job id of each batch system that we are in.
        node_name: what the batch system calls this node.
        changing: whether a source could name another end later.
        age_s: since the first process of the job on this node began; None = not known.
    """

    life_s: float | None = None
    life_source: str = ""
    names: tuple[str, ...] = ()
    node_name: str | None = None
    changing: bool = False
    age_s: float | None = None

    def to_json(self) -> bytes:
        """For a pipe."""
        return json.dumps(self.__dict__).encode()

    @classmethod
    def from_json(cls, text: bytes) -> Slot:
        """What `to_json` wrote."""
        fields = json.loads(text)
        return cls(**{**fields, "names": tuple(fields["names"])})


def read_slot(
    host: Host, settings: Settings, *, ask_controller: bool, lifetime_s: float | None = None
) -> Slot:
    """Ask every source; may hang where features are on a mount that hangs, so it belongs into a child.

    Args:
        host: the door.
        settings: of the probes.
        ask_controller: whether the batch system's central daemon may be asked for what the environment lacks.
        lifetime_s: what the configuration says is left.
    """
    claims = read_all(host, settings, ask_controller=ask_controller)
    age_s = job_age_s(lambda name: _asked(host, name), claims)
    try:
        now = host.now()
    except (HostError, ValueError, OverflowError, OSError):
        now = None
    ends = list(_ends_s(claims, now, age_s))
    if lifetime_s is not None:
        ends.append((lifetime_s, "configuration"))
    cpu_s = cpu_time_left_s()
    if cpu_s is not None:
        ends.append((cpu_s, "limit of CPU time"))
    end = min(ends, default=None)
    return Slot(
        life_s=None if end is None else end[0],
        life_source="" if end is None else end[1],
        names=tuple(f"{claim.source} {claim.job_id}" for claim in claims if claim.job_id),
        node_name=next((claim.node_name for claim in claims if claim.node_name), None),
        changing=any(claim.source in CHANGING for claim in claims),
        age_s=age_s,
    )


def _asked(host: Host, name: str) -> str | None:
    try:
        return host.env(name)
    except HostError:
        return None


def _ends_s(
    claims: Iterable[SlotClaim], now: datetime | None, age_s: float | None
) -> Iterable[tuple[float, str]]:
    for claim in claims:
        if claim.ends_at is not None and now is not None:
            yield (claim.ends_at - now).total_seconds(), claim.source.value
        elif claim.ends_at is None and claim.wall_limit_s is not None:
            # PBS names a limit and no start: the job is at least as old as its first process here.
            yield claim.wall_limit_s - (age_s or 0.0), f"{claim.source.value} wall time"


def cpu_time_left_s() -> float | None:
    """What a process may still compute: LSF and PBS lay a limit of CPU time upon each process (`ulimit -t`)."""
    soft, hard = resource.getrlimit(resource.RLIMIT_CPU)
    limits = [limit for limit in (soft, hard) if limit != resource.RLIM_INFINITY]
    if not limits:
        return None
    used = resource.getrusage(resource.RUSAGE_SELF)
    return max(min(limits) - used.ru_utime - used.ru_stime, 0.0)


def job_age_s(
    variable: Callable[[str], str | None],
    claims: Iterable[SlotClaim],
    proc: Path = Path("/proc"),
    pid: int | None = None,
) -> float | None:
    """Age of the oldest of our ancestors that belongs to the job, seconds; None outside a job that marks its processes."""
    mark = next((JOB_MARKS[claim.source] for claim in claims if claim.source in JOB_MARKS), None)
    value = None if mark is None else variable(mark)
    if mark is None or not value:
        return None
    oldest: int | None = None
    here = os.getpid() if pid is None else pid
    for _ in range(MAX_ANCESTORS):
        stat = _stat(proc, here)
        if stat is None or _variable(proc, here, mark) != value:
            break
        parent, oldest = stat
        here = parent
    if oldest is None:
        return None
    with contextlib.suppress(OSError, ValueError, IndexError):
        up_s = float((proc / "uptime").read_text("ascii").split()[0])
        return max(up_s - oldest / os.sysconf("SC_CLK_TCK"), 0.0)
    return None


def _stat(proc: Path, pid: int) -> tuple[int, int] | None:
    """Parent, and start in ticks after boot (fields 4 and 22 of /proc/PID/stat)."""
    try:
        fields = (proc / str(pid) / "stat").read_text("utf-8", "replace").rsplit(")", 1)[1].split()
        return int(fields[1]), int(fields[19])
    except (OSError, IndexError, ValueError):
        return None


def _variable(proc: Path, pid: int, name: str) -> str | None:
    try:
        with (proc / str(pid) / "environ").open("rb") as file:
            text = file.read(MAX_ENVIRONMENT_BYTES)
    except OSError:
        return None
    start = f"{name}=".encode()
    found = next((entry for entry in text.split(b"\0") if entry.startswith(start)), None)
    return None if found is None else found[len(start) :].decode("utf-8", "replace")
