"""Kernels through a CUDA driver that runs their entries on the CPU: the whole way, and with clue all that can go wrong on it."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from payloads.backends import cubin, nvrtc
from payloads.children import ChildError
from payloads.device_team import DeviceProcesses
from tests.unit.payloads.device.cases import CASES, Case
from tests.unit.payloads.device.conftest import ENOUGH_S, Ask, Node, fake_gpu, good
from tests.unit.payloads.device.opening import opened

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.kernel)
def test_physics_and_bits_are_those_of_the_cpu(node: Node, on_cpu: Ask, on_gpu: Ask, case: Case) -> None:
    node()
    section, pile_up, seed, count = case.few
    events = {"section": section, "pile_up": pile_up, "seed": seed, "count": count}
    chosen = {"case": case, "events": events, "reference": {**events, "count": 1}}
    here, there = on_cpu(**chosen), on_gpu(**chosen)
    assert there["differences"] is None
    assert there["digest"] == here["digest"]
    assert there["metrics"] == here["metrics"]
    assert there["name"] == "cuda device 0 (Fake H100)"
    assert (there["slots"], there["said"], there["multiprocessors"]) == (2, [], 132)
    assert there["first_result_s"] > 0
    assert there["cuda_version"] == "12.8"
    for kind in ("end_to_end", "kernel_only"):
        assert len(there[kind]["seconds"]) == 3
        assert all(seconds > 0 for seconds in there[kind]["seconds"])
        assert (there[kind]["events"], there[kind]["during"]) == (3 * there["events_a_pass"], None)
    assert there["code"] == {
        "form": "cubin",
        "architecture": "sm_90",
        "origin": "kept",
        "compiler": nvrtc.version(),
    }
    entries = {one["name"]: one for one in there["entries"]}
    assert entries.keys() <= cubin.entries(nvrtc.compile_kernel(case.kernel, "sm_90").code).keys()
    assert any(name.startswith(f"{case.kernel}_") for name in entries)
    assert all(0 < one["occupancy"] <= 1 for one in entries.values())


def test_occupancy_is_that_of_the_entrys_code(node: Node, on_gpu: Ask) -> None:
    node()
    (density,) = (one for one in on_gpu()["entries"] if one["name"] == "clue_density")
    assert (density["threads"], density["local_bytes"]) == (128, 0)
    assert 0 < density["occupancy"] <= 1


def test_the_board_is_watched_meanwhile(node: Node, nvml: Path, on_gpu: Ask) -> None:
    node(libraries=nvml)
    found = on_gpu(bus_id="0000:3B:00.0")
    assert (found["driver_version"], found["is_cut"], found["not_watched"]) == ("535.129.03", False, None)
    assert found["before"]["processes"] == [4711, 4712]
    assert found["end_to_end"]["during"]["sm_clock_mhz_low"] == 345
    assert found["after"]["power_w"] == 250.0


def test_without_nvml_it_is_said_and_measured_all_the_same(node: Node, on_gpu: Ask) -> None:
    node()
    found = on_gpu(bus_id="0000:3B:00.0")
    assert found["not_watched"].startswith("there is no NVML here")
    assert (found["before"], found["after"], found["driver_version"]) == (None, None, None)
    assert found["end_to_end"]["seconds"]


def test_two_gpus_at_the_same_time(node: Node, request_for: Ask) -> None:
    node()
    gpus = [fake_gpu(0), fake_gpu(1)]
    requests = {gpu: request_for(backend="cuda", device=gpu.place) for gpu in gpus}
    with DeviceProcesses("clue", lambda: False) as team:
        ready = {
            gpu: good(answer) for gpu, answer in team.start(requests, time.monotonic() + ENOUGH_S).items()
        }
        assert [ready[gpu]["name"] for gpu in gpus] == [
            "cuda device 0 (Fake H100)",
            "cuda device 1 (Fake A100)",
        ]
        assert ready[gpus[0]]["digest"] == ready[gpus[1]]["digest"]
        passes = team.passes(gpus, 0.0, ENOUGH_S, transfers=True)
        assert all(len(good(passes[gpu])["seconds"]) == 3 for gpu in gpus)


def test_a_gpu_takes_the_cubin_of_its_architecture(node: Node) -> None:
    node()
    assert opened(1) == ["cuda device 1 (Fake A100)", "sm_80 compiled"]


def test_a_gpu_that_takes_no_cubin_gets_ptx_and_it_is_said(node: Node) -> None:
    node("no-binary")
    name, code, said = opened()
    assert code == "compute_60 compiled"
    assert said == (
        f"{name} runs clue from compute_60: {name} failed to load the kernel's code: the code is for another architecture "
        "(CUDA_ERROR_NO_BINARY_FOR_GPU)"
    )


def test_a_gpu_that_nvrtc_does_not_know_gets_ptx(node: Node) -> None:
    node("unknown")
    name, _, said = opened()[:3]
    assert said.startswith(f"{name} runs clue from compute_60: NVRTC does not compile clue for sm_130")


@pytest.mark.parametrize(
    ("scenario", "ordinal", "said"),
    [
        (
            "exclusive",
            0,
            "the device is taken: another process has it in exclusive mode, or it is prohibited",
        ),
        ("only-newer", 0, "the driver is too old for the code (CUDA_ERROR_UNSUPPORTED_PTX_VERSION)"),
        ("good", 7, "there is no cuda device 7: the driver lists 2 (CUDA_VISIBLE_DEVICES may hide others)"),
        ("none", 0, "the cuda driver cannot start: there is no device that this process may use"),
    ],
)
def test_a_gpu_that_cannot_beopened(node: Node, scenario: str, ordinal: int, said: str) -> None:
    node(scenario)
    (sentence,) = opened(ordinal)
    assert said in sentence


def test_less_memory_means_fewer_events_in_flight_and_is_said(node: Node, on_gpu: Ask) -> None:
    node()
    slot_bytes = on_gpu()["workspace_bytes"] // 2
    node(memory_bytes=int(1.5 * slot_bytes))
    answer = on_gpu()
    assert answer["slots"] == 1
    assert answer["said"] == [
        f"cuda device 0 (Fake H100) has memory for 1 of 2 events in flight, {slot_bytes / 1e6:.0f} MB each"
    ]
    node(memory_bytes=slot_bytes // 2)
    with pytest.raises(
        ChildError, match=r"cuda device 0 \(Fake H100\) failed to give [0-9]+ bytes: there is no memory left"
    ):
        on_gpu()


@pytest.mark.parametrize("after", [0, 3, 100])
def test_a_gpu_lost_meanwhile(node: Node, on_gpu: Ask, after: int) -> None:
    node("lost", after=after)
    with pytest.raises(
        ChildError,
        match=r"cuda device 0 \(Fake H100\) failed to launch \w+: a kernel failed, or the device was lost "
        r"\(CUDA_ERROR_LAUNCH_FAILED\)",
    ):
        on_gpu()


@pytest.mark.parametrize("scenario", ["hang-open", "hang-wait"])
def test_a_driver_that_hangs_costs_its_child_and_the_device_is_named(
    node: Node, on_cpu: Ask, on_gpu: Ask, scenario: str
) -> None:
    on_cpu()  # events and reference are there, so that the device is what is waited for
    node(scenario, after=40)
    with pytest.raises(ChildError, match=r"clue on cuda:1 \(Fake\) did not answer in time and was killed"):
        on_gpu(1, patience_s=8.0)


def test_bits_that_differ_in_the_timed_passes_are_noticed(node: Node, on_gpu: Ask) -> None:
    """An event takes 50 launches; its physics is verified and its digests are known after the fifteenth that runs."""
    node("flips-bits", after=15 * 50)
    with pytest.raises(
        ChildError,
        match=r"cuda device 0 \(Fake H100\) computed other bits for event 0 in the timed pass than before",
    ):
        on_gpu()


def test_a_kernel_without_launches(node: Node, on_gpu: Ask) -> None:
    node()
    with pytest.raises(ChildError, match=r"absent has no launches for a device yet; (\w+, )*clue"):
        on_gpu(kernel="absent")
