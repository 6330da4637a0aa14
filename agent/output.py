"""Where a result goes and in which words: format, sink, colour, exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from agent.exit_code import exit_code
from agent.render import text
from agent.run import Look, Request
from probes.errors import HostError, RecordingError
from probes.host import Host
from probes.live import LiveDoor
from probes.spec import Probe
from profiles.profile import CapabilityProfile
from profiles.reading import write_profile

FORMATS = ("text", "json", "nagios", "classad", "glidein", "markdown", "html")
EXIT_MAPS = ("agent", "nagios", "glidein", "npd", "always0")


@dataclass(frozen=True, kw_only=True)
class Style:
    """How the result is shown."""

    format_name: str
    width: int
    colour: bool
    verbose: bool
    only_problems: bool

    @property
    def default_exit_map(self) -> str:
        """Monitoring plug-ins use 2 = critical and 3 = unknown, which clashes with our own codes."""
        return {"nagios": "nagios", "glidein": "glidein"}.get(self.format_name, "agent")


def wants_colour(stream: IO[str], *, no_color: bool) -> bool:
    """Colour only on a terminal that can, unless FORCE_COLOR; never with NO_COLOR or --no-color."""
    if no_color or os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return stream.isatty() and os.environ.get("TERM") != "dumb"


class Sink:
    """Standard output, or a file that appears only when it is complete.

    Raises:
        RecordingError: the file cannot be written; the text says why.
    """

    def __init__(self, path: Path | None, style: Style) -> None:
        self._path = None if path is None or str(path) == "-" else path
        self._parts: list[str] = []
        self._style = style

    def __enter__(self) -> Self:
        return self

    def write(self, part: str) -> None:
        """Show a part now, or keep it for the file."""
        if self._path is None:
            sys.stdout.write(part)
            sys.stdout.flush()
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
            raise RecordingError(f"cannot write {self._path}: {problem.strerror}") from problem


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
    if style.format_name == "nagios":
        from agent.render.nagios import render_nagios  # noqa: PLC0415

        return render_nagios(profile)
    if style.format_name == "classad":
        from agent.render.classad import render_classad  # noqa: PLC0415

        return render_classad(profile)
    if style.format_name == "glidein":
        from agent.render.glidein import render_glidein  # noqa: PLC0415

        return render_glidein(profile)
    if style.format_name == "markdown":
        from agent.render.markdown import render_markdown  # noqa: PLC0415

        return render_markdown(profile)
    if style.format_name == "html":
        from agent.render.html import render_html  # noqa: PLC0415

        return render_html(profile)
    return text.render_text(
        profile,
        probes,
        width=style.width,
        colour=style.colour,
        verbose=style.verbose,
        only_problems=style.only_problems,
    )


def code_of(found: Look, *, strict: bool, exit_map: str) -> int:
    """The exit code by the chosen map; a signal keeps its own code in every map."""
    ours = exit_code(
        found.profile, strict=strict, interrupted_by=found.interrupted_by, out_of_budget=found.out_of_budget
    )
    if exit_map == "agent" or found.interrupted_by:
        return ours
    from agent.render.exit_maps import mapped_exit_code  # noqa: PLC0415

    return mapped_exit_code(found.profile, exit_map)


def deliver_pair(
    sink: Sink,
    found: Look,
    request: Request,
    container: tuple[str, str],
    names: Sequence[str],
    *,
    strict: bool,
) -> int:
    """Probe inside a container as well, and show both views side by side."""
    raise NotImplementedError
