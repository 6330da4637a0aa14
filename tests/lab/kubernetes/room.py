"""Namespaces of its own for a set of daemons: network, mounts and processes, all gone with one process."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from tests.lab.waiting import until

_INIT = """
set -e
mount --make-rshared /
ip link set lo up
echo in
exec sleep infinity
"""


class Room:
    """What runs in here sees its own network and processes; its mounts reach nobody outside.

    Attributes:
        init: the first process in it, by its number outside.
        logs: directory for the logs of what is started in it.
    """

    def __init__(self, init: int, logs: Path) -> None:
        self.init = init
        self.logs = logs
        self._started: list[subprocess.Popen[bytes]] = []

    @property
    def enter(self) -> tuple[str, ...]:
        """What to put in front of a command that is to run in here."""
        return ("nsenter", f"--target={self.init}", "--net", "--mount", "--pid")

    def start(
        self, name: str, command: Sequence[str], environment: Mapping[str, str] | None = None
    ) -> subprocess.Popen[bytes]:
        """Start a daemon; its log is NAME.log."""
        with (self.logs / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                [*self.enter, *command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                env=environment,
            )
        self._started.append(process)
        return process

    def run(
        self, *command: str, text: str | None = None, timeout_s: float = 60
    ) -> subprocess.CompletedProcess[str]:
        """Run a command in here to its end."""
        return subprocess.run(
            [*self.enter, *command],
            input=text,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )

    def reap(self) -> None:
        """After the first process is gone: the kernel has killed all others, and they are waited for."""
        for process in self._started:
            process.wait()


@contextlib.contextmanager
def room(logs: Path) -> Iterator[Room]:
    """A room that ends with this context, or with this process."""
    holder = subprocess.Popen(
        [
            *("setpriv", "--pdeathsig", "KILL"),
            *(
                "unshare",
                "--net",
                "--mount",
                "--propagation=private",
                "--pid",
                "--fork",
                "--kill-child",
                "--mount-proc",
            ),
            *("sh", "-c", _INIT),
        ],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"in\n", "namespaces cannot be made"
        children = Path(f"/proc/{holder.pid}/task/{holder.pid}/children")
        found = Room(int(children.read_text().split()[0]), logs)
        try:
            yield found
        finally:
            holder.kill()
            holder.wait()
            found.reap()
            until("end of the namespaces", lambda: not Path(f"/proc/{found.init}").exists(), limit_s=30)
    finally:
        holder.kill()
        holder.wait()
        if holder.stdout is not None:
            holder.stdout.close()
