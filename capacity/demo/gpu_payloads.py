"""Payloads of the synthetic fleet on GPUs, as `agent bench --device gpu:all` tells them."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Mapping
from typing import Any

from capacity.demo.truth import DemoNode

REPEAT_SPREAD = 0.005
BESIDE_OTHERS = 0.97
"""What a GPU does while all of the node work, of what it does alone: transfers share the host's memory."""
KEPT = ("kernel", "version", "title", "events", "event_set", "physics")


def on_gpus(
    node: DemoNode, on_cpus: Mapping[str, Any], events_per_s_per_hs23: float, rng: random.Random
) -> Iterator[dict[str, Any]]:
    """One kernel on each GPU of a node.

    Args:
        node: the machine and its truth.
        on_cpus: the same kernel on all its CPUs, as a payload of the profile.
        events_per_s_per_hs23: of this kernel.
        rng: of the profile.
    """
    copies, cpu_rate = on_cpus["copies"], on_cpus["events_per_s"]
    alone = [gpu.hs23 * events_per_s_per_hs23 * math.exp(rng.gauss(0, REPEAT_SPREAD)) for gpu in node.gpus]
    for index, (gpu, rate) in enumerate(zip(node.gpus, alone, strict=True)):
        together = None
        if len(alone) > 1:
            together = {
                "devices": len(alone),
                "events_per_s": BESIDE_OTHERS * sum(alone),
                "own": _rate(BESIDE_OTHERS * rate),
            }
        yield {
            **{name: on_cpus[name] for name in KEPT if name in on_cpus},
            "backend": "cuda",
            "device": gpu.name,
            "isa": f"sm_{gpu.compute_capability.replace('.', '')}",
            "copies": 1,
            "threads_per_copy": 2,
            "events_per_s": rate,
            "events_per_s_low": rate * (1 - REPEAT_SPREAD),
            "events_per_s_high": rate * (1 + REPEAT_SPREAD),
            "device_run": {
                "place": f"cuda:{index}",
                "driver_version": "570.86.10",
                "code": {
                    "form": "cubin",
                    "architecture": f"sm_{gpu.compute_capability.replace('.', '')}",
                    "origin": "wheel",
                    "compiler": "NVRTC 12.9",
                },
                "events_in_flight": 8,
                "host_threads": 2,
                "first_result_s": 1.0,
                "host_idle": _rate(rate),
                "together": together,
                "cpus": {
                    "variant": on_cpus["variant"],
                    "copies": copies,
                    "events_per_s": cpu_rate,
                    "low": on_cpus["events_per_s_low"],
                    "high": on_cpus["events_per_s_high"],
                },
                "worth_cpus": rate / (cpu_rate / copies),
                "missing": {"kernel_only": "not part of the demo", "host_busy": "not part of the demo"},
            },
        }


def _rate(rate: float) -> dict[str, Any]:
    return {
        "events_per_s": rate,
        "low": rate * (1 - REPEAT_SPREAD),
        "high": rate * (1 + REPEAT_SPREAD),
        "passes": 5,
    }
