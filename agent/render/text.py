"""The screen of `agent probe`: words before colour, the worst last, every problem with its cause and its fix."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from agent.render.printable import printable
from agent.render.routes import route_table
from agent.render.screen import Line, arrange, counts
from probes.spec import Probe
from profiles.checks import CheckResult, Status
from profiles.profile import CapabilityProfile

WORDS = {
    Status.OK: "ok",
    Status.WARNING: "warn",
    Status.CRITICAL: "FAIL",
    Status.UNKNOWN: "unkn",
    Status.SKIPPED: "skip",
}
_COLOURS = {Status.OK: 32, Status.WARNING: 33, Status.CRITICAL: 31, Status.UNKNOWN: 35, Status.SKIPPED: 90}

NARROWEST = 40
"""Columns below which lines are no longer folded further: a terminal cannot be too narrow to be told the truth."""


def render_text(
    profile: CapabilityProfile,
    probes: Sequence[Probe],
    *,
    width: int,
    colour: bool = False,
    verbose: bool = False,
    only_problems: bool = False,
) -> str:
    """All but the first line of the screen.

    Args:
        profile: what was found.
        probes: for the sections and the summary of each.
        width: columns to fold at; below `NARROWEST` that many.
        colour: whether words carry ANSI colours.
        verbose: whether every check is listed, with its evidence and thresholds.
        only_problems: whether probes without a problem are left out.
    """
    width = max(width, NARROWEST)
    out: list[str] = []
    section = None
    lines = arrange(profile, probes)
    names = max((len(line.probe) for line in lines), default=0)
    for line in lines:
        if only_problems and not line.problems:
            continue
        if line.section != section:
            section = line.section
            out += ["", section]
        out += _probe(line, names, width, colour=colour, verbose=verbose)
    ending = f"{counts(profile)} in {profile.limits.duration_s:.1f} s. Nothing was sent."
    if profile.limits.partial:
        ending = f"PARTIAL: {printable(profile.limits.reason or '')}. {ending}"
    out += ["", *_fold(ending, width, "")]
    return "\n".join(out) + "\n"


def _probe(line: Line, names: int, width: int, *, colour: bool, verbose: bool) -> list[str]:
    out = _entry(line.status, line.probe.ljust(names), line.summary, width, colour=colour)
    for check in line.checks if verbose else line.problems:
        out += _finding(check, width, verbose=verbose)
    if verbose:
        for row in route_table(line.routes, width - 4):
            indent = " " * (4 + len(row) - len(row.lstrip()))
            out += _fold(row.lstrip(), width, f"{indent}  ", first=indent)
    return out


def _entry(status: Status, name: str, text: str, width: int, *, colour: bool) -> list[str]:
    word = WORDS[status]
    lines = _fold(printable(text), width, " " * (9 + len(name)), first=f"  {word:<5} {name} ")
    if colour:
        lines[0] = lines[0].replace(word, f"\033[{_COLOURS[status]}m{word}\033[0m", 1)
    return lines


def _finding(check: CheckResult, width: int, *, verbose: bool) -> list[str]:
    word = "" if check.status is Status.CRITICAL else f"{WORDS[check.status]}: "
    out = _fold(f"{word}{printable(check.summary)}", width, " " * 16, first=f"        {check.id:<7} ")
    if check.hint:
        out += _fold(printable(check.hint), width, " " * 16, first="        fix     ")
        out += _fold(f"agent explain {check.id}", width, " " * 16, first="        more    ")
    if verbose:
        for evidence in check.evidence:
            out += _fold(printable(evidence), width, " " * 16, first="        seen    ")
        for bound in check.thresholds:
            text = f"{bound.name} = {bound.value} ({bound.origin})"
            out += _fold(printable(text), width, " " * 16, first="        bound   ")
    return out


def _fold(text: str, width: int, rest: str, first: str | None = None) -> list[str]:
    if width < 60 and len(rest) > 10:
        rest = " " * 10
    return textwrap.wrap(
        text or "-",
        width,
        initial_indent=rest if first is None else first,
        subsequent_indent=rest,
        break_long_words=True,
        break_on_hyphens=False,
    )
