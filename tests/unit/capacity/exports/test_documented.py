"""The pages of reference name every format, kind, gate and finding that the code knows, and no others."""

from __future__ import annotations

import re
from pathlib import Path

from capacity.exports import FORMATS
from capacity.fleet import gates
from capacity.imports import KINDS
from capacity.imports.tables import SCORE_COLUMNS

ROOT = Path(__file__).parents[4]


def first_cells(page: str, heading: str) -> set[str]:
    """Code words in the first column of the first table after a heading."""
    text = (ROOT / "docs" / page).read_text("utf-8")
    part = text.partition(heading)[2]
    table = re.search(r"(?:^\|.*\n)+", part, re.MULTILINE)
    assert table is not None
    return {word for row in table[0].splitlines()[2:] for word in re.findall(r"`([^`]+)`", row.split("|")[1])}


def test_formats() -> None:
    assert first_cells("reference/exports.md", "# Exports") == set(FORMATS)


def test_kinds() -> None:
    assert first_cells("reference/imports.md", "# Imports") == set(KINDS)


def test_columns_of_scores() -> None:
    assert first_cells("reference/imports.md", "## CSV of scores") == set(SCORE_COLUMNS)


def test_gates_and_their_checks() -> None:
    text = (ROOT / "docs/explanation/fleet.md").read_text("utf-8")
    for rule in gates.RULES:
        (row,) = re.findall(rf"^\| `{rule.name}` \| (.*) \|$", text, re.MULTILINE)
        assert set(re.findall(r"[A-Z]{3}-[0-9]{2}", row)) == {*rule.check_ids, *rule.instead}
    assert first_cells("explanation/fleet.md", "## Capacity and usable") == {
        rule.name for rule in gates.RULES
    }


def test_findings() -> None:
    rules = "\n".join(path.read_text("utf-8") for path in (ROOT / "capacity/fleet").glob("*.py"))
    codes = set(re.findall(r'code="([a-z-]+)"', rules)) | set(re.findall(r'"(outlier-[a-z]+)"', rules))

    assert first_cells("explanation/fleet.md", "## Is it one machine?") == codes
