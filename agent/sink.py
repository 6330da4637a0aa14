"""Where a result goes and how it looks. Light on purpose: the first line is shown before the models are loaded."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Literal, Self, get_args

FORMATS = ("text", "json", "nagios", "classad", "glidein", "nfd", "prometheus", "markdown", "html")
ExitMapName = Literal["agent", "nagios", "glidein", "npd", "always0"]
EXIT_MAPS: tuple[ExitMapName, ...] = get_args(ExitMapName)


@dataclass(frozen=True, kw_only=True)
class Style:
    """How the result is shown."""

    format_name: str
    width: int
    colour: bool
    verbose: bool
    only_problems: bool

    @property
    def default_exit_map(self) -> ExitMapName:
        """Monitoring plug-ins use 2 = critical and 3 = unknown, which clashes with our own codes."""
        if self.format_name == "nagios":
            return "nagios"
        return "glidein" if self.format_name == "glidein" else "agent"


def wants_colour(stream: IO[str], *, no_color: bool) -> bool:
    """Colour only on a terminal that can, unless FORCE_COLOR; never with NO_COLOR or --no-color."""
    if no_color or os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def format_of(path: Path | None, formats: Sequence[str]) -> str:
    """The format that a file's name asks for; text if it asks for none."""
    ending = "" if path is None else path.suffix.lower().removeprefix(".")
    return ending if ending in formats else "text"


class OutputError(Exception):
    """The result could not be written; the text says where and why."""


class Sink:
    """Standard output, or a file that appears only when it is complete.

    Raises:
        OutputError: the file cannot be written, or nobody reads standard output.
    """

    def __init__(self, path: Path | None, style: Style) -> None:
        self._path = None if path is None or str(path) == "-" else path
        self._parts: list[str] = []
        self.style = style

    def __enter__(self) -> Self:
        return self

    def check(self) -> None:
        """See before minutes of work whether the file can be written, as far as that shows beforehand.

        Raises:
            OutputError: it cannot.
        """
        if self._path is None:
            return
        if self._path.is_dir():
            raise OutputError(f"cannot write {self._path}: {os.strerror(errno.EISDIR)}")
        if self._is_written_to():
            return
        try:
            self._unfinished.touch()
            self._unfinished.unlink()
        except OSError as problem:
            raise OutputError(f"cannot write {self._path}: {problem.strerror}") from problem

    def write(self, part: str) -> None:
        """Show a part now, or keep it for the file."""
        if self._path is None:
            _to_standard_output(part)
        else:
            self._parts.append(part)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._path is None or kind is not None:
            return
        text = "".join(self._parts)
        try:
            if self._is_written_to():
                self._path.write_text(text, "utf-8")
                return
            self._unfinished.write_text(text, "utf-8")
            self._unfinished.replace(self._path)
        except OSError as problem:
            with contextlib.suppress(OSError):
                self._unfinished.unlink(missing_ok=True)
            raise OutputError(f"cannot write {self._path}: {problem.strerror}") from problem

    @property
    def _unfinished(self) -> Path:
        assert self._path is not None
        return self._path.with_name(f".{self._path.name}.part")

    def _is_written_to(self) -> bool:
        """A device, pipe or link is written to: root must not replace /dev/null by a file."""
        path = self._path
        return path is not None and (path.is_symlink() or (path.exists() and not path.is_file()))


def _to_standard_output(part: str) -> None:
    try:
        sys.stdout.write(part)
        sys.stdout.flush()
    except OSError as problem:
        # Else the interpreter's own flush at exit would fail once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        if isinstance(problem, BrokenPipeError):
            raise OutputError(
                "the reader of standard output went away before the whole result was written"
            ) from problem
        raise OutputError(f"cannot write the result to standard output: {problem.strerror}") from problem
