"""Two network namespaces with a wire between them that is slow, loses packets, swallows them, or is cut.

Everything has a name of its own per process and is removed with the context, whatever happened inside. What listens or
asks in a namespace is either a process (`Namespace.run`, `Namespace.daemon`), with the names of `Namespace.names` in its
/etc/hosts, or a function of this process (`Namespace.call`), whose sockets stay in the namespace where they were made.
"""

from __future__ import annotations

import contextlib
import ctypes
import itertools
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TypeVar

import pytest

from tests.lab import LabUnavailableError, need_commands, need_root, skip_or_fail
from tests.lab.waiting import until

T = TypeVar("T")

CLONE_NEWNET = 0x40000000
FORWARDER = Path(__file__).with_name("tun_forwarder.py")
ETC = Path("/etc/netns")
"""Files below ETC/NAME replace those of /etc for what `ip netns exec` runs (ip-netns(8))."""
DEVICE = "wan0"
MTU = 1500
NEAR, FAR = "10.83.0.1", "10.83.0.2"
NEAR_6, FAR_6 = "fd83::1", "fd83::2"
DEAD_6 = "fd83::dead"
"""On the wire's prefix, so it has a route, but nobody has the address: packets go out and nothing comes back."""
CALL_S = 30
STOP_S = 10

_numbers = itertools.count()


