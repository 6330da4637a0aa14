"""A real Slurm on this machine: munge, a controller, a CPU node and a node with two GPUs in name only.

Two kinds: one that confines its jobs (task/cgroup and task/affinity, cgroup v1), and one that only counts
them (task/none), as badly configured sites do.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import socket
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Template

import pytest

from tests.lab import LabUnavailableError, need_commands, need_root, skip_or_fail
from tests.lab.private import private_directory
from tests.lab.waiting import until

TEMPLATES = Path(__file__).with_suffix("")
CGROUPS = Path("/sys/fs/cgroup")
# What the confining cluster needs of cgroup v1, each mounted by itself.
CONTROLLERS = ("cpuset", "memory", "freezer")

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
        self.daemons.enter_context(_daemon(self, f"slurmd-{node}", ["slurmd", "-D", "-N", node]))
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


@pytest.fixture(scope="session")
def slurm() -> Iterator[SlurmCluster]:
    """A cluster that confines its jobs to what they were granted."""
    yield from _cluster(confining=True)


@pytest.fixture(scope="session")
def slurm_unconfined() -> Iterator[SlurmCluster]:
    """A cluster that grants, and lets every job use the whole machine."""
    yield from _cluster(confining=False)


def _cluster(*, confining: bool) -> Iterator[SlurmCluster]:
    with contextlib.ExitStack() as stack:
        try:
            cluster = stack.enter_context(running(confining=confining))
        except LabUnavailableError as reason:
            skip_or_fail(reason)
        yield cluster


@contextlib.contextmanager
def running(*, confining: bool) -> Iterator[SlurmCluster]:
    """Start a cluster, and take it down with all its processes, cgroups and files.

    Raises:
        LabUnavailableError: not root, Slurm not installed, one CPU only, or no cgroup v1 for a confining one.
    """
    need_root()
    need_commands("setpriv", "munged", "slurmctld", "slurmd", "sbatch", "scontrol", "sinfo")
    if (os.cpu_count() or 1) < 2:
        raise LabUnavailableError(
            "this lab needs two CPUs, so that a job can be granted fewer than there are"
        )
    if confining:
        _need_cgroup_v1()
    # Names of nodes are names of cgroups too: two test runs on one machine must not share them.
    suffix = f"{os.getpid()}{'c' if confining else 'u'}"
    with private_directory("slurm") as directory, contextlib.ExitStack() as stack:
        cluster = SlurmCluster(directory, f"wn{suffix}", f"gpu{suffix}", stack)
        _configure(cluster, confining=confining)
        for node in (cluster.node, cluster.gpu_node):
            stack.callback(_remove_cgroups, f"slurm_{node}")
        munged = [
            "munged",
            "--foreground",
            "--force",
            f"--key-file={cluster.state}/munge/key",
            f"--seed-file={cluster.state}/munge/seed",
            f"--socket={cluster.state}/munge.sock",
            f"--pid-file={cluster.state}/munged.pid",
            f"--log-file={cluster.state}/munged.log",
        ]
        stack.enter_context(_daemon(cluster, "munged", munged))
        until("socket of munge", (cluster.state / "munge.sock").exists, limit_s=START_S, logs=cluster.state)
        stack.enter_context(_daemon(cluster, "slurmctld", ["slurmctld", "-D"]))
        for node in (cluster.node, cluster.gpu_node):
            stack.enter_context(_daemon(cluster, f"slurmd-{node}", ["slurmd", "-D", "-N", node]))
        until("two idle nodes", lambda: _idle_nodes(cluster) == 2, limit_s=START_S, logs=cluster.state)
        stack.callback(_cancel_all, cluster)
        yield cluster


def environment(state: Path) -> dict[str, str]:
    """The environment for Slurm's commands: nothing of a batch job that the tests themselves may run in."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("SLURM", "SBATCH", "SITECAP"))
    }
    return {**inherited, "SLURM_CONF": str(state / "slurm.conf")}


def _need_cgroup_v1() -> None:
    missing = [name for name in CONTROLLERS if not (CGROUPS / name / "cgroup.procs").exists()]
    if missing:
        raise LabUnavailableError(
            f"this lab confines by cgroup v1, and {CGROUPS} has no {', '.join(missing)}"
        )


def _configure(cluster: SlurmCluster, *, confining: bool) -> None:
    ports = _free_ports(3)
    values = {
        "host": socket.gethostname(),
        "state": str(cluster.state),
        "node": cluster.node,
        "gpu_node": cluster.gpu_node,
        "controller_port": str(ports[0]),
        "node_port": str(ports[1]),
        "gpu_node_port": str(ports[2]),
        "proctrack": "proctrack/cgroup" if confining else "proctrack/linuxproc",
        "task": "task/cgroup,task/affinity" if confining else "task/none",
    }
    for template in TEMPLATES.glob("*.conf"):
        (cluster.state / template.name).write_text(Template(template.read_text()).substitute(values))
    (cluster.state / "controller").mkdir()
    keys = cluster.state / "munge"
    keys.mkdir(mode=0o700)
    (keys / "key").write_bytes(secrets.token_bytes(1024))
    (keys / "key").chmod(0o400)
    # munged refuses a socket that others cannot reach.
    cluster.state.chmod(0o755)


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [int(one.getsockname()[1]) for one in sockets]


@contextlib.contextmanager
def _daemon(cluster: SlurmCluster, name: str, argv: list[str]) -> Iterator[None]:
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


def _idle_nodes(cluster: SlurmCluster) -> int:
    try:
        return (
            cluster.command("sinfo", "--noheader", "--Node", "--partition=all", "--format=%T")
            .split()
            .count("idle")
        )
    except RuntimeError:
        return 0


def _cancel_all(cluster: SlurmCluster) -> None:
    # A job that outlives its test would outlive its cluster as well: slurmd leaves running steps alone.
    cluster.command("scancel", "--user=root", "--signal=KILL")
    cluster.command("scancel", "--user=root")
    until(
        "empty queue",
        lambda: not cluster.command("squeue", "--noheader").strip(),
        limit_s=STOP_S,
        logs=cluster.state,
    )


def _remove_cgroups(name: str) -> None:
    """Remove what slurmd leaves behind: empty cgroups of this name, in every hierarchy."""

    def gone() -> bool:
        tops = list(CGROUPS.glob(f"*/{name}"))
        for top in tops:
            for folder, _, _ in os.walk(top, topdown=False):
                with contextlib.suppress(OSError):
                    Path(folder).rmdir()
        return not any(top.exists() for top in tops)

    until(f"end of the cgroups {name}", gone, limit_s=STOP_S)
