"""A real HTCondor pool on this machine: all daemons in namespaces and a root tree of their own.

Bookworm has no HTCondor, trixie has. The namespaces (mount, PID, network, UTS, IPC) make it complete and
invisible: no port of this machine is used, and when the first process is killed nothing of the pool is
left.
"""

from __future__ import annotations

import contextlib
import itertools
import re
import shlex
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from agent.portable import PortableAgent
from tests.lab import LabUnavailableError, need_commands, need_root, skip_or_fail
from tests.lab.cache import debootstrap_root
from tests.lab.private import private_directory
from tests.lab.waiting import HungError, tails, until

SUITE = "trixie"
PACKAGES = ("condor", "procps")
DATA = Path(__file__).with_suffix("")
START = DATA / "start.sh"
CONFIG = DATA / "lab.config"

ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root"}
"""Of the daemons, as where root starts them by hand: what the startd runs inherits a home that it cannot enter."""

# Seconds before something is called hung: the pool is up in 3 s and a job through in 5 s on an idle machine.
START_S = 90
JOB_S = 180
STOP_S = 20
CALL_S = 30


_numbers = itertools.count()


@dataclass(frozen=True)
class Job:
    """How a job ended.

    Attributes:
        job_id: cluster.proc.
        exit_code: of the payload.
        output: what it printed.
        error: what it printed to stderr.
    """

    job_id: str
    exit_code: int
    output: str
    error: str


@dataclass(frozen=True)
class CondorPool:
    """A running pool.

    Attributes:
        first_pid: the first process of its PID namespace, through which its namespaces are entered.
        folder: the upper half of its root tree, where its logs are.
        agent: the agent, mounted where its own command line expects it.
    """

    first_pid: int
    folder: Path
    agent: PortableAgent

    @property
    def logs(self) -> Path:
        """The daemons' logs."""
        return self.folder / "upper/var/log/condor"

    @property
    def home(self) -> Path:
        """The home directory of the user who submits, where the output of jobs comes back."""
        return self.folder / "upper/home/pilot"

    def command(self, *argv: str, user: str = "pilot", stdin: str = "") -> str:
        """What a command prints inside the pool's machine; a failed command is an error."""
        entered = [
            "nsenter",
            f"--target={self.first_pid}",
            "--all",
            "--root",
            f"--wd=/proc/{self.first_pid}/root/home/pilot",
        ]
        done = subprocess.run(
            [
                *entered,
                "setpriv",
                f"--reuid={user}",
                f"--regid={user}",
                "--init-groups",
                "--reset-env",
                *argv,
            ],
            input=stdin,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=CALL_S,
            check=False,
        )
        if done.returncode != 0:
            raise RuntimeError(
                f"{shlex.join(argv)}: exit {done.returncode}: {(done.stderr or done.stdout).strip()}"
            )
        return done.stdout

    def run(self, argv: Sequence[str], **submit: str | int) -> Job:
        """Submit a job and wait for its end; see :meth:`submit`."""
        return self.wait(self.submit(argv, **submit))

    def submit(self, argv: Sequence[str], **submit: str | int) -> str:
        """Submit a job script that runs a command, and return the number of its cluster.

        Args:
            argv: the command, by a path of the pool's root tree.
            submit: further lines of the submit description, such as ``request_cpus=1``.
        """
        name = f"payload-{next(_numbers)}.sh"
        script = f"#!/bin/sh\nexec {shlex.join(argv)}\n"
        self.command("sh", "-c", 'cat >"$0"; chmod 755 "$0"', name, stdin=script)
        lines = {"executable": name, **submit}
        text = "".join(f"{name} = {value}\n" for name, value in lines.items())
        text += "output = job.$(ClusterId).out\nerror = job.$(ClusterId).err\nlog = job.$(ClusterId).log\n"
        text += "should_transfer_files = YES\nwhen_to_transfer_output = ON_EXIT\nqueue\n"
        printed = self.command("condor_submit", "-terse", "-", stdin=text)
        return printed.split()[0].partition(".")[0]

    def wait(self, cluster: str) -> Job:
        """Wait for the end of a job.

        Raises:
            RuntimeError: it was held or removed.
        """
        log = self.home / f"job.{cluster}.log"
        try:
            code = until(f"end of job {cluster}", lambda: _exit_code(log), limit_s=JOB_S, logs=self.logs)
        except HungError as hung:
            raise HungError(f"{hung}\n{log.read_text(errors='replace')}") from None
        output, error = (self.home / f"job.{cluster}.{end}" for end in ("out", "err"))
        return Job(
            f"{cluster}.0", code - 1, output.read_text(errors="replace"), error.read_text(errors="replace")
        )

    def install(self, text: str, path: str, *, executable: bool = False) -> None:
        """Put a file into the pool's machine, as its administrator."""
        script = 'mkdir -p "$(dirname "$0")"; cat >"$0"; chmod "$1" "$0"'
        self.command("sh", "-c", script, path, "755" if executable else "644", user="root", stdin=text)

    def submit_file(self, text: str, *assignments: str) -> str:
        """Submit a description as it is, with macros set as on condor_submit's command line; the number of its cluster."""
        printed = self.command("condor_submit", "-terse", *assignments, "-", stdin=text)
        return printed.split()[0].partition(".")[0]

    def submit_agent(self, args: Sequence[str], **submit: str | int) -> str:
        """Submit a job that runs the agent with ``args`` (such as ``probe``, ``--json``)."""
        return self.submit([*self.agent.argv, *args], **submit)


