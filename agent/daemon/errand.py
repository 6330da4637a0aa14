"""Work that talks to others, in a child of its own: it may hang, leak or crash, and costs only itself.

A name that is looked up cannot be interrupted in the daemon itself, and what a TLS library keeps would stay for months.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import time
from collections.abc import Callable
from typing import Any

from probes.fork import GRACE_S, forked, write_all

MAX_WORDS_BYTES = 64 * 1024
"""What an errand says of itself is a handful of short sentences."""

Say = Callable[[dict[str, Any]], None]
Work = Callable[[Say], None]
"""Does the work in the child; says what came of it, as often as it likes."""


class Errand:
    """One child that was sent.

    Args:
        name: in sentences about it.
        work: done in the child.
        deadline_s: it is killed after this.
        close_in_child: descriptors of the parent that the child must not keep.

    Raises:
        OSError: there is no process or pipe to be had.
    """

    def __init__(
        self, name: str, work: Work, deadline_s: float, close_in_child: Callable[[], None] = lambda: None
    ) -> None:
        self.name = name
        self.words: list[dict[str, Any]] = []
        self.failure: str | None = None
        self.ended = False
        self.killed_at: float | None = None
        self._deadline_s = deadline_s
        self._deadline = time.monotonic() + deadline_s
        self._received = bytearray()
        self._heard_bytes = 0

        def in_child(pipe: int) -> None:
            _detach()
            close_in_child()
            work(lambda word: _say(pipe, word))

        self.pid, self._pipe = forked(in_child, lambda pipe, sentence: _say(pipe, {"failure": sentence}))

    def fileno(self) -> int:
        """For selectors, while it has not ended."""
        return self._pipe

    @property
    def is_stuck(self) -> bool:
        """Whether it was killed and did not go."""
        killed = self.killed_at
        return not self.ended and killed is not None and time.monotonic() - killed > GRACE_S

    def poll(self) -> bool:
        """Take what it says; kill it past its deadline; True once it has ended."""
        if self.ended:
            return True
        closed = self._read()
        if not closed and time.monotonic() >= self._deadline and self.killed_at is None:
            self.kill(f"no end after {self._deadline_s:g} s")
        status = self._gone()
        if status is None:
            return False
        self._read()
        self._close()
        if self.failure is None and status != 0:
            self.failure = f"it ended with wait status {status}"
        return True

    def wait(self, limit_s: float) -> None:
        """Until it has ended or the time is over; then it is killed."""
        end = time.monotonic() + limit_s
        while not self.poll():
            left_s = end - time.monotonic()
            if left_s <= 0:
                self.kill(f"no end after {limit_s:g} s")
                self.poll()
                return
            select.select([self._pipe], [], [], min(left_s, 0.05))

    def kill(self, reason: str) -> None:
        """End it now; `failure` says why."""
        self.failure = self.failure or reason
        self.killed_at = self.killed_at or time.monotonic()
        for kill in (os.killpg, os.kill):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                kill(self.pid, signal.SIGKILL)

    def _gone(self) -> int | None:
        try:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
        except ChildProcessError:
            return 0
        return status if pid else None

    def _read(self) -> bool:
        """True when the child has closed its end."""
        while True:
            try:
                piece = os.read(self._pipe, 65_536)
            except BlockingIOError:
                return False
            if not piece:
                return True
            self._heard_bytes += len(piece)
            if self._heard_bytes > MAX_WORDS_BYTES:
                self.kill("it says too much")
                continue
            self._received += piece
            *lines, rest = bytes(self._received).split(b"\n")
            self._received = bytearray(rest)
            for line in lines:
                word = json.loads(line)
                if "failure" in word:
                    self.failure = self.failure or str(word["failure"])
                else:
                    self.words.append(word)

    def _close(self) -> None:
        self.ended = True
        os.close(self._pipe)


def _say(pipe: int, word: dict[str, Any]) -> None:
    write_all(pipe, json.dumps(word).encode() + b"\n")


def _detach() -> None:
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    nowhere = os.open(os.devnull, os.O_RDWR)
    # Standard error stays: it is the log, and delivery says there what it had to give up.
    for descriptor in (0, 1):
        os.dup2(nowhere, descriptor)
