"""Profiles with payloads, as tests of renderers and comparison want them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from profiles.node_facts import NodeFacts
from profiles.payload_result import PayloadResult
from profiles.profile import CapabilityProfile


def result(kernel: str = "clue", rate: float | None = 200.0, **changes: Any) -> PayloadResult:
    """One kernel: 200 events/s with two copies, 105 with one, 150 in the baseline, unless told otherwise."""
    right = changes.pop("right", True)
    half = 0.005
    full: dict[str, Any] = {}
    series = []
    if rate is not None:
        full = {
            "events_per_s": rate, "events_per_s_low": rate * (1 - half), "events_per_s_high": rate * (1 + half),
            "one_copy_events_per_s": rate * 0.525, "baseline_events_per_s": rate * 0.75,
        }  # fmt: skip
        series = [
            {"copies": 1, "events_per_s": rate * 0.525, "samples": [rate * 0.525] * 3},
            {
                "copies": 2,
                "events_per_s": rate,
                "low": rate * 0.995,
                "high": rate * 1.005,
                "samples": [rate] * 3,
            },
        ]
    metric = {
        "name": "efficiency", "value": 0.95 if right else 0.5, "low": 0.9, "high": 1.0, "right": right,
        "means": "share of particles found",
    }  # fmt: skip
    whole = {
        "kernel": kernel, "version": "1", "title": "Layer clusters", "backend": "cpu", "device": "AMD EPYC",
        "isa": "x86-64-v3", "compiler": "gcc 12", "flags": ["-O3"], "copies": 2, "threads_per_copy": 1, "cpus": "0-1",
        "events": 8, "variant": "x86_64_v3", **full,
        "variants": [{
            "name": "x86_64_v3", "role": "best", "isa": "x86-64-v3", "lanes": 8, "compiler": "gcc 12", "flags": "-O3",
            "physics_right": right, "digest": "aa", "series": series, "stages_s": {"sort": 0.001, "link": 0.003},
        }],
        "event_set": {
            "section": "hgcal", "simulation_version": 1, "pile_up": 200, "seed": 7, "count": 8, "digest": "dd",
            "size_bytes": 40_000_000,
        },
        "physics": {"right": right, "metrics": [metric], "reason": None if right else "efficiency is 0.5"},
        "memory_per_copy_bytes": 61_000_000, **changes,
    }  # fmt: skip
    return PayloadResult.model_validate(whole)


def profile(*results: PayloadResult, node: str = "0" * 32, **changes: Any) -> CapabilityProfile:
    """A profile with payloads, or with those of a good run."""
    whole = {
        "id": "01890a5d-ac96-774b-bcce-b302099a8057",
        "created_at": datetime(2026, 1, 1, tzinfo=UTC),
        "agent": {"version": "0.1.0"},
        "node": {"id": node, "id_basis": []},
        "scope": {"kind": "node", "cores_granted": 2, "cores_present": 2},
        "facts": NodeFacts(),
        "checks": [],
        "payloads": results or (result(),),
        "bench": {"mode": "quick", "budget_s": 54, "duration_s": 30, "copies": 2},
        "limits": {"budget_s": 60, "duration_s": 31, "partial": False},
        **changes,
    }
    return CapabilityProfile.model_validate(whole)
