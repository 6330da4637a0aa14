"""The GPU probe against a real libnvidia-ml.so.1 (ours, in C) through the real pynvml."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.gpu_fake.build import LIBRARY, ask_probe, native_library, verdicts
from tests.gpu_fake.tree import pci, put

pytest.importorskip("pynvml", reason="the extra gpu-nvidia is not installed")


@pytest.fixture(scope="module")
def libraries(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return native_library(tmp_path_factory.mktemp("nvml"))


@pytest.fixture
def node(tmp_path: Path) -> Path:
    """A node with two NVIDIA boards, their device nodes and a loaded kernel module."""
    root = tmp_path / "node"
    for slot in ("0000:3b:00.0", "0000:db:00.0"):
        pci(root, slot, "0x10de", "0x2330", "0x030200", "nvidia")
    pci(
        root, "0000:03:00.0", "0x1a03", "0x2000", "0x030000"
    )  # the console of a server's BMC is no accelerator
    module = (
        "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  545.23.08  Release Build\n"
        "GCC version:  gcc version 11.4.1\n"
    )
    put(
        root,
        {"dev/nvidia0": "", "dev/nvidia1": "", "dev/nvidiactl": "", "proc/driver/nvidia/version": module},
    )
    return root


def test_two_healthy_boards(libraries: Path, node: Path) -> None:
    answer = ask_probe(libraries, node, "h100")

    nvml = answer["facts"]["nvml"]
    assert (nvml["status"], nvml["driver_version"], nvml["cuda_driver_version"]) == (
        "ok",
        "535.129.03",
        "12.2",
    )
    first, second = nvml["devices"]
    expected = {
        "name": "NVIDIA H100 80GB HBM3",
        "minor": 0,
        "pci_slot": "0000:3b:00.0",
        "memory_total_bytes": 81559 * 1024**2,
        "memory_used_bytes": 619 * 1024**2,
        "compute_capability": "9.0",
        "ecc_enabled": True,
        "uncorrected_ecc_errors": 0,
        "remapped_rows": 0,
        "temperature_celsius": 34,
        "slowdown_celsius": 89,
        "power_limit_milliwatts": 700_000,
        "sm_clock_mhz": 345,
        "memory_clock_mhz": 2619,
        "throttle_reasons": ["gpu_idle"],
        "persistence_mode": True,
        "compute_mode": "exclusive-process",
        "processes": 2,
        "mig_enabled": False,
        "mig_instances": [],
    }
    assert {name: first[name] for name in expected} == expected
    assert first["retired_pages"] is None
    assert first["absent"]["retired_pages"] == "nvmlDeviceGetRetiredPages: NVML_ERROR_NOT_SUPPORTED"
    assert (second["pci_slot"], second["processes"]) == ("0000:db:00.0", 0)
    assert first["uuid_hash"] != second["uuid_hash"]
    assert "00000000-1111-2222" not in json.dumps(answer), "a UUID identifies a machine"
    statuses = [result["status"] for result in verdicts(answer).values()]
    assert statuses == ["OK"] * 7 + ["SKIPPED"]
    assert answer["summary"] == "2 × NVIDIA H100 80GB HBM3"


def test_mig_instances_answer_where_their_parent_refuses(libraries: Path, node: Path) -> None:
    answer = ask_probe(libraries, node, "mig")

    [board] = answer["facts"]["nvml"]["devices"]
    assert board["mig_enabled"]
    assert board["memory_total_bytes"] is None
    assert {"call": "nvmlDeviceGetMemoryInfo", "error": "NVML_ERROR_NO_PERMISSION"} in board["refused"]
    assert [part["profile"] for part in board["mig_instances"]] == ["1g.5gb"] * 7
    assert {part["memory_bytes"] for part in board["mig_instances"]} == {4864 * 1024**2}
    assert len({part["uuid_hash"] for part in board["mig_instances"]}) == 7
    found = verdicts(answer)
    assert (found["GPU-03"]["status"], found["GPU-04"]["status"]) == ("OK", "OK")
    assert "MIG instances answer" in found["GPU-03"]["summary"]
    assert found["GPU-03"]["evidence"] == ["device 0: nvmlDeviceGetMemoryInfo: NVML_ERROR_NO_PERMISSION"]
    assert found["GPU-04"]["summary"] == "7 × 1g.5gb"
    assert found["GPU-07"]["summary"] == "7 × 4864 MiB, capability 8.0, runtime 12.2"


def test_mig_without_an_instance(libraries: Path, node: Path) -> None:
    found = verdicts(ask_probe(libraries, node, "mig-empty"))

    assert found["GPU-04"]["status"] == "WARNING"
    assert "without an instance: device 0" in found["GPU-04"]["summary"]
    assert found["GPU-07"]["status"] == "UNKNOWN"


@pytest.mark.parametrize(
    ("scenario", "says", "advises"),
    [
        ("mismatch", "different versions (loaded: 545.23.08)", "restart the container"),
        ("unknown", "Unknown Error", "systemd"),
        ("not-loaded", "not loaded", "modprobe"),
        ("forbidden", "may not open", "device cgroup"),
        ("crash", "crashed in nvmlInit: the process was killed by signal 6", "reinstall"),
    ],
)
def test_nvml_that_does_not_open(libraries: Path, node: Path, scenario: str, says: str, advises: str) -> None:
    answer = ask_probe(libraries, node, scenario)

    found = verdicts(answer)
    assert found["GPU-02"]["status"] == "CRITICAL"
    assert says in found["GPU-02"]["summary"]
    assert advises in found["GPU-02"]["hint"]
    assert found["GPU-01"]["status"] == "OK"
    assert found["GPU-06"]["reason"] == "NVML does not open, see GPU-02"
    assert len(answer["facts"]["pci"]) == 2


@pytest.mark.parametrize(
    ("scenario", "call"), [("hang-init", "nvmlInit"), ("hang-name", "nvmlDeviceGetName")]
)
def test_a_hang_names_its_call_and_costs_only_nvml(
    libraries: Path, node: Path, scenario: str, call: str
) -> None:
    answer = ask_probe(libraries, node, scenario, deadline_s=1.0, CUDA_VISIBLE_DEVICES="0")

    found = verdicts(answer)
    assert found["GPU-02"]["status"] == "CRITICAL"
    assert found["GPU-02"]["summary"] == f"NVML hung in {call}: no answer within 1 s"
    assert found["GPU-05"]["reason"] == "NVML does not open, see GPU-02"
    assert len(answer["facts"]["pci"]) == 2
    assert answer["facts"]["kernel_module_version"] == "545.23.08"
    assert [entry["opens"] for entry in answer["facts"]["nodes"]] == [None, None], (
        "open(2) would hang as well"
    )


def test_a_lost_board_does_not_hide_the_other(libraries: Path, node: Path) -> None:
    answer = ask_probe(libraries, node, "lost")

    first, second = answer["facts"]["nvml"]["devices"]
    assert first["name"] == "NVIDIA H100 80GB HBM3"
    assert second["refused"] == [{"call": "nvmlDeviceGetHandleByIndex", "error": "NVML_ERROR_GPU_IS_LOST"}]
    found = verdicts(answer)
    assert found["GPU-03"]["status"] == "CRITICAL"
    assert found["GPU-03"]["summary"] == "device 1: GPU is lost"
    assert "Xid 79" in found["GPU-03"]["hint"]
    assert found["GPU-05"]["value"] is None
    assert found["GPU-05"]["summary"].startswith("1 usable")


def test_uncorrected_errors(libraries: Path, node: Path) -> None:
    answer = ask_probe(libraries, node, "ecc")

    ill = answer["facts"]["nvml"]["devices"][1]
    assert (ill["uncorrected_ecc_errors"], ill["remapped_rows"], ill["remap_pending"]) == (3, 2, True)
    found = verdicts(answer)["GPU-06"]
    assert found["status"] == "CRITICAL"
    assert found["summary"] == "device 1: 3 uncorrected ECC errors since the driver was loaded"
    assert len(found["evidence"]) == 2


def test_heat(libraries: Path, node: Path) -> None:
    found = verdicts(ask_probe(libraries, node, "hot"))["GPU-06"]

    assert found["status"] == "WARNING"
    assert found["evidence"] == [
        "device 0: slowed down: hw_slowdown, hw_thermal_slowdown",
        "device 0: 89 °C, slows down at 89 °C",
    ]


def test_refused_questions(libraries: Path, node: Path) -> None:
    answer = ask_probe(libraries, node, "refused")

    found = verdicts(answer)
    assert found["GPU-03"]["status"] == "WARNING"
    assert "4 questions refused" in found["GPU-03"]["summary"]
    assert "MIG" not in found["GPU-03"]["summary"]
    assert answer["facts"]["nvml"]["devices"][0]["temperature_celsius"] == 34
    assert found["GPU-07"]["status"] == "UNKNOWN"


def test_no_library(tmp_path: Path, node: Path) -> None:
    with_device = verdicts(ask_probe(tmp_path, node, ""))["GPU-02"]
    without = verdicts(ask_probe(tmp_path, tmp_path / "empty", ""))["GPU-02"]

    assert with_device["status"] == "WARNING"
    assert "--nv" in with_device["hint"]
    assert (without["status"], without["reason"]) == ("SKIPPED", "no NVIDIA device")


def test_a_directory_in_place_of_the_library(tmp_path: Path, node: Path) -> None:
    (tmp_path / LIBRARY).mkdir()

    found = verdicts(ask_probe(tmp_path, node, ""))["GPU-02"]

    assert (found["status"], found["summary"]) == (
        "CRITICAL",
        "libnvidia-ml.so.1 is a directory, not a library",
    )


def test_bindings_that_are_not_installed(libraries: Path, node: Path, tmp_path: Path) -> None:
    hiding = tmp_path / "hiding"
    hiding.mkdir()
    (hiding / "sitecustomize.py").write_text("import sys\nsys.modules['pynvml'] = None\n")
    repository = Path(__file__).parents[3]

    found = verdicts(ask_probe(libraries, node, "h100", PYTHONPATH=f"{hiding}:{repository}"))["GPU-02"]

    assert found["status"] == "WARNING"
    assert "sitecap[gpu-nvidia]" in found["hint"]


def test_more_granted_than_can_be_opened(libraries: Path, node: Path) -> None:
    (node / "dev/nvidia1").unlink()
    (node / "dev/nvidia1").mkdir()  # open(2) for writing is refused, for root as well

    answer = ask_probe(libraries, node, "h100", _CONDOR_AssignedGPUs="CUDA0,CUDA1")

    found = verdicts(answer)["GPU-05"]
    assert (found["status"], found["value"]) == ("WARNING", 1)
    assert found["summary"] == "_CONDOR_AssignedGPUs grants 2 devices, 1 can be used"
    assert "/dev/nvidia1: EISDIR" in found["evidence"]


def test_all_devices_in_a_slot_that_was_granted_none(libraries: Path, node: Path) -> None:
    explicit = verdicts(ask_probe(libraries, node, "h100", _CONDOR_AssignedGPUs="10000"))["GPU-05"]
    silent = verdicts(ask_probe(libraries, node, "h100", KUBERNETES_SERVICE_HOST="10.96.0.1"))["GPU-05"]

    assert (explicit["status"], silent["status"]) == ("WARNING", "WARNING")
    assert "grants no device, but 2 can be used" in explicit["summary"]
    assert "this Kubernetes slot without an allocation" in silent["summary"]


def test_devices_on_the_bus_without_nodes(tmp_path: Path, node: Path) -> None:
    (node / "dev/nvidia1").unlink()

    found = verdicts(ask_probe(tmp_path, node, ""))["GPU-01"]

    assert (found["status"], found["summary"]) == (
        "WARNING",
        "1 of 2 NVIDIA devices without /dev/nvidiaN",
    )
