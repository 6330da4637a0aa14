"""What the host has beside what a container gets: a pure comparison of two profiles, and its renderings."""

from __future__ import annotations

import json
from dataclasses import dataclass

from agent.compared_facts import COMPARED, Shown
from agent.render.plain import counts_text, one_line
from profiles.profile import CapabilityProfile

NOT_KNOWN = "not known"
NAME_WIDTH = 18


@dataclass(frozen=True)
class Row:
    """One property in both views.

    Attributes:
        what: its name.
        host: its value on the host; None = not known.
        container: its value in the container; None = not known.
        differs: whether the two values differ; an unknown value differs from a known one.
        note: why they differ, or why a value is not known.
    """

    what: str
    host: str | None
    container: str | None
    differs: bool
    note: str | None


@dataclass(frozen=True)
class Comparison:
    """Two profiles and their rows."""

    host: CapabilityProfile
    container: CapabilityProfile
    rows: tuple[Row, ...]

    @property
    def differences(self) -> tuple[Row, ...]:
        """The rows that differ."""
        return tuple(row for row in self.rows if row.differs)


def compare(host: CapabilityProfile, container: CapabilityProfile) -> Comparison:
    """Put both views side by side; properties that neither profile has facts for are left out."""
    rows = []
    for what, shown, why in COMPARED:
        left, right = shown(host.facts), shown(container.facts)
        if left is None and right is None:
            continue
        left, right = (
            left or Shown(None, "the probe did not run"),
            right or Shown(None, "the probe did not run"),
        )
        differs = left.text != right.text
        note = right.note or why if differs else None
        unknown = [
            f"{side}: {one.note}" for side, one in (("host", left), ("container", right)) if one.text is None
        ]
        if unknown:
            note = "; ".join(unknown)
        rows.append(Row(what, left.text, right.text, differs, note))
    return Comparison(host, container, tuple(rows))


def render_text(comparison: Comparison, width: int = 80) -> str:
    """Three columns; "≠" marks what differs, and the reasons follow below the table."""
    column = max((width - NAME_WIDTH - 6) // 2, 8)
    lines = [f"  {'':{NAME_WIDTH}}  {'host':{column}}  {one_line('container', column)}"]
    for row in comparison.rows:
        mark = "≠" if row.differs else " "
        host, container = (one_line(value or NOT_KNOWN, column) for value in (row.host, row.container))
        lines.append(f"{mark} {row.what:{NAME_WIDTH}}  {host:{column}}  {container}")
    noted = [row for row in comparison.rows if row.note]
    if noted:
        lines += ["", "Why"]
        lines += [one_line(f"  {row.what}: {row.note}", 4 * width) for row in noted]
    checks = [("host", comparison.host), ("container", comparison.container)]
    lines += ["", *(f"Checks, {name}: {counts_text(profile.checks)}" for name, profile in checks)]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def render_markdown(comparison: Comparison) -> str:
    """A table of GitHub-flavoured Markdown."""
    lines = ["| | host | container | why |", "|---|---|---|---|"]
    for row in comparison.rows:
        cells = [row.what, row.host or NOT_KNOWN, row.container or NOT_KNOWN, row.note or ""]
        if row.differs:
            cells[2] = f"**{cells[2]}**"
        lines.append("| " + " | ".join(one_line(cell).replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def render_json(comparison: Comparison) -> str:
    """`{"host": profile, "container": profile, "differences": [{what, host, container, note}]}`."""
    document = {
        "host": comparison.host.model_dump(mode="json"),
        "container": comparison.container.model_dump(mode="json"),
        "differences": [
            {"what": row.what, "host": row.host, "container": row.container, "note": row.note}
            for row in comparison.differences
        ],
    }
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"
