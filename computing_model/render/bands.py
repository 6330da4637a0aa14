"""Bands of a plan as text."""

from __future__ import annotations

from computing_model.render.table import UNITS
from computing_model.uncertainty import QUANTILES, Bands


def text_of(found: Bands) -> str:
    """A table a resource: quantiles by year and the chance that the flat budget covers the need."""
    parts = []
    for resource, title in UNITS.items():
        heads = [*(f"{quantile:.1%}" for quantile in QUANTILES), "covered"]
        lines = [title, "year  " + "".join(f"{head:>12}" for head in heads)]
        covered = found.covered.get(resource)
        for index, year in enumerate(found.years):
            cells = [f"{row[index]:,.0f}" for row in found.quantiles[resource]]
            cells.append("-" if covered is None else f"{covered[index]:.0%}")
            lines.append(f"{year}  " + "".join(f"{cell:>12}" for cell in cells))
        parts.append("\n".join(lines))
    parts.append(
        f"{found.samples} samples, seed {found.seed}; covered: share of samples within their flat budget"
    )
    return "\n\n".join(parts) + "\n"
