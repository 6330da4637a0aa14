"""What the files of deploy/ say of themselves."""

from __future__ import annotations

from pathlib import Path

INDENT = "#     "


def two_lines(path: Path) -> str:
    """The version of two lines at the head of a file, as text of its own."""
    _, _, text = path.read_text().partition("# In two lines")
    lines = text.splitlines()[1:3]
    assert all(line.startswith(INDENT) for line in lines), (
        f"{path} does not begin with a version of two lines"
    )
    return "".join(f"{line.removeprefix(INDENT)}\n" for line in lines)
