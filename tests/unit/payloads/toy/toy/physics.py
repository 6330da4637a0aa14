"""Of the toy kernel: its sums against the truth in the events."""

from __future__ import annotations

from typing import Any

import numpy as np

from payloads.arrays import each_event


def measure(events: Any, results: Any) -> dict[str, float]:
    truth = [float(event["truth_sum"][0]) for event in each_event(events)]
    return {
        "efficiency": float(
            np.mean([result["sum"][0] == want for result, want in zip(results, truth, strict=True)])
        ),
        "events_seen": float(len(results)),
    }


def measure_singles(events: Any, results: Any) -> dict[str, float]:
    assert len(list(each_event(events))) == len(results)
    return {"singles_seen": float(len(results))}


def differences(reference: Any, result: Any) -> str | None:
    if np.array_equal(reference["sum"], result["sum"]):
        return None
    return f"sum is {result['sum'][0]:g}, the reference says {reference['sum'][0]:g}"
