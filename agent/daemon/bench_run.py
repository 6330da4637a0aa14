"""A benchmark beside users' jobs: a program of its own at the lowest priority, given up as soon as somebody else computes."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from agent.daemon.bench_gate import CpuTimes, others_share
from agent.daemon.settings import BenchGateSettings
from probes.fork import die_with

NOTE = "daemon-bench.json"
RESULT = "daemon-bench-result.json"
WATCH_S = 2.0
"""Between two looks at who else computes; twice in a row is needed, since a cron job of a second hurts nobody."""

OVER_BUDGET_S = 120.0
"""For the facts of the node, the making of events and the ending, before it is killed."""

END_S = 10.0
"""How long a benchmark that was told to end may take to write what it has."""

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


class BenchRun:
    """One run of `agent bench`.

    Args:
        arguments: of the configuration, as the daemon itself was given them.
        settings: of the gate.
        directory: private; the result is left there.
        cpus: processors of the node.

    Raises:
        OSError: it cannot be started.
    """

    def __init__(self, arguments: list[str], settings: BenchGateSettings, directory: Path, cpus: int) -> None:
        self.result = directory / RESULT
        self.given_up: str | None = None
        self._yield_share = settings.yield_busy_share
        self._cpus = cpus
        self.result.unlink(missing_ok=True)
        command = [sys.executable, "-I", "-m", "agent", "bench", "run", "--quick", "--quiet", "--json"]
        command += ["--budget", f"{settings.budget_s:g}", "-o", str(self.result)]
        if settings.copies is not None:
            command += ["--copies", str(settings.copies)]
        self._process = subprocess.Popen(  # noqa: S603 - our own program
            [*command, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=partial(_be_gentle, os.getpid()),  # noqa: PLW1509 - the daemon has one thread
        )
        self._deadline = time.monotonic() + settings.budget_s + OVER_BUDGET_S
        self._told_at: float | None = None
        self._before = self._times()
        self._strikes = 0

    def poll(self) -> bool:
        """Watch it; True once it has ended."""
        now = time.monotonic()
        if self._process.poll() is not None:
            self._kill()
            return True
        if self._told_at is not None:
            if now - self._told_at > END_S:
                self._kill()
        elif now > self._deadline:
            self.give_up("it did not end in its time")
        elif now - self._before.at_s >= WATCH_S:
            self._watch()
        return False

    def give_up(self, reason: str) -> None:
        """Tell it to end with what it has."""
        self.given_up = self.given_up or reason
        self._told_at = self._told_at or time.monotonic()
        with contextlib.suppress(ProcessLookupError):
            self._process.terminate()

    def stop(self, wait_s: float) -> None:
        """End it now, because the daemon ends."""
        self.give_up("the daemon ends")
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(wait_s)
        self._kill()

    def _watch(self) -> None:
        after = self._times()
        share = others_share(self._before, after, self._cpus)
        self._before = after
        self._strikes = self._strikes + 1 if share is not None and share > self._yield_share else 0
        if self._strikes >= 2:
            self.give_up(f"others use {share:.0%} of the node's CPU time")

    def _times(self) -> CpuTimes:
        return CpuTimes(time.monotonic(), busy_s() or 0.0, _session_s(self._process.pid))

    def _kill(self) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(1.0)


def _be_gentle(daemon: int) -> None:
    """In the child before the program begins: whatever else wants to run comes first, and stays if memory runs out."""
    die_with(daemon, signal.SIGTERM)
    with contextlib.suppress(OSError):
        os.nice(19)
    with contextlib.suppress(OSError):
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000", "ascii")


def busy_s(text: str | None = None) -> float | None:
    """CPU seconds that the node has worked since its start, of the first line of /proc/stat (proc_stat(5)).

    Idle, waiting for disks and time that the hypervisor took are not work.
    """
    if text is None:
        try:
            text = Path("/proc/stat").read_text("ascii")
        except OSError:
            return None
    try:
        user, nice, system, _, _, irq, softirq = (int(one) for one in text.partition("\n")[0].split()[1:8])
    except ValueError:
        return None
    return (user + nice + system + irq + softirq) / _TICKS_PER_S


def _session_s(leader: int) -> float:
    """CPU seconds of all processes of a session, and of those of them that have ended."""
    ticks = 0
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text("utf-8", "replace").rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == leader:
            ticks += sum(int(field) for field in fields[11:15])
    return ticks / _TICKS_PER_S


def load_averages() -> tuple[float, float] | None:
    """Load averages of the node over 1 and 5 minutes; None where they cannot be read."""
    try:
        one, five, _ = os.getloadavg()
    except OSError:
        return None
    return one, five


def read_note(directory: Path) -> tuple[datetime | None, datetime | None]:
    """When the last benchmark began, and since when there is no note of one; None = nothing noted."""
    try:
        note = json.loads((directory / NOTE).read_text("utf-8"))
        times = [note.get(key) for key in ("began_at", "watched_since")]
        return (
            None if times[0] is None else datetime.fromisoformat(times[0]).astimezone(UTC),
            None if times[1] is None else datetime.fromisoformat(times[1]).astimezone(UTC),
        )
    except (OSError, ValueError, TypeError, AttributeError, RecursionError):
        return None, None


def write_note(directory: Path, *, began_at: datetime | None, watched_since: datetime | None) -> None:
    """Note it, durably.

    Raises:
        OSError: it cannot be written.
    """
    times = {"began_at": began_at, "watched_since": watched_since}
    text = json.dumps({key: None if at is None else at.isoformat() for key, at in times.items()})
    new = directory / f".{NOTE}.new"
    with new.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    new.replace(directory / NOTE)
