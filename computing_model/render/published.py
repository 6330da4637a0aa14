"""Our needs beside CMS's of 2021, as text."""

from __future__ import annotations

from computing_model.outlook import Outlook
from computing_model.published import COLUMNS, WHY, curve, plateaus


def text_of(made: Outlook) -> str:
    """By year ours, theirs and the ratio; plateaus; why the weighted-probable scenario is lower."""
    heads = [(scenario, resource) for scenario in made.scenarios for resource in COLUMNS[scenario.name]]
    lines = ["CMS Public, 2021 Estimates (digitised) beside the scenarios here"]
    lines.append("year  " + "".join(f"{f'{one.title}, {resource}':>40}" for one, resource in heads))
    for index, year in enumerate(made.years):
        cells = []
        for scenario, resource in heads:
            ours, theirs = scenario.need(resource)[index], curve(scenario.name, resource)[year]
            cells.append(f"{ours:>16,.0f} {theirs:>15,.0f} {ours / theirs:>7.2f}")
        lines.append(f"{year}  " + "".join(cells))
    for scenario in made.scenarios:
        lines += [
            f"{scenario.title}, full years of {one.run}: {one.ours_khs06_years:,.0f} and {one.theirs_khs06_years:,.0f}"
            f" kHS06·years, ratio {one.ratio:.2f}"
            for one in plateaus(made, scenario, scenario.name)
        ]
    lines.append(WHY)
    return "\n".join(lines) + "\n"
