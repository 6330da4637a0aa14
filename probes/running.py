"""A probe's child while it runs: its pipe, its deadline, and what it has said so far."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

from probes.spec import Probe

MAX_REPORT_BYTES = 4 * 1024 * 1024
"""A child that sends more is killed: the largest honest facts are some 100 kB."""


@dataclass
class Running:
    """A child.

    Attributes:
        probe: that it runs.
        pid: of the child, which leads a group of its own.
        pipe: where it writes, not blocking.
        began: monotonic seconds.
        deadline: likewise.
        received: what was read until now.
    """

    probe: Probe
    pid: int
    pipe: int
    began: float
    deadline: float
    received: bytearray = field(default_factory=bytearray)

    @property
    def flooded(self) -> bool:
        """Whether it has sent more than any honest child does."""
        return len(self.received) > MAX_REPORT_BYTES

    def read(self) -> bool:
        """Take what is on the pipe; True when the child has closed it or sent too much."""
        try:
            piece = os.read(self.pipe, 65_536)
        except BlockingIOError:
            return False
        self.received += piece
        return not piece or self.flooded

    def drain(self) -> None:
        """Take what there is to be had now, of a flood no more than its bound."""
        while True:
            try:
                piece = os.read(self.pipe, 65_536)
            except OSError:
                return
            if not piece or self.flooded:
                return
            self.received += piece

    def lines(self) -> list[str]:
        """What it has said, line by line: ``?`` a question it asks, ``#`` a failure to record, ``=`` or ``!`` its end."""
        return self.received.decode("utf-8", "replace").splitlines()

    def last_question(self) -> str | None:
        """What it asked last; None if nothing."""
        asked = [line[1:] for line in self.lines() if line.startswith("?")]
        return asked[-1] if asked else None
