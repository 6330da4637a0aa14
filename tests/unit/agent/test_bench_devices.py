"""GPUs in `agent bench --list-backends`."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from agent import bench_devices
from payloads.backends.devices import Backend, Gpu

H100 = Gpu("cuda", 0, "NVIDIA H100", 85_000_000_000, "sm_90", None, "0000:3B:00.0")
TAKEN = Gpu("cuda", 1, "NVIDIA T4", 16_000_000_000, "sm_75", "its compute mode is prohibited (nvidia-smi -c)", "0000:5B:00.0")  # fmt: skip


def test_devices_and_reasons(monkeypatch: pytest.MonkeyPatch) -> None:
    found = (Backend("cuda", "12.4", (H100, TAKEN), None), Backend("hip", None, (), "there is no ROCm here"))
    monkeypatch.setattr(bench_devices, "backends", lambda: found)
    monkeypatch.setattr(bench_devices, "device_module", lambda: SimpleNamespace(kernels=["clue", "mkfit"]))
    assert list(bench_devices.device_lines()) == [
        "cuda:0  NVIDIA H100, sm_90, 85 GB, driver for CUDA 12.4; kernels: clue, mkfit",
        "cuda:1  no: NVIDIA T4: its compute mode is prohibited (nvidia-smi -c)",
        "hip   no: there is no ROCm here",
        "intel no: there are no kernels for Intel's GPUs",
    ]
