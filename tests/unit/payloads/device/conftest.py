"""A node with a fake NVIDIA driver, whose children find it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.gpu_fake.build import native_library
from tests.gpu_fake.driver import native_driver, native_rocm

Node = Callable[..., None]


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
