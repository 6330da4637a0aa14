"""Where a result goes and in which words: format, sink, colour, exit code."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Literal, Self, get_args

from agent.exit_code import exit_code
from agent.render import text
from agent.run import Look, Request
from probes.errors import HostError
from probes.host import Host
from probes.live import LiveDoor
from probes.spec import Probe
from profiles.profile import CapabilityProfile
from profiles.reading import write_profile

FORMATS = ("text", "json", "nagios", "classad", "glidein", "markdown", "html")
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
        unfinished = self._path.with_name(f".{self._path.name}.part")
        try:
            unfinished.write_text("".join(self._parts), "utf-8")
            unfinished.replace(self._path)
        except OSError as problem:
            unfinished.unlink(missing_ok=True)
            raise OutputError(f"cannot write {self._path}: {problem.strerror}") from problem


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


def first_line(version: str, name: str | None, request: Request) -> str:
    """The head of the screen, from two files that cost nothing to read."""
    system = None
    if request.replay is None:
        try:
            release = Host(LiveDoor(request.root)).read_text("/etc/os-release", limit_bytes=16_384)
            fields = dict(line.split("=", 1) for line in release.splitlines() if "=" in line)
            system = fields.get("PRETTY_NAME", "").strip('"') or None
        except HostError:
            system = None
    else:
        system = "recording"
    return text.head(version, name, system) + "\n"


def body(profile: CapabilityProfile, probes: Sequence[Probe], style: Style) -> str:
    """The result in the format that was asked for; each renderer is loaded only when it is needed."""
    if style.format_name == "json":
        return write_profile(profile)
    if style.format_name != "text":
        renderer = importlib.import_module(f"agent.render.{style.format_name}")
        return str(renderer.render(profile))
    return text.render_text(
        profile,
        probes,
        width=style.width,
        colour=style.colour,
        verbose=style.verbose,
        only_problems=style.only_problems,
    )


def code_of(found: Look, *, strict: bool, exit_map: ExitMapName) -> int:
    """The exit code by the chosen map; a signal keeps its own code in every map."""
    ours = exit_code(
        found.profile, strict=strict, interrupted_by=found.interrupted_by, out_of_budget=found.out_of_budget
    )
    if exit_map == "agent" or found.interrupted_by:
        return ours
    from agent.render.exit_maps import exit_status  # noqa: PLC0415

    return exit_status(found.profile, exit_map)
