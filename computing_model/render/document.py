"""The outlook as JSON: inputs with their hash and sources, needs, supplies, gaps; every key carries its unit."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from computing_model.budget import Band
from computing_model.numbers import Array
from computing_model.outlook import RESOURCES, Outlook, Scenario

FORMAT = "sitecap-plan-1"


def document_of(outlook: Outlook) -> dict[str, Any]:
    """A plain structure; what is not known is null."""
    return {
        "format": FORMAT,
        "years": list(outlook.years),
        "scenarios": [_scenario(outlook, scenario) for scenario in outlook.scenarios],
        "flat_budget": {
            "cpu_khs06": _band(outlook.supply.cpu_khs06),
            "disk_pb": _band(outlook.supply.disk_pb),
            "tape_pb": None if outlook.supply.tape_pb is None else _band(outlook.supply.tape_pb),
        },
        "pledged_cpu_khs06": {str(year): value for year, value in outlook.pledges_khs06.items()},
        "fleet": _fleet(outlook),
        "fleet_missing": outlook.fleet_missing,
    }


def json_of(outlook: Outlook) -> str:
    """The same as text."""
    return json.dumps(document_of(outlook), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _scenario(outlook: Outlook, scenario: Scenario) -> dict[str, Any]:
    parameters = scenario.loaded.parameters
    return {
        "name": scenario.name,
        "title": scenario.title,
        "inputs_sha256": scenario.digest,
        "layers": list(scenario.loaded.layers),
        "inputs": parameters.model_dump(mode="json", exclude={"provenance"}),
        "sources": {key: entry.model_dump() for key, entry in parameters.provenance.items()},
        "data_events": _numbers(scenario.data_events),
        "mc_events": _numbers(scenario.mc_events),
        "cpu_khs06_years": _numbers(scenario.need("cpu_khs06_years")),
        "cpu_khs06_years_by_step": {step: _numbers(values) for step, values in scenario.cpu_by_step.items()},
        "cpu_power_khs06": _numbers(scenario.cpu_power_khs06),
        "disk_pb": _numbers(scenario.need("disk_pb")),
        "disk_pb_by_tier": {tier: _numbers(values) for tier, values in scenario.disk_by_tier.items()},
        "tape_pb": _numbers(scenario.need("tape_pb")),
        "tape_pb_by_tier": {tier: _numbers(values) for tier, values in scenario.tape_by_tier.items()},
        "gpu_cpu_equivalent_khs06_years": _numbers(scenario.gpu_khs06_years),
        "relative_cost_with_gpus": _numbers(scenario.relative_cost),
        "network_pb": _numbers(scenario.network_pb),
        "network_gbit_s": _numbers(scenario.network_gbit_s),
        "flat_budget_less_need": {
            resource: None if (gap := outlook.gap(scenario, resource)) is None else _numbers(gap)
            for resource in RESOURCES
        },
        "first_year_short_of_flat_budget": {
            resource: outlook.first_short(scenario, resource, outlook.flat(resource))
            for resource in RESOURCES
        },
    }


def _fleet(outlook: Outlook) -> dict[str, Any] | None:
    fleet, projected = outlook.fleet, outlook.projected
    if fleet is None or projected is None:
        return None
    return {
        "source": fleet.source,
        "year": fleet.year,
        "nominal_khs06": dict(zip(("value", "low", "high"), fleet.nominal_khs06, strict=True)),
        "usable_khs06": dict(zip(("value", "low", "high"), fleet.usable_khs06, strict=True)),
        "provisional_share": fleet.provisional_share,
        "gpus": dict(fleet.gpus),
        "projected_nominal_khs06": _numbers(projected.nominal_khs06),
        "projected_usable_khs06": _numbers(projected.usable_khs06),
    }


def _band(band: Band) -> dict[str, list[float | None]]:
    return {name: _numbers(values) for name, values in band._asdict().items()}


def _numbers(values: Array) -> list[float | None]:
    return [None if np.isnan(value) else float(f"{value:.10g}") for value in values]
