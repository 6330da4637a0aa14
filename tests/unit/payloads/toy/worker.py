"""The real worker around a kernel in Python, which misbehaves as its settings or the environment say."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[4]))

import numpy as np

from payloads import compiled, events, worker
from payloads.arrays import event_count, one_event
from payloads.errors import NotBuiltError
from tests.unit.payloads.toy import simulated

EVENT_S = 0.002


class Toy:
    def __init__(self, variant: str, arrays: dict[str, Any], settings: dict[str, float]) -> None:
        self.events = event_count(arrays)
        self.workspace_bytes = 1234
        self._arrays = arrays
        self._settings = settings
        self._variant = variant
        self._sum = 0.0
        self._passes = 0
        if settings.get("hungry"):
            self._held = np.ones(int(settings["hungry"]), np.uint8)

    def process(self, event: int) -> None:
        end = time.perf_counter() + EVENT_S
        numbers = one_event(self._arrays, event)["number_value"]
        self._sum = float(numbers.astype(np.int64).sum()) + self._settings.get("shift", 0.0)
        if self._settings.get("other_bits_in_baseline") and self._variant == "x86_64_v2":
            self._sum += 0.5
        while time.perf_counter() < end:
            pass

    def results(self) -> dict[str, Any]:
        return {"sum": np.array([self._sum], np.float32)}

    def digest(self) -> int:
        return hash(self._sum) & (2**64 - 1)

    def measure(self, first: int, count: int) -> tuple[float, int]:
        began = time.perf_counter()
        total = 0
        for number in range(count):
            self.process((first + number) % self.events)
            total = hash((total, self._sum))
        self._passes += 1
        if self._passes > 1:  # the first pass is the verdict's, or the warm-up of a copy
            self._misbehave()
            total += int(self._settings.get("flipping", 0))
        return time.perf_counter() - began, total & (2**64 - 1)

    def _misbehave(self) -> None:
        if self._settings.get("killed_by"):
            os.kill(os.getpid(), int(self._settings["killed_by"]))
        if self._settings.get("hangs"):
            signal.pause()
        if self._settings.get("raises"):
            raise RuntimeError("the kernel gave up")

    def stages(self, event: int) -> dict[str, float]:
        self.process(event)
        return {"sum": EVENT_S}


def load(variant: str) -> Any:
    if os.environ.get("TOY_BROKEN") == variant:
        raise NotBuiltError(f"the compiled module payloads._cpu_{variant} is not there (undefined symbol: x)")
    if os.environ.get("TOY_KILLED") == variant:
        os.kill(os.getpid(), signal.SIGSEGV)
    if os.environ.get("TOY_EXPLODING") == variant:
        raise RuntimeError("initialization failed")
    return SimpleNamespace(
        isa=variant.replace("_", "-"),
        lanes=8,
        compiler="gcc 12",
        flags="-O3",
        kernels=["toy", "one", "other", "broken", "wrong"],
    )


def open_kernel(variant: str, kernel: str, arrays: Any, settings: Any = None, lanes: int = 0) -> Toy:
    return Toy(variant, dict(arrays), dict(settings or {}))


compiled.load = load
compiled.open_kernel = open_kernel  # type: ignore[assignment]
compiled.simulate = simulated  # type: ignore[assignment]
events.simulation_version = lambda: 1  # type: ignore[assignment]
events.maker = lambda: os.environ.get("TOY_MAKER", "toy 1")  # type: ignore[assignment]
worker.preparing.maker = events.maker
worker.preparing.simulation_version = events.simulation_version

if __name__ == "__main__":
    sys.exit(worker.main())