@pytest.fixture(scope="session")
def condor(portable_agent: PortableAgent) -> Iterator[CondorPool]:
    """A pool that can run the agent."""
    with contextlib.ExitStack() as stack:
        try:
            pool = stack.enter_context(running(portable_agent))
        except LabUnavailableError as reason:
            skip_or_fail(reason)
        yield pool


@contextlib.contextmanager
def running(agent: PortableAgent) -> Iterator[CondorPool]:
    """Start a pool, and take it down with all its processes, mounts and files.

    Raises:
        LabUnavailableError: not root, no debootstrap, or the Debian mirror has no HTCondor for this machine.
    """
    need_root()
    need_commands("unshare", "nsenter", "setpriv", "ip", "mount")
    tree = debootstrap_root(SUITE, PACKAGES)
    with private_directory("condor") as folder:
        mounts = [part for mount in agent.mounts for part in (str(mount.source), mount.target)]
        with (folder / "start.log").open("ab") as log:
            # Whatever ends these tests ends unshare, that ends the first process, and that ends all others.
            process = subprocess.Popen(
                [
                    *("setpriv", "--pdeathsig=KILL"),
                    *("unshare", "--mount", "--pid", "--net", "--uts", "--ipc", "--fork", "--kill-child"),
                    *("sh", str(START), str(tree), str(folder), str(CONFIG), *mounts),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=ENVIRONMENT,
            )
        try:
            pool = CondorPool(until("first process", lambda: _child(process), limit_s=START_S), folder, agent)
            until("slot in the pool", lambda: _slots(pool, process), limit_s=START_S, logs=pool.logs)
            yield pool
        finally:
            process.kill()
            process.wait()
            # The overlay lives as long as the namespace, and until then its folder cannot be removed.
            until("end of the namespace", lambda: not _processes_below(folder), limit_s=STOP_S)


def _processes_below(folder: Path) -> list[int]:
    """Processes that have the pool's root tree mounted."""
    found = []
    for mounts in Path("/proc").glob("[0-9]*/mountinfo"):
        with contextlib.suppress(OSError):
            if str(folder) in mounts.read_text(errors="replace"):
                found.append(int(mounts.parent.name))
    return found


def _child(process: subprocess.Popen[bytes]) -> int:
    text = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text()
    return int(text.split()[0]) if text.strip() else 0


def _slots(pool: CondorPool, process: subprocess.Popen[bytes]) -> bool:
    if process.poll() is not None:
        raise RuntimeError(f"the pool did not start\n{tails(pool.folder)}\n{tails(pool.logs)}")
    try:
        return bool(pool.command("condor_status", "-af", "Name").strip())
    except RuntimeError:
        return False


def _exit_code(log: Path) -> int:
    """Exit code plus one, so that it is true, once the job's event log has it."""
    text = log.read_text(errors="replace") if log.exists() else ""
    ended = re.search(r"\(1\) Normal termination \(return value ([0-9]+)\)", text)
    if ended is None and (bad := re.search(r"^(?:012|009) .*(?:\n\t.*)*", text, re.MULTILINE)):
        raise RuntimeError(f"the job was held or removed: {bad[0]}")
    return int(ended[1]) + 1 if ended else 0
