"""A real Slurm on this machine: munge, a controller, a CPU node and a node with two GPUs in name only.

Two kinds: one that confines its jobs (task/cgroup and task/affinity, cgroup v1), and one that only counts
them (task/none), as badly configured sites do.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
from collections.abc import Iterator
from pathlib import Path
from string import Template

import pytest

from tests.lab import LabUnavailableError, need_commands, need_root, skip_or_fail
from tests.lab.private import private_directory
from tests.lab.slurm_cluster import CGROUPS, START_S, STOP_S, SlurmCluster, daemon
from tests.lab.waiting import until

TEMPLATES = Path(__file__).with_suffix("")
# What the confining cluster needs of cgroup v1, each mounted by itself.
CONTROLLERS = ("cpuset", "memory", "freezer")


@pytest.fixture
def slurm(_confining: SlurmCluster) -> Iterator[SlurmCluster]:
    """A cluster that confines its jobs to what they were granted; empty after each test, however that ended."""
    yield _confining
    _confining.cancel_all()


@pytest.fixture
def slurm_unconfined(_counting: SlurmCluster) -> Iterator[SlurmCluster]:
    """A cluster that grants, and lets every job use the whole machine; empty after each test."""
    yield _counting
    _counting.cancel_all()


@pytest.fixture(scope="session")
def _confining() -> Iterator[SlurmCluster]:
    yield from _cluster(confining=True)


@pytest.fixture(scope="session")
def _counting() -> Iterator[SlurmCluster]:
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
        stack.enter_context(daemon(cluster, "munged", munged))
        until("socket of munge", (cluster.state / "munge.sock").exists, limit_s=START_S, logs=cluster.state)
        stack.enter_context(daemon(cluster, "slurmctld", ["slurmctld", "-D"]))
        for node in (cluster.node, cluster.gpu_node):
            stack.enter_context(daemon(cluster, f"slurmd-{node}", ["slurmd", "-D", "-N", node]))
        until("two idle nodes", lambda: _idle_nodes(cluster) == 2, limit_s=START_S, logs=cluster.state)
        stack.callback(_cancel_all, cluster)
        yield cluster


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
