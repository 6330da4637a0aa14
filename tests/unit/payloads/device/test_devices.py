"""What is said of drivers and devices: good ones, old ones, broken ones, ones that never answer, none."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from cuda.bindings import driver as cuda

from payloads.backends.devices import Backend, backends, place_of
from tests.unit.payloads.device.conftest import Node

pytestmark = pytest.mark.slow

PATIENCE_S = 30.0


def _cuda(patience_s: float = PATIENCE_S) -> Backend:
    (found,) = (backend for backend in backends(patience_s=patience_s) if backend.api == "cuda")
    return found


def test_a_good_driver_lists_its_devices(node: Node) -> None:
    node()
    found = _cuda()
    assert (found.version, found.reason) == ("12.8", None)
    assert [(gpu.ordinal, gpu.name, gpu.architecture, gpu.reason) for gpu in found.gpus] == [
        (0, "Fake H100", "sm_90", None),
        (1, "Fake A100", "sm_80", None),
    ]
    assert found.gpus[0].memory_bytes == 2**33
    assert [(gpu.place, gpu.bus_id) for gpu in found.gpus] == [
        ("cuda:0", "0000:3B:00.0"),
        ("cuda:1", "0000:DB:00.0"),
    ]


@pytest.mark.parametrize(
    ("scenario", "said"),
    [
        (
            "none",
            "the cuda driver cannot start: there is no device that this process may use (CUDA_ERROR_NO_DEVICE)",
        ),
        ("hidden", "the driver lists no device: check CUDA_VISIBLE_DEVICES and what the job was granted"),
        ("old", "the driver serves CUDA 11.4; needed is one that serves CUDA 12 (525 or newer)"),
        (
            "mismatch",
            "the cuda driver cannot start: driver and kernel module are of different versions: the node was updated and not restarted (CUDA_ERROR_SYSTEM_DRIVER_MISMATCH)",
        ),
    ],
)
def test_a_driver_without_a_usable_device_says_why(node: Node, scenario: str, said: str) -> None:
    node(scenario)
    found = _cuda()
    assert found.gpus == ()
    assert found.reason == said


def test_a_device_that_may_not_compute(node: Node) -> None:
    node("prohibited")
    assert {gpu.reason for gpu in _cuda().gpus} == {"its compute mode is prohibited (nvidia-smi -c)"}


def test_a_driver_that_hangs_is_killed_and_named(node: Node) -> None:
    node("hang-init")
    assert _cuda(patience_s=3.0).reason == "the cuda driver did not answer in time and was killed"


def test_a_driver_that_crashes_costs_only_its_child(node: Node) -> None:
    node("crash")
    reason = _cuda().reason
    assert reason is not None
    assert reason.startswith("the cuda driver was killed by SIGABRT")


def test_without_drivers_there_are_two_sentences() -> None:
    for backend in backends():
        if backend.gpus:
            pytest.skip(f"this machine has a GPU: {backend.gpus[0].name}")
        assert backend.reason is not None
        assert backend.reason.startswith(("there is no ", f"the {backend.api} driver cannot start: "))


def test_what_devices_are_called() -> None:
    assert place_of("cuda:12") == ("cuda", 12)
    assert place_of("hip:1") == ("hip", 1)
    for wrong in ("gpu", "gpu:0", "cuda:", "cuda:-1", "cuda:1000", "intel:0", "CUDA:0", "cuda:0 "):
        with pytest.raises(ValueError, match="names no device: write cuda:0 or hip:0"):
            place_of(wrong)


def test_numbers_of_cuda_are_those_of_its_header() -> None:
    """Errors that have a sentence, and attributes that are asked for, by NVIDIA's own bindings."""
    sources = Path(__file__).parents[4] / "payloads" / "backends" / "device"
    table = (sources / "driver_table.cpp").read_text()
    meanings = dict(re.findall(r"^    \{([0-9]+),\s+\"([^\"]+)\"", table, re.MULTILINE))
    names = {"2": "OUT_OF_MEMORY", "46": "DEVICE_UNAVAILABLE", "100": "NO_DEVICE", "101": "INVALID_DEVICE",
             "209": "NO_BINARY_FOR_GPU", "214": "ECC_UNCORRECTABLE", "222": "UNSUPPORTED_PTX_VERSION",
             "500": "NOT_FOUND", "700": "ILLEGAL_ADDRESS", "702": "LAUNCH_TIMEOUT", "719": "LAUNCH_FAILED",
             "803": "SYSTEM_DRIVER_MISMATCH", "805": "MPS_CONNECTION_FAILED", "808": "MPS_MAX_CLIENTS_REACHED",
             "999": "UNKNOWN"}  # fmt: skip
    assert names.keys() <= meanings.keys()
    known = {str(int(error)): error.name for error in cuda.CUresult}
    assert meanings.keys() <= known.keys()
    assert {number: known[number] for number in names} == {
        number: f"CUDA_ERROR_{name}" for number, name in names.items()
    }
    asked = dict(re.findall(r"(\w+) = ([0-9]+)[,;]", (sources / "driver.cpp").read_text()))
    for name in ("multiprocessor_count", "compute_mode"):
        assert int(asked[name]) == getattr(cuda.CUdevice_attribute, f"CU_DEVICE_ATTRIBUTE_{name.upper()}")
    for which in ("major", "minor"):
        attribute = getattr(
            cuda.CUdevice_attribute, f"CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_{which.upper()}"
        )
        assert int(asked[f"capability_{which}"]) == attribute
