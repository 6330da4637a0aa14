"""`agent bench --device`: which GPU, which kernels, and the profile that comes of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from agent import bench_on_device
from agent.bench import BenchRequest
from agent.bench_on_device import UnusableDeviceError, find_gpu, kernels_for, measure_on_device
from agent.config import Config
from agent.exit_code import bench_exit_code
from agent.render import bench_text
from agent.run import Look
from payloads.backends.devices import Backend, Gpu
from payloads.catalogue import choose, kernels
from payloads.device_bench import DeviceBench, DeviceOutcome
from payloads.outcome import EventsOutcome
from payloads.verify import Verdict
from tests.unit.agent import bench_examples

H100 = Gpu("cuda", 0, "NVIDIA H100", 85_000_000_000, "sm_90", None)
TAKEN = Gpu("cuda", 1, "NVIDIA T4", 16_000_000_000, "sm_75", "its compute mode is prohibited (nvidia-smi -c)")
CLUE = choose(kernels(), ("clue",))[0]


@pytest.fixture
def node(monkeypatch: pytest.MonkeyPatch) -> None:
    found = (Backend("cuda", "12.4", (H100, TAKEN), None), Backend("hip", None, (), "there is no ROCm here"))
    monkeypatch.setattr(bench_on_device, "backends", lambda: found)


@pytest.mark.usefixtures("node")
def test_devices_by_their_names() -> None:
    assert find_gpu("gpu:0") is H100
    assert find_gpu("cuda:0") is H100


@pytest.mark.usefixtures("node")
@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("h100", "--device 'h100' names no device: write gpu:0, cuda:0 or hip:0"),
        ("hip:0", "--device hip:0: there is no ROCm here"),
        ("gpu:2", "--device gpu:2: there is no such device; there are: cuda:0, cuda:1"),
        ("cuda:1", "--device cuda:1: NVIDIA T4: its compute mode is prohibited (nvidia-smi -c)"),
    ],
)
def test_a_device_that_cannot_be_used(name: str, said: str) -> None:
    with pytest.raises(UnusableDeviceError) as caught:
        find_gpu(name)
    assert str(caught.value) == said


def test_kernels_without_launches_are_left_out_unless_they_were_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Module:
        kernels = ("clue", "vertexing")

    monkeypatch.setattr(bench_on_device, "device_module", Module)
    assert [kernel.name for kernel in kernels_for(kernels(), named=False)] == ["clue", "vertexing"]
    with pytest.raises(
        UnusableDeviceError, match=r"^mkfit: no launches for a device yet; there are for: clue, vertexing$"
    ):
        kernels_for(choose(kernels(), ("clue", "mkfit")), named=True)


def _measured(monkeypatch: pytest.MonkeyPatch, place: Path, **changes: Any) -> Any:
    outcome = DeviceOutcome(
        CLUE,
        H100,
        **{
            "verdict": Verdict(right=True),
            "end_to_end_s": [0.01, 0.0125, 0.008],
            "kernel_only_s": [0.005] * 3,
            "about": {"slots": 8, "threads": 2, "workspace_bytes": 10**9},
            "events": EventsOutcome("dd", 5, "made", 1),
            "said": ["computes the very bits of x86_64_v3 on the CPU"],
            **changes,
        },
    )
    monkeypatch.setattr(DeviceBench, "run", lambda self: [outcome])
    monkeypatch.setattr(bench_on_device, "exclusively", lambda stack, config: None)
    seen = Look(bench_examples.profile(payloads=(), bench=None), None, False, None)
    request = BenchRequest(kernels=(CLUE,), mode="quick", place=place)
    return measure_on_device(seen, request, H100, Config()).profile


def test_the_profile_says_device_rates_and_physics(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    profile = _measured(monkeypatch, tmp_path)
    (found,) = profile.payloads
    assert (found.backend, found.device, found.isa) == ("cuda", "NVIDIA H100", "sm_90")
    assert found.events_per_s == pytest.approx(100.0)
    assert found.kernel_only_s == (0.005,) * 3
    assert found.end_to_end_s == (0.01, 0.0125, 0.008)
    assert found.physics.right
    assert found.threads_per_copy == 2
    assert found.remarks[-1] == (
        "8 events in flight, driven by 2 threads of the host; kernels alone, with no transfers: 200 events/s"
    )
    assert not profile.limits.partial
    assert bench_exit_code(profile, interrupted_by=None) == 0
    screen = bench_text.render(profile, width=100)
    assert "Events per second end to end on NVIDIA H100, transfers included" in screen
    assert "very bits of x86_64_v3" in screen


def test_a_gpu_that_fails_is_partial_and_says_why(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    sentence = "clue on cuda:0 (NVIDIA H100) did not answer in time and was killed"
    profile = _measured(
        monkeypatch, tmp_path, verdict=None, end_to_end_s=[], kernel_only_s=[], about={}, events=None,
        said=[], reason=sentence, failed=True,
    )  # fmt: skip
    (found,) = profile.payloads
    assert found.events_per_s is None
    assert not found.physics.right
    assert found.reason == sentence
    assert profile.limits.partial
    assert profile.limits.reason == "not measured: clue"
    assert bench_exit_code(profile, interrupted_by=None) == 1
    assert sentence in " ".join(bench_text.render(profile, width=200).split())
