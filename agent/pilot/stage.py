"""One part of a pilot in a process of its own, which is told to end, and killed with all below it if it does not.

The pilot itself only waits: whatever a part hangs in, and whatever the kernel kills for want of memory, costs that part.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import selectors
import signal
import struct
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from probes.descendants import descendants
from probes.fork import forked, reap, write_all

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1, signal.SIGUSR2)
"""What batch systems send before they kill: SIGTERM; SIGUSR1 or SIGUSR2 where a job asked to be warned."""

KILL_FIRST = 500
"""Added to oom_score_adj of a part: if memory runs out, the kernel kills the part and not the pilot, which still hands over."""

POLL_S = 0.1
MAX_MESSAGE_BYTES = 8 * 1024 * 1024
MAX_REASON_BYTES = 400

_HEAD = struct.Struct("=BI")


class Orders:
    """What the pilot tells its parts, in memory that they share: when all has to be over, and why to end now."""

    def __init__(self, deadline: float) -> None:
        self._memory = mmap.mmap(-1, 8 + 2 + MAX_REASON_BYTES)
        self.deadline = deadline

    @property
    def deadline(self) -> float:
        """On the monotonic clock, the same in all processes of a machine."""
        return float(struct.unpack_from("d", self._memory, 0)[0])

    @deadline.setter
    def deadline(self, value: float) -> None:
        struct.pack_into("d", self._memory, 0, value)

    @property
    def reason(self) -> str:
        """Why to end now; empty = go on."""
        size = struct.unpack_from("H", self._memory, 8)[0]
        return self._memory[10 : 10 + size].decode("utf-8", "replace")

    @reason.setter
    def reason(self, text: str) -> None:
        data = text.encode()[:MAX_REASON_BYTES]
        self._memory[10 : 10 + len(data)] = data
        struct.pack_into("H", self._memory, 8, len(data))


class Part:
    """Inside a part: how it says what it has, and hears that it has to end.

    Attributes:
        orders: shared with the pilot.
        on_stop: is called, in a signal handler, with the reason when the part has to end.
    """

    def __init__(self, pipe: int, orders: Orders) -> None:
        self.orders = orders
        self.on_stop: Callable[[str], None] = lambda _: None
        self._pipe = pipe
        self._stopped: str | None = None

    @property
    def stopped(self) -> str | None:
        """Why it has to end; None = it may go on."""
        return self.orders.reason or self._stopped

    def say(self, message: bytes) -> None:
        """Hand something to the pilot: it has it even if this part is killed in the next moment."""
        self._send(0, message)

    def fail(self, why: str) -> None:
        """Say in a sentence why there is not what there should be."""
        self._send(1, why.encode("utf-8", "replace"))

    def interrupt(self, name: str) -> None:
        """Remember that the part has to end, and tell whatever runs in it."""
        self._stopped = self.orders.reason or name
        self.on_stop(self._stopped)

    def _send(self, kind: int, message: bytes) -> None:
        write_all(self._pipe, _HEAD.pack(kind, len(message)) + message)


class Ended(NamedTuple):
    """How a part ended.

    Attributes:
        messages: all that it said.
        failure: why there may be less than there should be, a sentence; None = it came to its end.
    """

    messages: tuple[bytes, ...]
    failure: str | None


class Stage:
    """A part that was started.

    Args:
        name: for sentences.
        work: what it does; called in the child.
        orders: shared with it.

    Raises:
        OSError: the system gives no pipe or no process.
    """

    def __init__(self, name: str, work: Callable[[Part], None], orders: Orders) -> None:
        self.name = name
        self._messages: list[bytes] = []
        self._failure: str | None = None
        self._received = bytearray()
        self._pid, self._pipe = forked(
            lambda pipe: _be_the_part(work, Part(pipe, orders)),
            lambda pipe, sentence: Part(pipe, orders).fail(sentence),
        )

    def wait(self, seconds: float) -> bool:
        """Take what it says for up to so long; True once it has ended."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._pipe, selectors.EVENT_READ)
            end = time.monotonic() + seconds
            while True:
                left = end - time.monotonic()
                if not selector.select(max(left, 0.0)):
                    return False
                if self._read():
                    return True
                if left <= 0:
                    return False

    def tell(self, number: int = signal.SIGTERM) -> None:
        """Let it know that there are orders."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(self._pid, number)

    def kill(self, why: str) -> Ended:
        """End it now, and all that it started."""
        for pid in [self._pid, *descendants(self._pid)]:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        while not self._read(at_once=True):
            pass
        return self._ended(why)

    def ended(self) -> Ended:
        """What came of it, after `wait` said that it has ended."""
        return self._ended(None)

    def _ended(self, why: str | None) -> Ended:
        os.close(self._pipe)
        status = reap(self._pid)
        failure = self._failure
        if status is None:
            failure = f"process {self._pid} ({self.name}) cannot be killed and is left behind"
        elif why is not None:
            failure = why
        elif os.WIFSIGNALED(status):
            word = signal.Signals(os.WTERMSIG(status)).name
            hint = "; the kernel kills so when memory runs out" if word == "SIGKILL" else ""
            failure = f"{self.name} was killed by {word}{hint}"
        elif failure is None and os.waitstatus_to_exitcode(status) != 0:
            failure = f"{self.name} ended without a word"
        return Ended(tuple(self._messages), failure)

    def _read(self, *, at_once: bool = False) -> bool:
        """Take what is there; True when nothing more will come, or with `at_once` nothing more is there now."""
        try:
            piece = os.read(self._pipe, 1 << 18)
        except BlockingIOError:
            return at_once
        self._received += piece
        while len(self._received) >= _HEAD.size:
            kind, size = _HEAD.unpack_from(self._received)
            if size > MAX_MESSAGE_BYTES or len(self._received) < _HEAD.size + size:
                break
            message = bytes(self._received[_HEAD.size : _HEAD.size + size])
            del self._received[: _HEAD.size + size]
            if kind:
                self._failure = f"{self.name}: {message.decode('utf-8', 'replace')}"
            else:
                self._messages.append(message)
        return not piece


def _be_the_part(work: Callable[[Part], None], part: Part) -> None:
    for number in SIGNALS:
        signal.signal(number, lambda got, _: part.interrupt(signal.Signals(got).name))
    with contextlib.suppress(OSError, ValueError):
        score = Path("/proc/self/oom_score_adj")
        score.write_text(str(min(int(score.read_text()) + KILL_FIRST, 1000)))
    work(part)
