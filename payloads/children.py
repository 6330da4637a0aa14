"""Child processes that speak JSON lines, each of which may hang, die or flood without costing more than itself.

A child has one socket as its standard input and output; what it writes to standard error goes into a file in memory
that all children of a group share. Every answer has a deadline. A child that does not even die when killed is left.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import resource
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Self

from payloads.errors import PayloadError

MAX_LINE_BYTES = 4 * 1024 * 1024
"""The longest answer is a picture of one event, some 300 kB."""

ERROR_BYTES = 2000
"""How much of the end of standard error is looked at."""

GRACE_S = 1.0
"""How long a killed child may take to vanish before it is left."""

WORKER = (sys.executable, "-I", "-m", "payloads.worker")
"""What is started unless a test starts something else."""

_ONE_THREAD = dict.fromkeys(
    ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS"), "1"
)


Stop = Callable[[], bool]
"""Whether the run has to end now."""


_LEFT: list[subprocess.Popen[bytes]] = []
"""Killed, but not gone in time; when they are, somebody has to take note or they stay zombies."""


class ChildError(PayloadError):
    """A child gave no good answer; the text says how it ended."""


class Child:
    """One process of a group. Use `Group.start`."""

    def __init__(self, process: subprocess.Popen[bytes], channel: socket.socket, name: str) -> None:
        self.name = name
        self.pid = process.pid
        self.left_behind: str | None = None
        self._process = process
        self._channel = channel
        self._received = bytearray()
        self._killed = False

    def send(self, message: Mapping[str, Any]) -> None:
        """Send one line; a child that has gone is noticed when its answer is awaited."""
        with contextlib.suppress(OSError):
            self._channel.sendall(json.dumps(message).encode() + b"\n")

    def fileno(self) -> int:
        """For selectors."""
        return self._channel.fileno()

    def receive(self) -> dict[str, Any] | None:
        """One answer if it has come; None if more has to come first.

        Raises:
            ChildError: the child has ended, or speaks something else.
        """
        try:
            piece = self._channel.recv(1 << 18, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return None
        except OSError as error:
            raise ChildError(self._ending()) from error
        self._received += piece
        line, newline, rest = self._received.partition(b"\n")
        if newline:
            self._received = bytearray(rest)
            try:
                answer = json.loads(line)
            except (ValueError, RecursionError) as error:
                raise ChildError(f"{self.name} answered something that is not JSON") from error
            if not isinstance(answer, dict):
                raise ChildError(f"{self.name} answered something that is not an object")
            return answer
        if not piece:
            raise ChildError(self._ending())
        if len(self._received) > MAX_LINE_BYTES:
            raise ChildError(f"{self.name} sent more than {MAX_LINE_BYTES} bytes without an end of line")
        return None

    def kill(self) -> None:
        """End it with all its threads and children, without waiting for that."""
        if self._killed:
            return
        self._killed = True
        self._channel.close()
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            self._process.kill()

    def close(self) -> None:
        """Kill it and wait for it a moment; `left_behind` says so if it does not go."""
        self.kill()
        if self.left_behind is not None:
            return
        try:
            self._process.wait(GRACE_S)
        except subprocess.TimeoutExpired:
            self.left_behind = f"process {self.pid} cannot be killed and is left behind"
            _LEFT.append(self._process)

    def _ending(self) -> str:
        try:
            code = self._process.wait(GRACE_S)
        except subprocess.TimeoutExpired:
            return f"{self.name} closed its standard output"
        if code >= 0:
            return f"{self.name} ended with exit code {code}"
        try:
            word = signal.Signals(-code).name
        except ValueError:
            word = f"signal {-code}"
        hint = "; the kernel kills so when memory runs out" if -code == signal.SIGKILL else ""
        return f"{self.name} was killed by {word}{hint}"


class Group:
    """Children that are started, asked and ended together. Leaving the context ends all.

    Args:
        command: what is started; its input is the first line that `start` sends.
    """

    def __init__(self, command: Sequence[str] = WORKER) -> None:
        self.children: list[Child] = []
        self._command = list(command)
        self._errors = os.memfd_create("stderr", os.MFD_CLOEXEC)
        # Children write at the end, wherever another one has written meanwhile.
        fcntl.fcntl(self._errors, fcntl.F_SETFL, os.O_APPEND)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for child in self.children:
            child.kill()
        # Only now: hundreds of copies give their memory back side by side.
        for child in self.children:
            child.close()
        self.children.clear()
        _reap()
        os.close(self._errors)

    def start(self, name: str, request: Mapping[str, Any]) -> Child:
        """Start one child with its request.

        Raises:
            ChildError: the system gives no process or no file descriptor.
        """
        _allow_files(len(self.children) + 64)
        try:
            ours, theirs = socket.socketpair()
            with theirs, contextlib.ExitStack() as unless_started:
                unless_started.enter_context(ours)
                process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                    self._command,
                    stdin=theirs.fileno(),
                    stdout=theirs.fileno(),
                    stderr=self._errors,
                    start_new_session=True,
                    env={**os.environ, **_ONE_THREAD},
                )
                unless_started.pop_all()
        except OSError as error:
            raise ChildError(f"no process could be started for {name}: {error.strerror}") from error
        child = Child(process, ours, name)
        self.children.append(child)
        child.send({**request, "parent": os.getpid()})
        return child

    def ask(
        self, children: Sequence[Child], end: float, stop: Stop | None = None
    ) -> dict[Child, dict[str, Any] | ChildError]:
        """The next answer of each child, or what became of it.

        Args:
            children: of this group.
            end: on the monotonic clock; who has not answered by then is killed.
            stop: asked ten times a second; once it says yes, the answers so far are given.
        """
        answers: dict[Child, dict[str, Any] | ChildError] = {}
        with selectors.DefaultSelector() as selector:
            for child in children:
                selector.register(child, selectors.EVENT_READ, child)
            while len(answers) < len(children):
                if stop is not None and stop():
                    break
                left = end - time.monotonic()
                if left <= 0:
                    break
                for key, _ in selector.select(min(left, 0.1)):
                    child = key.data
                    try:
                        answer = child.receive()
                    except ChildError as error:
                        answers[child] = ChildError(self._with_last_words(str(error)))
                        selector.unregister(child)
                        continue
                    if answer is not None:
                        answers[child] = answer
                        selector.unregister(child)
        interrupted = stop is not None and stop()
        for child in children:
            if child not in answers:
                answers[child] = ChildError(
                    f"{child.name} {'was interrupted' if interrupted else _too_late(child)}"
                )
        return answers

    def _with_last_words(self, sentence: str) -> str:
        size = os.fstat(self._errors).st_size
        text = os.pread(self._errors, ERROR_BYTES, max(0, size - ERROR_BYTES)).decode("utf-8", "replace")
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        return f"{sentence} ({lines[-1][:200]})" if lines else sentence


def ask_one(
    command: Sequence[str], name: str, request: Mapping[str, Any], end: float, stop: Stop | None = None
) -> dict[str, Any]:
    """The answer of a child that is started for one request.

    Raises:
        ChildError: it failed, hung until `end` and was killed, or was interrupted.
    """
    with Group(command) as group:
        child = group.start(name, request)
        answer = group.ask([child], end, stop)[child]
    if isinstance(answer, ChildError):
        raise answer
    if "error" in answer:
        raise ChildError(str(answer["error"]))
    return answer


def _too_late(child: Child) -> str:
    child.close()
    return ": ".join(filter(None, ("did not answer in time and was killed", child.left_behind)))


def _reap() -> None:
    for process in tuple(_LEFT):
        if process.poll() is not None:
            with contextlib.suppress(ValueError):  # another thread was first
                _LEFT.remove(process)


def _allow_files(wanted: int) -> None:
    """Raise the soft limit of open files as far as it takes and is allowed."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = wanted + 256
    if soft != resource.RLIM_INFINITY and soft < needed:
        most = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (max(most, soft), hard))
