"""Two scenarios side by side, as text."""

from __future__ import annotations

from computing_model.compare import Comparison
from computing_model.outlook import RESOURCES


def text_of(found: Comparison) -> str:
    """Assumptions that differ, then needs of both and their ratio by year."""
    lines = [f"A: {found.one.title} ({found.one.name})", f"B: {found.other.title} ({found.other.name})", ""]
    lines.append(f"{'assumption':48}{'A':>12}{'B':>12}")
    lines += [f"{one.key:48.47}{_cell(one.one):>12}{_cell(one.other):>12}" for one in found.differences]
    if not found.differences:
        lines.append("no number differs")
    lines += ["", "year  " + "".join(f"{resource + ' A':>20}{'B':>10}{'B/A':>7}" for resource in RESOURCES)]
    needs = {resource: (found.one.need(resource), found.other.need(resource)) for resource in RESOURCES}
    for index, year in enumerate(found.years):
        cells = [
            f"{one[index]:>20,.0f}{other[index]:>10,.0f}{found.ratios[resource][index]:>7.2f}"
            for resource, (one, other) in needs.items()
        ]
        lines.append(f"{year}  " + "".join(cells))
    return "\n".join(lines) + "\n"


def _cell(value: float | None) -> str:
    return "-" if value is None else f"{value:g}"
