"""A node with a fake NVIDIA driver, whose children find it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.gpu_fake.driver import native_driver

Node = Callable[..., None]


@pytest.fixture(scope="session")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return native_driver(tmp_path_factory.mktemp("fake-driver"))


@pytest.fixture
def node(driver: Path, monkeypatch: pytest.MonkeyPatch) -> Node:
    """Give the node that driver in a scenario of tests/gpu_fake/cuda.cpp; children started from now on have it."""

    def become(scenario: str = "good", *, after: int = 0, memory_bytes: int | None = None) -> None:
        others = os.environ.get("LD_LIBRARY_PATH")
        monkeypatch.setenv("LD_LIBRARY_PATH", f"{driver}{os.pathsep}{others}" if others else str(driver))
        monkeypatch.setenv("FAKE_CUDA", scenario)
        monkeypatch.setenv("FAKE_CUDA_AFTER", str(after))
        if memory_bytes is not None:
            monkeypatch.setenv("FAKE_CUDA_BYTES", str(memory_bytes))

    return become
