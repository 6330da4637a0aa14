"""A container that goes on running, as strictly confined as a cluster would: asked from inside, told to stop."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from tests.lab.engine import Engine
from tests.lab.waiting import until

STRICT = ["--read-only", "--read-only-tmpfs=false", "--cap-drop=ALL", "--security-opt=no-new-privileges"]
"""No file system can be written to: not even /tmp, which Podman would give on its own."""

_numbers = itertools.count()


@dataclass(frozen=True)
class Container:
    """One that was started.

    Attributes:
        engine: that runs it.
        name: as the engine knows it.
    """

    engine: Engine
    name: str

    @property
    def log(self) -> str:
        done = self.engine.cli("logs", self.name)
        return done.stdout + done.stderr

    @property
    def is_running(self) -> bool:
        return self._state("Running") == "true"

    @property
    def exit_code(self) -> int:
        return int(self._state("ExitCode"))

    def python(self, code: str) -> Any:
        """What a program of the image's Python prints in the container, as JSON; None if it fails."""
        done = self.engine.cli("exec", self.name, "/opt/sitecap/bin/python", "-I", "-c", code)
        return json.loads(done.stdout) if done.returncode == 0 else None

    def status_of(self, url: str) -> int | None:
        """The status of an answer in the container's own network; None if nobody listens."""
        found: int | None = self.python(
            "import urllib.request as u, urllib.error as e\n"
            f"try: print(u.urlopen({url!r}, timeout=30).status)\n"
            "except e.HTTPError as error: print(error.code)"
        )
        return found

    def stop(self, patience_s: int) -> int:
        """SIGTERM to its first process, SIGKILL after the patience; the exit code: 137 if it was killed."""
        done = self.engine.cli("stop", f"--time={patience_s}", self.name)
        assert done.returncode == 0, done.stderr
        return self.exit_code

    def until(self, what: str, look: Callable[[], object], limit_s: float) -> None:
        """Look again and again until the answer is true.

        Raises:
            AssertionError: the container ended before; with its log.
            HungError: the time is over.
        """

        def alive_or_true() -> object:
            found = look()
            assert found or self.is_running, f"ended with {self.exit_code} before: {what}\n{self.log}"
            return found

        until(what, alive_or_true, limit_s=limit_s)

    def _state(self, field: str) -> str:
        return self.engine.cli("inspect", "--format", f"{{{{.State.{field}}}}}", self.name).stdout.strip()


@contextlib.contextmanager
def started(engine: Engine, image: str, argv: Sequence[str] = (), *options: str) -> Iterator[Container]:
    """A container in the background, without a network if the options name none; removed at the end."""
    name = f"sitecap-long-{os.getpid()}-{next(_numbers)}"
    network = [] if any(option.startswith("--network=") for option in options) else ["--network=none"]
    one = Container(engine, name)
    try:
        done = engine.cli("run", "--detach", f"--name={name}", *network, *options, image, *argv)
        assert done.returncode == 0, done.stderr
        yield one
    finally:
        engine.cli("rm", "--force", "--time=1", "--volumes", name)
