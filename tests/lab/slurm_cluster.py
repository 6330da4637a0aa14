"""A running Slurm: its commands, its jobs, and a node that is lost."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.lab.waiting import until

CGROUPS = Path("/sys/fs/cgroup")

# Seconds before something is called hung; all of it takes less than 3 s on an idle machine.
START_S = 60
STOP_S = 20
JOB_S = 180
CALL_S = 30

_OVER = frozenset(
    [
        "BOOT_FAIL",
        "CANCELLED",
        "COMPLETED",
        "DEADLINE",
        "FAILED",
        "NODE_FAIL",
        "OUT_OF_MEMORY",
        "PREEMPTED",
        "TIMEOUT",
    ]
)


@dataclass(frozen=True)
class Job:
    """How a job, or one task of a job array, ended.

    Attributes:
        job_id: Slurm's own number, which is unique for every task of an array.
        state: Slurm's word, such as COMPLETED or OUT_OF_MEMORY.
        record: the fields of ``scontrol show job``.
        output: what it printed.
    """

    job_id: int
    state: str
    record: dict[str, str]
    output: str


@dataclass(frozen=True)
class SlurmCluster:
    """A running cluster.

    Attributes:
        state: its configuration, state and logs; jobs may write here.
        node: the node of the default partition ``cpu``.
        gpu_node: the node of the partition ``gpu``; ``all`` has both.
        daemons: ended with the cluster.
    """

    state: Path
    node: str
    gpu_node: str
    daemons: contextlib.ExitStack

    def command(self, *argv: str, stdin: str = "", env: Mapping[str, str] | None = None) -> str:
        """What one of Slurm's commands prints; a failed command is an error."""
        done = subprocess.run(
            argv,
            env={**environment(self.state), **(env or {})},
            cwd=self.state,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=CALL_S,
            check=False,
        )
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(argv)}: exit {done.returncode}: {done.stderr.strip()}")
        return done.stdout

    def batch(self, script: str, *options: str) -> list[Job]:
        """Submit a script with sbatch, wait for its end, and return the job, or all tasks of the array."""
        output = self.state / "job-%j.out"
        text = f"#!/bin/sh\n{script}\n"
        submitted = self.command("sbatch", "--parsable", f"--output={output}", *options, stdin=text)
        return self.ended(submitted.strip().partition(";")[0])

    def submit(self, script: Path, *options: str, env: Mapping[str, str] | None = None) -> str:
        """Submit a script that is a file, and return the number of the job."""
        output = f"--output={self.state}/job-%j.out"
        submitted = self.command("sbatch", "--parsable", output, *options, str(script), env=env)
        return submitted.strip().partition(";")[0]

    def ended(self, number: str) -> list[Job]:
        """Wait for the end of a job, and return it, or all tasks of the array."""
        records = until(f"end of job {number}", lambda: self._ended(number), limit_s=JOB_S, logs=self.state)
        return [
            Job(
                job_id=int(record["JobId"]),
                state=record["JobState"],
                record=record,
                output=(self.state / f"job-{record['JobId']}.out").read_text(errors="replace"),
            )
            for record in sorted(records, key=lambda record: int(record["JobId"]))
        ]

    def cancel_all(self) -> None:
        """Cancel what is left, and wait until the nodes are free again."""
        self.command("scancel", "--user=root")
        until("empty queue", lambda: not self.command("squeue", "--noheader"), limit_s=JOB_S, logs=self.state)

    def output(self, number: str) -> str:
        """What a job has printed until now."""
        path = self.state / f"job-{number}.out"
        return path.read_text(errors="replace") if path.exists() else ""

    def field(self, number: str, name: str) -> str:
        """A field of ``scontrol show job``."""
        return self._records(number)[0].get(name, "")

    def lose(self, node: str) -> None:
        """End a node as a power cut would: its slurmd and all its processes at once; and the controller learns of it."""
        pid = int((self.state / f"slurmd-{node}.pid").read_text())
        os.kill(pid, signal.SIGKILL)
        self._empty(node)
        self.command("scontrol", "update", f"NodeName={node}", "State=DOWN", "Reason=lost")

    def start_node(self, node: str) -> None:
        """Start a node that was lost."""
        self.daemons.enter_context(daemon(self, f"slurmd-{node}", ["slurmd", "-D", "-N", node]))
        until("node that is up", lambda: self._resumed(node), limit_s=START_S, logs=self.state)

    def _resumed(self, node: str) -> bool:
        with contextlib.suppress(RuntimeError):  # it is refused until the node has registered
            self.command("scontrol", "update", f"NodeName={node}", "State=RESUME")
        shown = self.command("sinfo", "--noheader", f"--nodes={node}", "--format=%T").split()
        return bool(shown) and all(state == "idle" for state in shown)

    @staticmethod
    def _empty(node: str) -> None:
        def gone() -> bool:
            pids = {
                int(pid)
                for procs in CGROUPS.glob(f"*/slurm_{node}/**/cgroup.procs")
                for pid in procs.read_text().split()
            }
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            return not pids

        until(f"end of the processes of {node}", gone, limit_s=STOP_S)

    def _records(self, number: str) -> list[dict[str, str]]:
        lines = self.command("scontrol", "-o", "show", "job", number).splitlines()
        return [dict(word.partition("=")[::2] for word in line.split()) for line in lines if line]

    def _ended(self, number: str) -> list[dict[str, str]]:
        records = self._records(number)
        return records if all(record["JobState"] in _OVER for record in records) else []


def environment(state: Path) -> dict[str, str]:
    """The environment for Slurm's commands: nothing of a batch job that the tests themselves may run in."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("SLURM", "SBATCH", "SITECAP"))
    }
    return {**inherited, "SLURM_CONF": str(state / "slurm.conf")}


@contextlib.contextmanager
def daemon(cluster: SlurmCluster, name: str, argv: list[str]) -> Iterator[None]:
    """Run a daemon as our own child: its end can be waited for, and ours is its own."""
    with (cluster.state / f"{name}.log").open("ab") as log:
        process = subprocess.Popen(
            ["setpriv", "--pdeathsig=TERM", *argv],
            env=environment(cluster.state),
            cwd=cluster.state,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
