"""Real squids as forward proxies on loopback: one that lets us through, one whose ACL refuses, one that does not cache.

They hold their objects in memory, so that none needs a spool directory made first and each is up within a second. Squid
refuses to run as root, so each runs as an unprivileged user in a directory of its own. A dead origin needs no option:
squid answers 503 for it, as it does at a site.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.lab import LabUnavailableError, need_commands, skip_or_fail
from tests.lab.private import private_directory
from tests.lab.waiting import HungError, until

NOBODY = 65534
SHARED_MEMORY = Path("/dev/shm")
START_S = 30
START_ATTEMPTS = 3

CONFIGURATION = """\
http_port 127.0.0.1:{port}
acl nodes src 127.0.0.1/32
http_access {access} nodes
http_access deny all
cache {cache} all
cache_mem 64 MB
maximum_object_size_in_memory 32 MB
memory_pools off
cache_log {directory}/cache.log
access_log stdio:{directory}/access.log
pid_filename {directory}/squid.pid
coredump_dir {directory}
netdb_filename none
visible_hostname {name}
dns_nameservers 127.0.0.1
dns_timeout 2 seconds
connect_timeout 4 seconds
read_timeout 20 seconds
shutdown_lifetime 1 seconds
refresh_pattern . 0 20% 4320
collapsed_forwarding on
negative_ttl 0 seconds
via on
forwarded_for on
icp_port 0
snmp_port 0
pinger_enable off
max_filedescriptors 512
"""
"""What a site's squid for CVMFS and Frontier looks like (WLCG squid guidance), cut down to memory and loopback."""


@dataclass
class Squid:
    """A running squid.

    Attributes:
        url: "http://127.0.0.1:port", as proxies are configured.
        name: its visible host name, which its own error pages and the Via field carry.
        directory: with its configuration and logs.
    """

    url: str
    name: str
    directory: Path
    _service: str
    _process: subprocess.Popen[bytes] = field(repr=False)

    def requests(self) -> list[str]:
        """Lines of the access log so far: result code, method and URL among their words."""
        path = self.directory / "access.log"
        return path.read_text(errors="replace").splitlines() if path.exists() else []

    def pause(self) -> None:
        """Stop the process: the kernel still takes connections, but nobody answers."""
        os.kill(self._process.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Go on after `pause`."""
        os.kill(self._process.pid, signal.SIGCONT)

    def stop(self) -> None:
        """End it; its port then refuses connections."""
        if self._process.poll() is None:
            self.resume()
            self._process.kill()
        self._process.wait()
        # It keeps memory there even with one process; a squid that is killed leaves it behind.
        for left in SHARED_MEMORY.glob(f"{self._service}-*.shm"):
            left.unlink(missing_ok=True)


@contextlib.contextmanager
def running(*, allow: bool = True, caching: bool = True, name: str = "squid.lab") -> Iterator[Squid]:
    """A squid from when it takes connections until it has ended.

    Args:
        allow: whether its ACL lets this node in.
        caching: whether it keeps what it fetched.
        name: visible host name.

    Raises:
        LabUnavailableError: it is not installed, or does not start; the message has the end of its log.
    """
    need_commands("squid")
    with contextlib.ExitStack() as stack:
        directory = stack.enter_context(private_directory("squid"))
        for attempt in range(START_ATTEMPTS):
            squid = _start(directory, allow=allow, caching=caching, name=name)
            stack.callback(squid.stop)
            try:
                _await(squid)
            except LabUnavailableError:
                # Somebody may have taken the port since it was found free.
                if attempt == START_ATTEMPTS - 1:
                    raise
            else:
                break
        yield squid


def closed_port() -> Iterator[int]:
    """A port of loopback that refuses connections for as long as the iterator lives."""
    with socket.socket() as bound:  # bound and not listening: refused, and taken by nobody else
        bound.bind(("127.0.0.1", 0))
        yield int(bound.getsockname()[1])


def free_port() -> int:
    """A port of loopback that nobody listens on right now."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return int(bound.getsockname()[1])


def _start(directory: Path, *, allow: bool, caching: bool, name: str) -> Squid:
    port = free_port()
    configuration = directory / "squid.conf"
    configuration.write_text(
        CONFIGURATION.format(
            port=port,
            access="allow" if allow else "deny",
            cache="allow" if caching else "deny",
            directory=directory,
            name=name,
        )
    )
    # Squids of one service name share memory in /dev/shm, and one of another user may not open it.
    service = f"lab{port}"
    as_whom: dict[str, int] = {}
    if os.geteuid() == 0:
        os.chown(directory, NOBODY, NOBODY)
        directory.chmod(0o755)
        as_whom = {"user": NOBODY, "group": NOBODY}
    with (directory / "output.log").open("wb") as output:
        process = subprocess.Popen(
            [shutil.which("squid") or "squid", "-N", "-n", service, "-f", str(configuration)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=directory,
            start_new_session=True,
            extra_groups=[] if as_whom else None,
            **as_whom,
        )
    return Squid(f"http://127.0.0.1:{port}", name, directory, service, process)


def _await(squid: Squid) -> None:
    """Wait until it says itself that it listens: a connection alone could be somebody else's.

    Raises:
        LabUnavailableError: it ends or says nothing.
    """
    port = squid.url.rpartition(":")[2]

    def ready() -> bool:
        if squid._process.poll() is not None:
            raise LabUnavailableError(f"squid does not start: {_tail(squid.directory)}")
        log = squid.directory / "cache.log"
        said = log.read_text(errors="replace") if log.exists() else ""
        return "Accepting HTTP Socket connections at conn" in said and f"127.0.0.1:{port} " in said

    try:
        until("squid", ready, limit_s=START_S, logs=squid.directory)
    except HungError as error:
        raise LabUnavailableError(str(error)) from error


def _tail(directory: Path) -> str:
    return " | ".join(
        path.read_text(errors="replace").strip()[-300:] for path in sorted(directory.glob("*.log"))
    )


def _session(**options: bool | str) -> Iterator[Squid]:
    try:
        with running(**options) as squid:  # type: ignore[arg-type]
            yield squid
    except LabUnavailableError as reason:
        skip_or_fail(reason)


@pytest.fixture(scope="session")
def open_squid() -> Iterator[Squid]:
    """A squid that lets this node through and caches."""
    yield from _session(name="squid1.lab")


@pytest.fixture(scope="session")
def second_squid() -> Iterator[Squid]:
    """Another like it, for sites with two."""
    yield from _session(name="squid2.lab")


@pytest.fixture(scope="session")
def denying_squid() -> Iterator[Squid]:
    """A squid whose ACL refuses this node."""
    yield from _session(allow=False, name="squid-deny.lab")


@pytest.fixture(scope="session")
def forgetful_squid() -> Iterator[Squid]:
    """A squid that lets this node through and keeps nothing."""
    yield from _session(caching=False, name="squid-forgetful.lab")


@pytest.fixture(scope="session")
def dead_proxy() -> Iterator[str]:
    """URL of a proxy that is down: connections are refused."""
    for port in closed_port():
        yield f"http://127.0.0.1:{port}"