@dataclass(frozen=True)
class Namespace:
    """A network namespace of the tests, with its loopback up."""

    name: str

    def command(self, *argv: str) -> list[str]:
        """The same command, run inside."""
        return ["ip", "netns", "exec", self.name, *argv]

    def run(
        self, *argv: str, limit_s: float = CALL_S, env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a command inside to its end, whatever its exit status."""
        return subprocess.run(
            self.command(*argv),
            env=None if env is None else {**os.environ, **env},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=limit_s,
            check=False,
        )

    @contextlib.contextmanager
    def daemon(
        self, *argv: str, log: Path, env: Mapping[str, str] | None = None, cwd: Path | None = None
    ) -> Iterator[subprocess.Popen[bytes]]:
        """Run a server inside as our own child, while the context lasts."""
        with log.open("ab") as stream:
            process = subprocess.Popen(
                ["setpriv", "--pdeathsig=TERM", *self.command(*argv)],
                env=None if env is None else {**os.environ, **env},
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=stream,
                start_new_session=True,
            )
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    def call(self, function: Callable[[], T]) -> T:
        """Call a function in a thread that has entered the namespace; threads that it starts are inside too."""
        outcome: list[T] = []
        broken: list[BaseException] = []

        def inside() -> None:
            try:
                _enter(self.name)
                outcome.append(function())
            except BaseException as error:
                broken.append(error)

        thread = threading.Thread(target=inside)
        thread.start()
        thread.join()
        if broken:
            raise broken[0]
        return outcome[0]

    def names(self, addresses: Mapping[str, Sequence[str]]) -> None:
        """What /etc/hosts says inside `run` and `daemon`, besides this machine's; there is no other resolver."""
        lines = [f"{address} {name}" for name, several in addresses.items() for address in several]
        text = "\n".join([f"127.0.0.1 localhost {socket.gethostname()}", *lines]) + "\n"
        (ETC / self.name / "hosts").write_text(text)

    def ip(self, words: str) -> None:
        """Run one `ip` command on it, written as one string."""
        _call("ip", "-n", self.name, *words.split())

    def limit_rate(self, rate: str) -> None:
        """Send at most at this rate, e.g. "2mbit", by a token bucket (tc-tbf(8))."""
        shape = f"qdisc replace dev {DEVICE} root tbf rate {rate} burst 16kb latency 400ms"
        _call("tc", "-n", self.name, *shape.split())

    def drop(self, *rule: str) -> None:
        """Drop incoming packets that match an iptables(8) rule, e.g. "-p", "tcp", "--dport", "80"."""
        done = self.run("iptables", "-A", "INPUT", *rule, "-j", "DROP")
        if done.returncode:
            raise LabUnavailableError(f"iptables does not work here: {done.stderr.strip()}")


@dataclass
class Link:
    """A wire between two namespaces.

    Attributes:
        near: where the node under test is; NEAR and NEAR_6 are its addresses.
        far: where the servers are; FAR and FAR_6 are its addresses.
    """

    near: Namespace
    far: Namespace
    _process: subprocess.Popen[bytes] = field(repr=False)

    def delay(self, one_way_s: float) -> None:
        """Hold each packet so long, in either direction."""
        self._say(f"delay {one_way_s}")

    def lose(self, *, one_in: int) -> None:
        """Lose one packet in so many, never two in a row; 0 = none."""
        self._say(f"lose {one_in}")

    def swallow(self, *, after_bytes: int = 0) -> None:
        """Become a black hole, at once or after so many more bytes of packets: no error comes back, nothing does."""
        self._say(f"carry {after_bytes}")

    def mend(self) -> None:
        """Carry packets again, at once and all of them."""
        for command in ("carry -1", "delay 0", "lose 0"):
            self._say(command)

    def cut(self) -> None:
        """Take the wire away for good: both sides lose their device, and with it every route to the other."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.wait(STOP_S)

    def _say(self, command: str) -> None:
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(f"{command}\n".encode())
        stdin.flush()
        _expect(stdout, b"ok\n")


def _enter(name: str) -> None:
    """Move the calling thread into a namespace."""
    with open(f"/run/netns/{name}", "rb") as there:
        if ctypes.CDLL(None, use_errno=True).setns(there.fileno(), CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), f"setns into {name}")


def _expect(stream: IO[bytes], word: bytes) -> None:
    said = stream.readline()
    if said != word:
        raise LabUnavailableError(f"the forwarder of the wire said {said!r} instead of {word!r}")


@contextlib.contextmanager
def namespace() -> Iterator[Namespace]:
    """A network namespace with a loopback and no route out.

    Raises:
        LabUnavailableError: not root, or no iproute2.
    """
    need_root()
    need_commands("ip", "tc", "setpriv")
    made = Namespace(f"sitecap-{os.getpid()}-{next(_numbers)}")
    files = ETC / made.name
    with contextlib.ExitStack() as held:
        held.callback(shutil.rmtree, files, ignore_errors=True)
        files.mkdir(parents=True)
        # A resolver that refuses at once: queries to one that is out of reach would take 5 s each.
        (files / "resolv.conf").write_text("nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")
        made.names({})
        _call("ip", "netns", "add", made.name)
        held.callback(_remove, made)
        made.ip("link set lo up")
        yield made


@contextlib.contextmanager
def linked(*, one_way_s: float = 0.0) -> Iterator[Link]:
    """Two namespaces with a wire between them, both families, no loss.

    Raises:
        LabUnavailableError: not root, no iproute2, or no TUN device.
    """
    if not Path("/dev/net/tun").exists():
        raise LabUnavailableError("this lab needs /dev/net/tun")
    with namespace() as near, namespace() as far, contextlib.ExitStack() as held:
        process = subprocess.Popen(
            [
                "setpriv",
                "--pdeathsig=TERM",
                sys.executable,
                "-I",
                str(FORWARDER),
                near.name,
                far.name,
                DEVICE,
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        link = Link(near, far, process)
        held.callback(_end, process)
        assert process.stdout is not None
        _expect(process.stdout, b"up\n")
        for side, ipv4, ipv6 in ((near, NEAR, NEAR_6), (far, FAR, FAR_6)):
            side.ip(f"address add {ipv4}/24 dev {DEVICE}")
            # nodad: the address is to be used at once, not after the search for another holder.
            side.ip(f"-6 address add {ipv6}/64 dev {DEVICE} nodad")
            side.ip(f"link set {DEVICE} mtu {MTU} txqueuelen 5000 up")
        link.delay(one_way_s)
        yield link


@pytest.fixture
def link() -> Iterator[Link]:
    """A wire of the test's own."""
    with contextlib.ExitStack() as stack:
        try:
            made = stack.enter_context(linked())
        except LabUnavailableError as reason:
            skip_or_fail(reason)
        yield made


def _call(*argv: str) -> None:
    done = subprocess.run(argv, capture_output=True, text=True, timeout=CALL_S, check=False)
    if done.returncode:
        raise LabUnavailableError(f"{' '.join(argv)}: {done.stderr.strip() or done.returncode}")


def _remove(made: Namespace) -> None:
    """Remove a namespace with whatever still runs in it."""

    def inhabitants() -> list[int]:
        listed = subprocess.run(
            ["ip", "netns", "pids", made.name], capture_output=True, text=True, check=False
        )
        # Our own threads may be listed for a moment after `call`.
        return [int(word) for word in listed.stdout.split() if int(word) != os.getpid()]

    def alone() -> bool:
        left = inhabitants()
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return not left

    try:
        until(f"end of the processes in {made.name}", alone, limit_s=STOP_S)
    finally:
        subprocess.run(["ip", "netns", "delete", made.name], capture_output=True, check=False)


def _end(process: subprocess.Popen[bytes]) -> None:
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            with contextlib.suppress(OSError):
                stream.close()
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
