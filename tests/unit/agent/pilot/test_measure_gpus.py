"""GPUs of a pilot's slot: which are measured, in what time, and that they cost the CPUs' figures nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from agent import bench_on_device
from agent.bench import BenchRequest
from agent.config import Config
from agent.pilot import measure_gpus as module
from agent.pilot.measure_gpus import has_gpus, measure_gpus
from agent.run import Look
from payloads.backends.devices import Gpu
from payloads.catalogue import choose, kernels
from payloads.device_bench import DeviceBench
from payloads.device_outcome import DeviceOutcome
from profiles.profile import CapabilityProfile
from profiles.reading import read_profile
from tests.gpu_fake.build import native_library
from tests.gpu_fake.driver import native_driver
from tests.unit.capacity.looks import document, payload

A100 = Gpu("cuda", 0, "NVIDIA A100", 40_000_000_000, "sm_80", None, "0000:3B:00.0")
BENCH = {"mode": "quick", "budget_s": 56.0, "duration_s": 50.0, "copies": 64}


def granted(kind: str, count: int | None = 1) -> list[dict[str, Any]]:
    return [{"variable": "CUDA_VISIBLE_DEVICES", "kind": kind, "count": count}]


def node(
    *, gpus: tuple[str, ...] = ("00000001",), allocations: Any = (), other: Any = (), **said: Any
) -> CapabilityProfile:
    whole = document(gpus=gpus, cores=64.0, payloads=[payload(copies=64)], **said)
    whole["bench"] = BENCH
    if gpus:
        whole["facts"]["gpu"] |= {"allocations": list(allocations), "other": list(other)}
    if other:
        whole["facts"]["gpu"] |= {"nvml": None}
        whole["facts"]["gpu"]["absent"]["nvml"] = "a test"
    return CapabilityProfile.model_validate(whole)


@pytest.mark.parametrize(
    ("said", "has"),
    [
        ({}, True),
        ({"gpus": ()}, False),
        ({"batch": "slurm"}, False),  # seen, but nobody granted it to this job
        ({"batch": "slurm", "allocations": granted("devices")}, True),
        ({"allocations": granted("none", 0)}, False),
        ({"batch": "htcondor", "allocations": granted("all", None)}, True),
    ],
)
def test_gpus_are_those_that_the_slot_was_granted(said: dict[str, Any], has: bool) -> None:
    assert has_gpus(node(**said)) is has


def test_an_amd_gpu_is_one_and_one_of_intel_is_not() -> None:
    for vendor, has in (("amd", True), ("intel", False)):
        device = {
            "vendor": vendor,
            "slot": "0000:03:00.0",
            "memory_total_bytes": 1,
            "memory_used_bytes": 1,
            "target": "gfx90a",
            "compute_units": 104,
        }
        assert has_gpus(node(other=[device])) is has


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[list[str], float]]:
    """What the benchmark was asked for: kernels and budget; every kernel ends with a reason."""
    seen: list[tuple[list[str], float]] = []

    def run(bench: DeviceBench) -> list[DeviceOutcome]:
        seen.append(([kernel.name for kernel in bench._kernels], bench._options.budget_s))
        return [DeviceOutcome(kernel, A100, reason="it was lost") for kernel in bench._kernels]

    monkeypatch.setattr(DeviceBench, "run", run)
    monkeypatch.setattr(bench_on_device, "exclusively", lambda stack, config: None)
    monkeypatch.setattr(module, "chosen_gpus", lambda devices, backend: (A100,))
    monkeypatch.setattr(module, "kernels_for", lambda kernels, named: tuple(kernels))
    return seen


def measured(room_s: float, place: Path) -> tuple[CapabilityProfile, list[str]]:
    # by priority, as a pilot has them
    chosen = [choose(kernels(), (name,))[0] for name in ("pixeltrack", "clue", "vertexing")]
    request = BenchRequest(kernels=chosen, mode="quick", place=place)
    return measure_gpus(Look(node(), None, False, None), request, Config(), room_s, lambda _: None)


def test_results_of_gpus_stand_behind_those_of_the_cpus(asked: list[Any], tmp_path: Path) -> None:
    profile, reasons = measured(60.0, tmp_path)
    assert [(one.kernel, one.backend) for one in profile.payloads] == [
        ("clue", "cpu"), ("pixeltrack", "cuda"), ("clue", "cuda"), ("vertexing", "cuda"),
    ]  # fmt: skip
    assert asked == [(["pixeltrack", "clue", "vertexing"], 60.0)]
    assert reasons == []
    assert profile.bench is not None
    assert (profile.bench.copies, profile.bench.budget_s) == (64, 116.0)


def test_fewer_kernels_in_less_time_and_it_is_said(asked: list[Any], tmp_path: Path) -> None:
    _, reasons = measured(20.0, tmp_path)
    assert asked == [(["pixeltrack", "clue"], 20.0)]
    assert reasons == ["no time to measure vertexing on GPUs: 20 s were left"]


def test_without_time_nothing_is_begun(asked: list[Any], tmp_path: Path) -> None:
    profile, reasons = measured(-3.0, tmp_path)
    assert asked == []
    assert [one.backend for one in profile.payloads] == ["cpu"]
    assert reasons == ["no time to measure pixeltrack, clue, vertexing on GPUs: 0 s were left"]


def test_a_gpu_that_cannot_be_used_is_left_out_and_costs_nothing(tmp_path: Path) -> None:
    profile, reasons = measured(60.0, tmp_path)  # here is no driver
    assert reasons == []
    assert not profile.limits.partial
    assert profile.bench is not None
    assert [one.name for one in profile.bench.left_out] == ["gpu"]
    assert "no NVIDIA driver here" in profile.bench.left_out[0].reason


@pytest.mark.slow
@pytest.mark.long
def test_a_pilot_measures_cpus_and_then_its_gpu(tmp_path: Path) -> None:
    """With a driver and an NVML of the tests' own, which every process of the pilot finds."""
    libraries = [native_driver(tmp_path), native_library(tmp_path)]
    others = os.environ.get("LD_LIBRARY_PATH")
    environment = {
        **os.environ,
        "LD_LIBRARY_PATH": os.pathsep.join([*map(str, libraries), *([others] if others else [])]),
        "FAKE_CUDA": "good",
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
    }
    command = [
        sys.executable, "-m", "agent", "pilot", "--budget", "90s", "--set", "pilot.probes=[\"context\",\"batch\",\"cores\",\"cpu\",\"memory\",\"gpu\"]",
        "--kernel", "eseeding", "--bench", "default", "-o", str(tmp_path / "p.json"),
    ]  # fmt: skip
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=300, check=False, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    profile = read_profile((tmp_path / "p.json").read_bytes())
    on_cpus, *on_gpus = profile.payloads
    assert (on_cpus.kernel, on_cpus.backend, on_cpus.physics.right) == ("eseeding", "cpu", True)
    assert [one.device for one in on_gpus] == ["Fake H100", "Fake A100"], profile.bench
    for one in on_gpus:
        assert (one.kernel, one.backend) == ("eseeding", "cuda")
        assert one.physics.right
        assert one.device_run is not None
        assert one.device_run.cpus is not None
