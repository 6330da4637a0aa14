"""Signals wake the loop from its sleep."""

from __future__ import annotations

import contextlib
import signal
import socket


class Wake:
    """A descriptor that becomes readable when a signal comes, so that none is overslept."""

    def __init__(self) -> None:
        self._reading, self._writing = socket.socketpair()
        self._reading.setblocking(False)  # noqa: FBT003 - the only form it has
        self._writing.setblocking(False)  # noqa: FBT003
        signal.set_wakeup_fd(self._writing.fileno(), warn_on_full_buffer=False)

    def fileno(self) -> int:
        """For select."""
        return self._reading.fileno()

    def drain(self) -> None:
        """Forget what came."""
        with contextlib.suppress(BlockingIOError):
            while self._reading.recv(4096):
                pass

    def close(self) -> None:
        """In a child, or at the end."""
        signal.set_wakeup_fd(-1)
        self._reading.close()
        self._writing.close()
