"""The GPU probe against recordings: what the kernel shows of AMD's and Intel's devices, and hostile answers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from probes.gpu import PROBE, gather
from probes.gpu.nvml import ask
from probes.host import Host
from probes.judging import Judging
from probes.live import LiveDoor
from probes.recording import RecordingDoor, begin, finish
from probes.replay import Recording, ReplayDoor
from probes.settings import Settings
from profiles.checks import CheckResult, Status
from profiles.facts.gpu import GpuFacts
from tests.gpu_fake.tree import pci, put


def replayed(directory: Path) -> tuple[GpuFacts, dict[str, CheckResult]]:
    facts = gather(Host(ReplayDoor(Recording(directory), "gpu")), Settings())
    results = PROBE.judge(facts, Judging(PROBE, Settings(), {"gpu": facts}))
    return facts, {result.id: result for result in results}


def recording(directory: Path, nvml: Any, *opens: str) -> Path:
    """A recording made by hand: a file tree, NVML's answer, and the nodes that open."""
    (directory / "root/sys/bus").mkdir(parents=True, exist_ok=True)
    (directory / "recording.json").write_text('{"recording_version": "1.0"}')
    lines = [{"ask": "observe:nvml", "args": [], "by": "gpu", "answer": nvml}]
    lines += [
        {"ask": "try_open", "args": [path, True], "by": "gpu", "answer": [True, None, None]} for path in opens
    ]
    (directory / "answers.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return directory


NO_LIBRARY = {"status": "library missing", "call": "nvmlInit", "error": "NVML_ERROR_LIBRARY_NOT_FOUND"}


def amd_node(
    root: Path, slot: str, device: str, class_code: str, version: int, simds: int, index: int
) -> None:
    path = pci(root, slot, "0x1002", device, class_code, "amdgpu")
    put(path, {"mem_info_vram_total": "68702699520\n", "mem_info_vram_used": "10960896\n"})
    bus = int(slot.split(":")[1], 16)
    properties = (
        f"cpu_cores_count 0\nsimd_count {simds}\nsimd_per_cu 4\nlocation_id {bus << 8}\ndomain 0\n"
        f"gfx_target_version {version}\nunique_id 12045863187345671234\n"
    )
    put(root, {f"sys/class/kfd/kfd/topology/nodes/{index}/properties": properties})


def test_mi250x(tmp_path: Path) -> None:
    root = recording(tmp_path, NO_LIBRARY, "/dev/kfd") / "root"
    put(root, {"sys/class/kfd/kfd/topology/nodes/0/properties": "cpu_cores_count 64\nsimd_count 0\n"})
    amd_node(root, "0000:c1:00.0", "0x7408", "0x038000", 90010, 440, 1)
    amd_node(root, "0000:c6:00.0", "0x7408", "0x038000", 90010, 440, 2)
    put(root, {"dev/kfd": "", "dev/dri/renderD128": ""})

    facts, found = replayed(tmp_path)

    assert [(gpu.slot, gpu.target, gpu.compute_units) for gpu in facts.other] == [
        ("0000:c1:00.0", "gfx90a", 110),
        ("0000:c6:00.0", "gfx90a", 110),
    ]
    assert facts.other[0].memory_total_bytes == 68702699520
    assert [(entry.path, entry.opens) for entry in facts.nodes] == [
        ("/dev/kfd", True),
        ("/dev/dri/renderD128", None),
    ]
    assert found["GPU-01"].status is Status.OK
    assert found["GPU-02"].status is Status.SKIPPED
    assert found["GPU-08"].summary == "2 × amd gfx90a 65520 MiB"
    assert PROBE.summarise(facts) == "2 × gfx90a"


def test_mi300a_is_a_processing_accelerator_on_the_bus(tmp_path: Path) -> None:
    root = recording(tmp_path, NO_LIBRARY) / "root"
    amd_node(root, "0000:01:00.0", "0x74a0", "0x120000", 90402, 912, 4)

    facts, found = replayed(tmp_path)

    assert [(gpu.target, gpu.compute_units) for gpu in facts.other] == [("gfx942", 228)]
    assert found["GPU-01"].status is Status.WARNING
    assert found["GPU-01"].summary == "AMD device without /dev/kfd"


@pytest.mark.parametrize(
    "memory",
    [
        {"drm/card1/lmem_total_bytes": "137438953472\n"},
        {
            "tile0/physical_vram_size_bytes": "0x1000000000\n",
            "tile1/physical_vram_size_bytes": "0x1000000000\n",
        },
    ],
    ids=["i915", "xe"],
)
def test_ponte_vecchio(tmp_path: Path, memory: dict[str, str]) -> None:
    root = recording(tmp_path, NO_LIBRARY) / "root"
    put(pci(root, "0000:29:00.0", "0x8086", "0x0bd5", "0x038000", "i915"), memory)

    facts, found = replayed(tmp_path)

    assert [gpu.memory_total_bytes for gpu in facts.other] == [128 * 1024**3]
    assert found["GPU-08"].summary == "1 × intel 131072 MiB"


def test_hostile_files_are_absent_not_believed(tmp_path: Path) -> None:
    root = recording(tmp_path, NO_LIBRARY) / "root"
    amd_node(root, "0000:c1:00.0", "-1", "0x038000", 90010, 440, 1)
    path = root / "sys/bus/pci/devices/0000:c1:00.0"
    (path / "mem_info_vram_total").write_bytes(b"\xff\xfe\x00")
    (path / "mem_info_vram_used").write_text("9" * 30)
    put(root, {"sys/class/kfd/kfd/topology/nodes/1/properties": "simd_count many\nlocation_id -5\n"})
    put(root, {"proc/driver/nvidia/version": "nothing to see"})

    facts, _ = replayed(tmp_path)

    [gpu] = facts.other
    assert (gpu.memory_total_bytes, gpu.memory_used_bytes, gpu.target) == (None, None, None)
    assert set(gpu.absent) == {"memory_total_bytes", "memory_used_bytes", "target", "compute_units"}
    assert facts.pci is not None
    assert facts.pci[0].device_id is None
    assert "names no version" in facts.absent["kernel_module_version"]


@pytest.mark.parametrize(
    "answer", [None, 7, [], {"status": "fine"}, {"status": "ok", "devices": [{"index": -1}]}]
)
def test_an_answer_without_sense_is_no_answer(tmp_path: Path, answer: Any) -> None:
    facts, found = replayed(recording(tmp_path, answer))

    assert facts.nvml is None
    assert "has no sense" in facts.absent["nvml"]
    assert found["GPU-02"].status is Status.UNKNOWN


def test_nothing_at_all(tmp_path: Path) -> None:
    facts, found = replayed(recording(tmp_path, NO_LIBRARY))

    assert {result.status for result in found.values()} == {Status.SKIPPED}
    assert all(result.reason for result in found.values())
    assert PROBE.summarise(facts) == "none"


def test_what_is_recorded_is_replayed(tmp_path: Path) -> None:
    folder = tmp_path / "recording"
    begin(folder)
    door = RecordingDoor(LiveDoor(str(tmp_path / "empty")), folder, "gpu", None)
    live = ask(Host(door))
    door.close()
    finish(folder, agent_version="0", created_at="2026-01-01T00:00:00Z", redacted=False)

    assert ask(Host(ReplayDoor(Recording(folder), "gpu"))) == live
