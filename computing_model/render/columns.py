"""The outlook as CSV: a row a scenario and year, units in the header."""

from __future__ import annotations

import csv
import io

import numpy as np

from computing_model.outlook import Outlook


def csv_of(outlook: Outlook) -> str:
    """All needs by step and tier, and what there is."""
    first = outlook.scenarios[0]
    steps, disk, tape = list(first.cpu_by_step), list(first.disk_by_tier), list(first.tape_by_tier)
    header = [
        "scenario", "inputs_sha256", "year", "data_events", "mc_events", "cpu_khs06_years",
        *(f"cpu_{step}_khs06_years" for step in steps),
        "cpu_power_khs06", "disk_pb", *(f"disk_{tier}_pb" for tier in disk), "tape_pb",
        *(f"tape_{tier}_pb" for tier in tape), "network_gbit_s", "gpu_cpu_equivalent_khs06_years", "relative_cost_with_gpus",
        *(f"flat_budget_{edge}_{resource}" for resource in ("cpu_khs06", "disk_pb", "tape_pb") for edge in ("low", "middle", "high")),
        "pledged_cpu_khs06", "fleet_nominal_khs06", "fleet_usable_khs06",
    ]  # fmt: skip
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    for scenario in outlook.scenarios:
        for index, year in enumerate(outlook.years):
            values = [
                scenario.data_events, scenario.mc_events, scenario.need("cpu_khs06_years"),
                *(scenario.cpu_by_step[step] for step in steps), scenario.cpu_power_khs06,
                scenario.need("disk_pb"), *(scenario.disk_by_tier[tier] for tier in disk),
                scenario.need("tape_pb"), *(scenario.tape_by_tier[tier] for tier in tape), scenario.network_gbit_s,
                scenario.gpu_khs06_years, scenario.relative_cost,
            ]  # fmt: skip
            cells = [_cell(float(column[index])) for column in values]
            for band in outlook.supply:
                cells += ["", "", ""] if band is None else [_cell(float(edge[index])) for edge in band]
            cells.append(_cell(outlook.pledges_khs06.get(year, np.nan)))
            projected = outlook.projected
            cells += ["", ""] if projected is None else [_cell(float(values[index])) for values in projected]
            writer.writerow([scenario.name, scenario.digest[:12], year, *cells])
    return text.getvalue()


def _cell(value: float) -> str:
    return "" if np.isnan(value) else f"{value:.8g}"
