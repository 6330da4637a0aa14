"""The outlook as a table for a terminal."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from computing_model.numbers import Array
from computing_model.outlook import Outlook, Scenario

UNITS = {"cpu_khs06_years": "CPU, kHS06·years", "disk_pb": "disk, PB", "tape_pb": "tape, PB"}


def text_of(outlook: Outlook) -> str:
    """Resources by year, what is short marked by "!"; gaps; events; and when each supply stops covering the need."""
    parts = []
    for resource, title in UNITS.items():
        rows = _rows(outlook, resource)
        parts.append(_aligned(title, rows))
    parts.append(_aligned("gap: flat budget with its expected growth less need", _gaps(outlook)))
    parts.append(_aligned("events, 10⁹, and mean rate on the network, Gbit/s", _flows(outlook)))
    parts.append("\n".join(_endings(outlook)))
    return "\n\n".join(parts) + "\n"


def columns_of(outlook: Outlook, resource: str) -> list[tuple[str, Array]]:
    """Title and values of each column of one resource: needs first, then what there is."""
    columns = [(scenario.title, scenario.need(resource)) for scenario in outlook.scenarios]
    band = {
        "cpu_khs06_years": outlook.supply.cpu_khs06,
        "disk_pb": outlook.supply.disk_pb,
        "tape_pb": outlook.supply.tape_pb,
    }
    found = band[resource]
    if found is not None:
        columns += [
            ("flat budget low", found.low),
            ("flat budget", found.middle),
            ("flat budget high", found.high),
        ]
    if resource == "cpu_khs06_years":
        if outlook.pledges_khs06:
            pledges = [outlook.pledges_khs06.get(year, np.nan) for year in outlook.years]
            columns.append(("pledged", np.array(pledges)))
        if outlook.projected is not None:
            columns += [
                ("fleet", outlook.projected.nominal_khs06),
                ("fleet usable", outlook.projected.usable_khs06),
            ]
    return columns


def _rows(outlook: Outlook, resource: str) -> list[list[str]]:
    columns = columns_of(outlook, resource)
    offer = outlook.flat(resource)
    rows = [["year", *(title for title, _ in columns)]]
    for index, year in enumerate(outlook.years):
        cells = [str(year)]
        for number, (_, values) in enumerate(columns):
            value = float(values[index])
            need = number < len(outlook.scenarios)
            short = need and offer is not None and value > float(offer[index])
            cells.append("-" if np.isnan(value) else f"{value:,.0f}{'!' if short else ' '}")
        rows.append(cells)
    return rows


def _gaps(outlook: Outlook) -> list[list[str]]:
    """A row a year, a column a resource and scenario."""
    found = [
        (f"{title.partition(',')[0]} {scenario.title}", gap)
        for resource, title in UNITS.items()
        for scenario in outlook.scenarios
        if (gap := outlook.gap(scenario, resource)) is not None
    ]
    rows = [["year", *(name for name, _ in found)]]
    rows += [
        [str(year), *(f"{values[index]:+,.0f}" for _, values in found)]
        for index, year in enumerate(outlook.years)
    ]
    return rows


def _flows(outlook: Outlook) -> list[list[str]]:
    """Data are the same in all scenarios unless their runs differ, so each has its own columns."""
    found: list[tuple[str, Array]] = []
    for scenario in outlook.scenarios:
        found += [
            (f"data {scenario.title}", scenario.data_events / 1e9),
            ("MC", scenario.mc_events / 1e9),
            ("Gbit/s", scenario.network_gbit_s),
        ]
    rows = [["year", *(name for name, _ in found)]]
    rows += [
        [str(year), *(f"{values[index]:,.1f}" for _, values in found)]
        for index, year in enumerate(outlook.years)
    ]
    return rows


def _aligned(title: str, rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [
        "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
    return "\n".join([title, *lines])


def _endings(outlook: Outlook) -> list[str]:
    lines = ["! more than the flat budget with its expected growth"]
    for scenario in outlook.scenarios:
        for resource, title in UNITS.items():
            lines.append(
                f"{scenario.title}, {title.partition(',')[0]}: {ending(outlook, scenario, resource)}"
            )
        if scenario.gpu_khs06_years.any():
            lines.append(
                f"{scenario.title}, GPU layer: {scenario.gpu_khs06_years[-1]:,.0f} kHS06·years of {outlook.years[-1]} moved"
                f" off the CPUs (not in the table), relative cost {scenario.relative_cost[-1]:.2f}"
            )
    if outlook.fleet is not None:
        fleet = outlook.fleet
        low, high = fleet.nominal_khs06[1:]
        lines.append(
            f"fleet ({fleet.source}): {fleet.nominal_khs06[0]:,.1f} kHS06-equivalent ({low:,.1f} to {high:,.1f}, 68 %),"
            f" of it usable {fleet.usable_khs06[0]:,.1f}; carried on with the growth of the flat budget"
        )
        if fleet.provisional_share > 0:
            lines.append(f"{fleet.provisional_share:.0%} of it stand on a provisional calibration")
        gpus = ", ".join(f"{number} × {name}" for name, number in sorted(fleet.gpus.items()))
        lines.append(f"GPUs of the fleet, never in a CPU column: {gpus or 'none'}")
    elif outlook.fleet_missing:
        lines.append(f"no fleet: {outlook.fleet_missing}")
    return lines


def ending(outlook: Outlook, scenario: Scenario, resource: str) -> str:
    """One sentence: when each supply stops covering the need."""
    offers = {"the flat budget": outlook.flat(resource)}
    if resource == "cpu_khs06_years" and outlook.projected is not None:
        offers["the fleet"] = outlook.projected.nominal_khs06
    told = []
    for name, offer in offers.items():
        if offer is None:
            told.append(f"{name} has no origin for it")
            continue
        year = outlook.first_short(scenario, resource, offer)
        told.append(f"{name} covers all years" if year is None else f"{name} falls short first in {year}")
    return "; ".join(told)
