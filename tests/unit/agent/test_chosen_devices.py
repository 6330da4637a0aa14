"""`--device` and `--backend`: which GPUs are meant, and what is said where one cannot be had."""

from __future__ import annotations

import pytest

from agent import chosen_devices
from agent.chosen_devices import UnusableDeviceError, chosen_gpus
from payloads.backends.devices import Backend, Gpu

H100 = Gpu("cuda", 0, "NVIDIA H100", 85_000_000_000, "sm_90", None, "0000:3B:00.0")
TAKEN = Gpu("cuda", 1, "NVIDIA T4", 16_000_000_000, "sm_75", "its compute mode is prohibited (nvidia-smi -c)", "0000:5B:00.0")  # fmt: skip
A100 = Gpu("cuda", 2, "NVIDIA A100", 40_000_000_000, "sm_80", None, "0000:DB:00.0")
MI250 = Gpu("hip", 0, "AMD MI250X", 64_000_000_000, "gfx90a", None, "0000:C1:00.0")
CUDA = Backend("cuda", "12.4", (H100, TAKEN, A100), None)
HIP = Backend("hip", None, (MI250,), None)
NO_HIP = Backend("hip", None, (), "there is no ROCm here")
NO_CUDA = Backend("cuda", None, (), "there is no NVIDIA driver here")


def _node(monkeypatch: pytest.MonkeyPatch, *found: Backend) -> None:
    monkeypatch.setattr(chosen_devices, "backends", lambda: found)


@pytest.mark.parametrize(
    ("devices", "backend", "chosen"),
    [
        (("gpu:0",), None, (H100,)),
        (("gpu:1",), None, (A100,)),  # what cannot be used is not counted
        (("gpu:2",), None, (MI250,)),
        (("cuda:2",), None, (A100,)),  # a driver's own number
        (("hip:0",), None, (MI250,)),
        (("gpu:all",), None, (H100, A100, MI250)),
        (("cuda:all",), None, (H100, A100)),
        (("hip:0", "gpu:0", "cuda:0"), None, (MI250, H100)),  # each once, as they were named
        ((), "cuda", (H100,)),
        ((), "hip", (MI250,)),
        (("gpu:all",), "cuda", (H100, A100)),
        (("gpu:0",), "hip", (MI250,)),
        ((), None, ()),
        ((), "cpu", ()),
    ],
)
def test_devices_by_their_names(
    monkeypatch: pytest.MonkeyPatch, devices: tuple[str, ...], backend: str | None, chosen: tuple[Gpu, ...]
) -> None:
    _node(monkeypatch, CUDA, HIP)
    assert chosen_gpus(devices, backend) == chosen


ASK = "agent bench --list-backends says which of them can be used here"


@pytest.mark.parametrize(
    ("devices", "backend", "said"),
    [
        (("h100",), None, "--device 'h100' names no device: write gpu:0, gpu:all, cuda:0 or hip:0"),
        (("gpu:-1",), None, "--device 'gpu:-1' names no device: write gpu:0, gpu:all, cuda:0 or hip:0"),
        (("hip:0",), None, "--device hip:0: there is no ROCm here"),
        ((), "hip", "--backend hip: there is no ROCm here"),
        (("gpu:2",), None, "--device gpu:2: there is no such device; there are: cuda:0, cuda:2"),
        (("cuda:7",), None, "--device cuda:7: there is no such device; there are: cuda:0, cuda:1, cuda:2"),
        (("cuda:1",), None, "--device cuda:1: NVIDIA T4: its compute mode is prohibited (nvidia-smi -c)"),
        ((), "fpga", f"--backend fpga: there are: cpu, cuda, hip; {ASK}"),
        (
            (),
            "intel",
            f"--backend intel: there are no kernels for Intel's GPUs; there are: cpu, cuda, hip; {ASK}",
        ),
        ((), "ROCm", f"--backend ROCm: AMD's GPUs are called hip; there are: cpu, cuda, hip; {ASK}"),
        (("cuda:0",), "hip", "--backend hip and --device cuda:0 do not go together: give one of them"),
        (("gpu:0",), "cpu", "--backend cpu measures on CPUs: leave --device gpu:0 out"),
    ],
)
def test_what_cannot_be_had(
    monkeypatch: pytest.MonkeyPatch, devices: tuple[str, ...], backend: str | None, said: str
) -> None:
    _node(monkeypatch, CUDA, NO_HIP)
    with pytest.raises(UnusableDeviceError) as caught:
        chosen_gpus(devices, backend)
    assert str(caught.value) == said


@pytest.mark.parametrize("name", ["gpu:0", "gpu:all"])
def test_a_node_without_gpus_says_why_of_each_driver(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    _node(monkeypatch, NO_CUDA, NO_HIP)
    with pytest.raises(UnusableDeviceError) as caught:
        chosen_gpus((name,), None)
    assert str(caught.value) == f"--device {name}: there is no NVIDIA driver here; there is no ROCm here"


@pytest.mark.parametrize("name", ["gpu:0", "gpu:all", "cuda:all"])
def test_a_node_whose_only_gpu_cannot_be_used_says_why(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    _node(monkeypatch, Backend("cuda", "12.4", (TAKEN,), None), NO_HIP)
    with pytest.raises(UnusableDeviceError, match="cuda:1: NVIDIA T4: its compute mode is prohibited"):
        chosen_gpus((name,), None)
