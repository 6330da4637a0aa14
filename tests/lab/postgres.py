"""A private PostgreSQL: reached by a socket in a directory of its own, run by a user that is not root, gone at the end."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import psycopg
import pytest

from tests.lab import LabUnavailableError, skip_or_fail
from tests.lab.waiting import HungError, until

_VERSIONS = Path("/usr/lib/postgresql")
_RUN_AS = "postgres"
_MEMORY = Path("/dev/shm")  # where fsync costs nothing
_START_S = 60
_NUMBERS = count()
SETTINGS = ("max_connections=50",)


def programs() -> Path:
    """The directory of PostgreSQL's own programs, newest version.

    Raises:
        LabUnavailableError: there is none.
    """
    on_path = shutil.which("postgres")
    if on_path:
        return Path(on_path).resolve().parent
    found = sorted((path for path in _VERSIONS.glob("*/bin/postgres")), key=lambda path: int(path.parts[-3]))
    if not found:
        raise LabUnavailableError("not installed: postgres; install the package postgresql")
    return found[-1].parent


@dataclass
class Server:
    """A PostgreSQL server.

    Attributes:
        directory: its data, socket and log.
        settings: "name=value" of postgresql.conf.
    """

    directory: Path
    settings: Sequence[str] = SETTINGS
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def pid(self) -> int:
        """Process of the running server, parent of all its others."""
        assert self._process is not None
        return self._process.pid

    def url(self, name: str = "postgres") -> str:
        """Address of one of its databases."""
        return f"postgresql://sitecap@/{name}?host={self.directory}"

    def create(self, template: str | None = None) -> str:
        """A new database, as a copy of another one; its address."""
        name = f"lab{next(_NUMBERS)}"
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {template or 'template1'}")
        return self.url(name)

    def drop(self, url: str) -> None:
        """Remove a database, whoever is still connected."""
        name = url.rpartition("/sitecap@/")[2].partition("?")[0].rpartition("/")[2]
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def start(self) -> None:
        """Start it, and wait until it answers.

        Raises:
            HungError: it does not come up.
        """
        options = [part for setting in self.settings for part in ("-c", setting)]
        with (self.directory / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                tied(
                    [
                        programs() / "postgres",
                        *("-D", self.directory / "data"),
                        *("-k", self.directory, "-c", "listen_addresses="),
                        *options,
                    ],
                    "INT",
                ),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.directory,
                start_new_session=True,
                **_as_whom(),
            )
        until("PostgreSQL", self._answers, limit_s=_START_S, logs=self.directory)

    def _answers(self) -> bool:
        process = self._process
        if process is None or process.poll() is not None:
            raise HungError(f"PostgreSQL ended: {(self.directory / 'server.log').read_text()[-800:]}")
        try:
            psycopg.connect(self.url(), connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True

    def stop(self) -> None:
        """End it in good order; nobody is waited for."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)  # PostgreSQL's "fast" shutdown
            self._process.wait(timeout=_START_S)
        self._process = None

    def kill(self) -> None:
        """Kill it and all its children at once; nothing of it is left when this returns."""
        assert self._process is not None
        family = self._signal(signal.SIGKILL)
        self._process.wait()
        self._process = None
        until("end of PostgreSQL's processes", lambda: not any(map(_alive, family)), limit_s=_START_S)

    def pause(self) -> None:
        """Stop all its processes: connections are there, but nobody answers."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Go on after `pause`."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> list[int]:
        """Also to its children, each of which has a process group of its own; their process ids."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)  # so that it starts no more of them
        children = _children(self._process.pid)
        for pid in (*children, self._process.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
        return children


def tied(command: Sequence[str | Path], signal_name: str = "TERM") -> list[str | Path]:
    """The command so that the kernel ends it when we end, however that comes about."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", signal_name, *command] if setpriv else list(command)


def _children(parent: int) -> list[int]:
    found: list[int] = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            if int(path.read_text().rpartition(")")[2].split()[1]) == parent:
                found.append(int(path.parts[2]))
    return found


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@contextlib.contextmanager
def running(settings: Sequence[str] = SETTINGS, where: Path | None = None) -> Iterator[Server]:
    """A server from when it answers until it has ended and its data are gone.

    Args:
        settings: "name=value" of postgresql.conf.
        where: the directory in which it gets one of its own; None = the temporary one.

    Raises:
        LabUnavailableError: it is not installed or does not start.
    """
    initdb = programs() / "initdb"
    directory = Path(tempfile.mkdtemp(prefix="sitecap-pg-", dir=where))
    try:
        if os.geteuid() == 0:
            shutil.chown(directory, _RUN_AS, _RUN_AS)
        made = subprocess.run(
            [
                *(initdb, "-D", directory / "data", "-U", "sitecap", "-A", "trust"),
                *("-E", "UTF8", "--locale=C.UTF-8", "--no-sync"),
            ],
            check=False,
            capture_output=True,
            text=True,
            cwd=directory,
            **_as_whom(),
        )
        if made.returncode:
            raise LabUnavailableError(f"initdb: {made.stderr.strip()[-300:]}")
        server = Server(directory, settings)
        try:
            server.start()
            yield server
        except HungError as error:
            raise LabUnavailableError(str(error)) from error
        finally:
            server.stop()
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _as_whom() -> dict[str, object]:
    """PostgreSQL refuses to run as root.

    Raises:
        LabUnavailableError: we are root, and there is nobody to run it as.
    """
    if os.geteuid() != 0:
        return {}
    try:
        who = pwd.getpwnam(_RUN_AS)
    except KeyError:
        raise LabUnavailableError(
            f"PostgreSQL does not run as root, and there is no user {_RUN_AS}"
        ) from None
    return {"user": who.pw_uid, "group": who.pw_gid, "extra_groups": []}


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """One server for all tests of a session; each makes a database of its own."""
    try:
        with running(where=_MEMORY if _MEMORY.is_dir() else None) as server:
            yield server
    except LabUnavailableError as error:
        skip_or_fail(error)
