"""What time it is and how one waits; a test or a soak puts another clock in its place, and the schedule runs faster."""

from __future__ import annotations

import select
import time
from collections.abc import Sequence
from datetime import UTC, datetime


class Clock:
    """The machine's own."""

    def monotonic(self) -> float:
        """Seconds that never go back."""
        return time.monotonic()

    def now(self) -> datetime:
        """UTC."""
        return datetime.now(UTC)

    def wait(self, descriptors: Sequence[int], timeout_s: float) -> None:
        """Until one of the descriptors has something to read, or the time is over."""
        select.select(descriptors, [], [], max(timeout_s, 0.0))
