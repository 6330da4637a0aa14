"""What the files of deploy/ say of themselves."""

from __future__ import annotations

import re
from pathlib import Path

INDENTED = re.compile(r"#? {5}(\S.*)")


def two_lines(path: Path) -> str:
    """The version of two lines at the head of a file, as text of its own."""
    _, _, text = path.read_text().partition("In two lines")
    lines = [INDENTED.fullmatch(line) for line in text.splitlines()[1:3]]
    found = [line[1] for line in lines if line]
    assert len(found) == 2, f"{path} does not begin with a version of two lines"
    return "".join(f"{line}\n" for line in found)
