"""Progress of a benchmark on stderr: one line that is rewritten on a terminal, else one line a step."""

from __future__ import annotations

import shutil
import sys
from types import TracebackType
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from payloads.measured_kernel import Progress


class BenchProgress:
    """Says what is being done and how long the run may still take."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._rewrite = sys.stderr.isatty()
        self._last: tuple[object, ...] | None = None
        self._shown = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._shown and self._rewrite:
            self._write("\r\033[K")

    def told(self, progress: Progress) -> None:
        """Show one step; off a terminal, repeats of one series are one line."""
        if self._quiet:
            return
        if self._rewrite:
            width = shutil.get_terminal_size((80, 24)).columns
            self._write(f"\r\033[K{line_of(progress)[: width - 1]}")
            self._shown = True
            return
        step = (progress.kernel, progress.doing, progress.copies)
        if step != self._last:
            self._last = step
            self._write(line_of(progress) + "\n")

    @staticmethod
    def _write(text: str) -> None:
        try:
            sys.stderr.write(text)
            sys.stderr.flush()
        except OSError:
            return  # nobody reads it; the result still counts


def line_of(progress: Progress) -> str:
    """E.g. "clue: x86_64_v3, 8 copies, repeat 3/10; at most 1 min 5 s left"."""
    parts = [progress.doing]
    if progress.copies is not None:
        parts.append(f"{progress.copies} {'copy' if progress.copies == 1 else 'copies'}")
    if progress.repeat is not None:
        parts.append(f"repeat {progress.repeat}/{progress.repeats}")
    return f"{progress.kernel}: {', '.join(parts)}; at most {_time(progress.left_s)} left"


def _time(seconds: float) -> str:
    whole = max(round(seconds), 0)
    return f"{whole} s" if whole < 60 else f"{whole // 60} min {whole % 60} s"
