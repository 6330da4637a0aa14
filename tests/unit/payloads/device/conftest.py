"""A node with a fake NVIDIA driver, whose children find it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from payloads.backends.devices import Gpu
from payloads.chains import request_of
from payloads.children import WORKER, ChildError, ask_one
from payloads.device_team import DeviceProcesses
from payloads.plan import Options
from tests.gpu_fake.build import native_library
from tests.gpu_fake.driver import native_driver, native_rocm
from tests.unit.payloads.device.cases import CASES, Case

Node = Callable[..., None]
Ask = Callable[..., dict[str, Any]]
EVENTS = {"section": "hgcal", "pile_up": 5.0, "seed": 5, "count": 1}
ENOUGH_S = 300.0
(CLUE,) = (case for case in CASES if case.kernel == "clue")


@pytest.fixture(scope="session")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return native_driver(tmp_path_factory.mktemp("fake-driver"))


@pytest.fixture(scope="session")
def rocm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return native_rocm(tmp_path_factory.mktemp("fake-rocm"))


@pytest.fixture(scope="session")
def nvml(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return native_library(tmp_path_factory.mktemp("fake-nvml"))


@pytest.fixture
def node(driver: Path, monkeypatch: pytest.MonkeyPatch) -> Node:
    """Give the node that driver in a scenario of tests/gpu_fake/cuda.cpp; children started from now on have it."""

    others = os.environ.get("LD_LIBRARY_PATH")

    def become(
        scenario: str = "good",
        *,
        after: int = 0,
        memory_bytes: int | None = None,
        libraries: Path | None = None,
    ) -> None:
        there = [str(place) for place in (driver, libraries, others) if place]
        monkeypatch.setenv("LD_LIBRARY_PATH", os.pathsep.join(there))
        monkeypatch.setenv("FAKE_CUDA", scenario)
        monkeypatch.setenv("FAKE_CUDA_AFTER", str(after))
        if memory_bytes is not None:
            monkeypatch.setenv("FAKE_CUDA_BYTES", str(memory_bytes))

    return become


def fake_gpu(ordinal: int) -> Gpu:
    """One of the fake driver's."""
    return Gpu("cuda", ordinal, "Fake", 2**33, "sm_90", None, "0000:3B:00.0")


def good(answer: dict[str, Any] | ChildError) -> dict[str, Any]:
    """The answer, unless it is an error, which is raised."""
    if isinstance(answer, ChildError):
        raise answer
    return answer


@pytest.fixture
def request_for(tmp_path: Path) -> Ask:
    def request_for(case: Case = CLUE, **more: Any) -> dict[str, Any]:
        options = Options(mode="quick", budget_s=ENOUGH_S, cpus=(0,), copies=1, places=(tmp_path / "cache",))
        return {
            **request_of(case.found(), options),
            "events": EVENTS,
            "reference": EVENTS,
            "slots": 2,
            **more,
        }

    return request_for


@pytest.fixture
def on_cpu(request_for: Ask) -> Ask:
    """What a task in a child finds on the CPU."""

    def on_cpu(**more: Any) -> dict[str, Any]:
        request = request_for(task="verify", variant="scalar", **more)
        return ask_one(WORKER, f"{request['kernel']} on the CPU", request, time.monotonic() + ENOUGH_S)

    return on_cpu


@pytest.fixture
def on_gpu(request_for: Ask) -> Ask:
    """What a GPU's child says when it is ready, and then of passes with and without transfers; or ChildError."""

    def on_gpu(ordinal: int = 0, patience_s: float = ENOUGH_S, **more: Any) -> dict[str, Any]:
        gpu = fake_gpu(ordinal)
        request = request_for(backend="cuda", device=gpu.place, **more)
        with DeviceProcesses(request["kernel"], lambda: False) as team:
            found = good(team.start({gpu: request}, time.monotonic() + patience_s)[gpu])
            for name, transfers in (("end_to_end", True), ("kernel_only", False)):
                found[name] = good(team.passes([gpu], 0.0, patience_s, transfers=transfers)[gpu])
            return found | good(team.finish([gpu])[gpu])

    return on_gpu
