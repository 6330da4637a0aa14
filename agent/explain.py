"""The long text of a check, and why a CPU does not reach a micro-architecture target."""

from __future__ import annotations

import difflib
import textwrap
from collections.abc import Mapping

from probes.host import Host
from probes.settings import Settings
from probes.spec import Check, Probe
from probes.why_not import why_not

WIDTH = 80


class UnknownCheckError(Exception):
    """There is no check, or no micro-architecture, of that name; the text suggests one."""


def explain_check(code: str, catalogue: Mapping[str, tuple[Probe, Check]], settings: Settings) -> str:
    """All that the catalogue knows of a check, folded at 80 columns.

    Raises:
        UnknownCheckError: no such check.
    """
    found = catalogue.get(code.upper())
    if found is None:
        close = difflib.get_close_matches(code.upper(), catalogue, n=1, cutoff=0.5)
        hint = f"did you mean {close[0]}?" if close else "see `agent probe --list`"
        raise UnknownCheckError(f"there is no check {code!r}; {hint}")
    probe, check = found
    parts = [f"{check.id}  {check.title}  (probe {probe.name})", ""]
    for label, text in (
        ("rule", check.rule),
        ("why", check.why),
        ("fix", check.hint),
        ("from", check.origin),
    ):
        parts += textwrap.wrap(text, WIDTH, initial_indent=f"{label:<6}", subsequent_indent=" " * 6)
    for bound in check.bounds:
        moved = settings.thresholds.get(check.id, {}).get(bound.name)
        value = bound.default if moved is None else moved
        origin = bound.origin if moved is None else f"site configuration; default {bound.default}"
        parts += textwrap.wrap(
            f"{bound.name} = {value} ({origin})", WIDTH, initial_indent="bound ", subsequent_indent=" " * 6
        )
    if check.bounds:
        example = check.bounds[0]
        parts += [
            "",
            "To move a threshold, in the configuration file:",
            f'    [thresholds."{check.id}"]',
            f"    {example.name} = {example.default!r}",
        ]
    return "\n".join(parts) + "\n"


def explain_level(host: Host, target: str) -> str:
    """Which features this CPU lacks for a target.

    Raises:
        UnknownCheckError: no such target.
    """
    try:
        missing = why_not(host, target)
    except KeyError as error:
        raise UnknownCheckError(
            f"there is no micro-architecture {target!r}; see `archspec cpu --list`"
        ) from error
    if not missing:
        return f"This CPU runs code built for {target}.\n"
    return (
        "\n".join(
            textwrap.wrap(
                f"This CPU does not run code built for {target}: it lacks {', '.join(missing)}.", WIDTH
            )
        )
        + "\n"
    )
