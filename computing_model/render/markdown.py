"""The outlook as Markdown, for a note or a meeting's page."""

from __future__ import annotations

import numpy as np

from computing_model.outlook import Outlook
from computing_model.render.table import UNITS, columns_of, ending


def markdown_of(outlook: Outlook) -> str:
    """Tables by resource, when supplies end, inputs with hash and sources."""
    lines = ["# CMS needs and what there is: a planning study", ""]
    for resource, title in UNITS.items():
        columns = columns_of(outlook, resource)
        lines += [f"## {title[0].upper()}{title[1:]}", ""]
        lines.append("| year | " + " | ".join(name for name, _ in columns) + " |")
        lines.append("|---" * (len(columns) + 1) + "|")
        for index, year in enumerate(outlook.years):
            cells = ["-" if np.isnan(values[index]) else f"{values[index]:,.0f}" for _, values in columns]
            lines.append(f"| {year} | " + " | ".join(cells) + " |")
        lines.append("")
        lines += [
            f"* {scenario.title}: {ending(outlook, scenario, resource)}" for scenario in outlook.scenarios
        ]
        lines.append("")
    lines += ["## Inputs", "", "| scenario | layers | SHA-256 of the inputs |", "|---|---|---|"]
    for scenario in outlook.scenarios:
        lines.append(
            f"| {scenario.title} | {' < '.join(scenario.loaded.layers)} | `{scenario.digest[:16]}` |"
        )
    sources = outlook.scenarios[0].loaded.parameters.provenance
    lines += ["", "| input | status | source |", "|---|---|---|"]
    lines += [f"| `{key}` | {entry.status} | {entry.source} |" for key, entry in sorted(sources.items())]
    return "\n".join(lines) + "\n"
