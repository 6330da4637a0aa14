"""A running container engine, driven by its command line the way an admin would."""

from __future__ import annotations

import contextlib
import itertools
import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agent.portable import PortableAgent
from tests.lab.asking import Question, answers, door_command

# Starting a container takes 0.5-1 s on an idle machine; this is for one that is busy, not for a hang.
RUN_TIMEOUT_S = 120
_numbers = itertools.count()


@dataclass(frozen=True)
class Images:
    """The images that a lab made itself; no registry is asked.

    Attributes:
        debian: Debian bookworm, minimal: no Python.
        busybox: one static busybox with its links: no libc, no loader, no Python.
    """

    debian: str
    busybox: str


@dataclass(frozen=True)
class Engine:
    """Podman or Docker; both take the same options here.

    Attributes:
        name: ``podman`` or ``docker``.
        command: how its command line is started.
        env: what its command line needs in the environment, beside this process's own.
        images: what can be run.
        agent: the agent to carry in.
        url: the engine's Docker API, None where it is not served.
    """

    name: str
    command: tuple[str, ...]
    env: Mapping[str, str]
    images: Images
    agent: PortableAgent
    url: str | None = None
    timeout_s: float = field(default=RUN_TIMEOUT_S)

    def cli(self, *args: str, stdin: Path | None = None) -> subprocess.CompletedProcess[str]:
        """Run the engine's command line to its end."""
        with contextlib.ExitStack() as stack:
            source = stack.enter_context(stdin.open("rb")) if stdin else subprocess.DEVNULL
            return subprocess.run(
                [*self.command, *args],
                env={**os.environ, **self.env},
                stdin=source,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=self.timeout_s,
                check=False,
            )

    def run(
        self,
        image: str,
        argv: Sequence[str],
        *,
        cpus: float | None = None,
        memory: str | None = None,
        cpuset: str | None = None,
        pids: int | None = None,
        network: str = "none",
        extra: Sequence[str] = (),
    ) -> subprocess.CompletedProcess[str]:
        """Run a command in a container that is removed afterwards, even when it is killed for its time.

        Args:
            image: one of :attr:`images`, or podman's ``--rootfs`` argument given through ``extra``.
            argv: the command.
            cpus: quota in cores.
            memory: limit as the engine writes it, such as ``256m``.
            cpuset: CPU list, such as ``0,2-3``.
            pids: limit of processes and threads.
            network: ``none`` or ``host``: a bridge would leave traces on this machine.
            extra: further options of ``run``.
        """
        name = f"sitecap-{os.getpid()}-{next(_numbers)}"
        limits = {"--cpus": cpus, "--memory": memory, "--cpuset-cpus": cpuset, "--pids-limit": pids}
        options = [f"{option}={value}" for option, value in limits.items() if value is not None]
        try:
            return self.cli(
                "run",
                "--rm",
                "--name",
                name,
                "--network",
                network,
                *options,
                *extra,
                *([image] if image else []),
                *argv,
            )
        except subprocess.TimeoutExpired:
            # Kill first: `rm` alone would ask politely, for longer than this command line may take.
            for clean in (("kill", name), ("rm", "-f", name)):
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self.cli(*clean)
            raise

    def run_agent(
        self,
        image: str,
        args: Sequence[str],
        *,
        cpus: float | None = None,
        memory: str | None = None,
        cpuset: str | None = None,
        pids: int | None = None,
        network: str = "none",
        extra: Sequence[str] = (),
    ) -> subprocess.CompletedProcess[str]:
        """Run the agent with ``args`` (such as ``probe``, ``--json``) in a container; see :meth:`run`."""
        return self.run(
            image,
            [*self.agent.argv, *args],
            cpus=cpus,
            memory=memory,
            cpuset=cpuset,
            pids=pids,
            network=network,
            extra=[*self.agent_options(), *extra],
        )

    def ask(self, image: str, questions: Sequence[Question], **options: Any) -> list[Any]:
        """What the host door answers in a container; ``options`` are those of :meth:`run`.

        Raises:
            AskError: the door came to grief, or the container did not start.
        """
        extra = [*self.agent_options(), *options.pop("extra", ())]
        return answers(self.run(image, door_command(self.agent, questions), extra=extra, **options))

    def agent_options(self) -> list[str]:
        """The options that bring the agent into a container."""
        mounts = [f"--volume={mount.source}:{mount.target}:ro" for mount in self.agent.mounts]
        return [*mounts, *(f"--env={name}={value}" for name, value in self.agent.env.items())]
