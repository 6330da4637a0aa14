"""Kernels through a ROCm that runs their entries on the CPU; which instruction set an AMD GPU has; and what is said without either."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from payloads import compiled
from payloads.backends import hiprtc, kfd
from payloads.backends.device_code import DeviceCompilerError
from payloads.backends.devices import Backend, backends
from tests.gpu_fake.tree import put
from tests.unit.payloads.device.cases import CASES, Case

pytestmark = pytest.mark.slow

REPOSITORY = Path(__file__).parents[4]
PATIENCE_S = 30.0


@pytest.fixture
def node(rocm: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A node with ROCm and two GPUs, a CPU among the nodes of the kernel's topology; its file tree."""
    monkeypatch.setenv("LD_LIBRARY_PATH", str(rocm))
    monkeypatch.setenv("FAKE_CUDA", "good")
    root = tmp_path / "root"
    for number, (location, target) in enumerate(((0, 0), (0x3B00, 90_010), (0xDB00, 90_402))):
        text = f"cpu_cores_count 0\nlocation_id {location}\ndomain 0\ngfx_target_version {target}\n"
        put(root, {f"{kfd.NODES}/{number}/properties": text})
    return root


def _hip(root: Path) -> Backend:
    (found,) = (one for one in backends(patience_s=PATIENCE_S, root=root) if one.api == "hip")
    return found


def test_rocm_lists_its_devices_with_their_instruction_sets(node: Path) -> None:
    found = _hip(node)
    assert (found.version, found.reason) == (None, None)
    assert [(gpu.place, gpu.name, gpu.architecture, gpu.reason) for gpu in found.gpus] == [
        ("hip:0", "Fake MI250X", "gfx90a", None),
        ("hip:1", "Fake MI300X", "gfx942", None),
    ]


def test_a_device_whose_instruction_set_nobody_tells(node: Path, tmp_path: Path) -> None:
    assert {gpu.reason for gpu in _hip(tmp_path / "elsewhere").gpus} == {
        "the kernel does not tell its instruction set (/sys/class/kfd/kfd/topology/nodes)"
    }


@pytest.mark.parametrize(
    ("scenario", "said"),
    [
        (
            "none",
            "the hip driver cannot start: there is no device that this process may use (hipErrorNoDevice)",
        ),
        ("hidden", "the driver lists no device: check ROCR_VISIBLE_DEVICES and what the job was granted"),
    ],
)
def test_rocm_without_a_device(node: Path, monkeypatch: pytest.MonkeyPatch, scenario: str, said: str) -> None:
    monkeypatch.setenv("FAKE_CUDA", scenario)
    assert _hip(node).reason == said


def test_rocm_that_crashes_costs_only_its_child(node: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_CUDA", "crash")
    assert (_hip(node).reason or "").startswith("the hip driver was killed by SIGABRT")


(CLUE,) = (case for case in CASES if case.kernel == "clue")


def _run(root: Path, ordinal: int = 0, case: Case = CLUE) -> str:
    """Name, form of the code, instruction set and digest of few events of a kernel on a GPU of AMD; or the error."""
    section, pile_up, seed, count = case.few
    code = (
        "from pathlib import Path\n"
        "from payloads import compiled\n"
        "from payloads.backends import hip\n"
        "from payloads.errors import PayloadError\n"
        f"events = compiled.simulate({section!r}, {pile_up}, {seed}, 0, {count})\n"
        f"try: gpu = hip.open_gpu({case.kernel!r}, {ordinal}, (), Path({str(root)!r}))\n"
        "except PayloadError as error: print(error)\n"
        "else:\n"
        f"    opened = gpu.device.open({case.kernel!r}, events, {{}}, 2)\n"
        f"    print(gpu.device.name, gpu.code.form, gpu.code.architecture, opened.digest_of(0, {count}), sep=' | ')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=300, cwd=REPOSITORY
    )
    if done.returncode and "gfx" in done.stdout + done.stderr:
        pytest.skip(f"HIPRTC does not take it: {done.stderr[-200:]}")
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture(scope="module")
def _needs_hiprtc() -> None:
    try:
        hiprtc.compile_kernel("clue", "gfx90a")
    except DeviceCompilerError as error:
        pytest.skip(str(error))


@pytest.mark.usefixtures("_needs_hiprtc")
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.kernel)
def test_bits_are_those_of_the_cpu(node: Path, case: Case) -> None:
    section, pile_up, seed, count = case.few
    events = compiled.simulate(section, pile_up, seed, 0, count)
    digest = compiled.open_kernel("scalar", case.kernel, events).measure(0, count)[1]
    assert _run(node, 0, case) == f"hip device 0 (Fake MI250X) | code object | gfx90a | {digest}"


@pytest.mark.usefixtures("_needs_hiprtc")
def test_a_gpu_that_refuses_the_code(node: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_CUDA", "no-binary")
    assert _run(node) == (
        "hip device 0 (Fake MI250X) failed to load the kernel's code: the code is for another architecture "
        "(hipErrorNoBinaryForGpu)"
    )


def test_a_gpu_that_is_not_there_or_not_known(node: Path, tmp_path: Path) -> None:
    assert _run(node, 7) == (
        "there is no hip device 7: the driver lists 2 (ROCR_VISIBLE_DEVICES may hide others)"
    )
    assert _run(tmp_path / "elsewhere") == (
        "hip device 0 (Fake MI250X): the kernel does not tell its instruction set: "
        "/sys/class/kfd/kfd/topology/nodes has nothing at 0000:3B:00.0"
    )


@pytest.mark.parametrize(
    ("text", "bus_id", "architecture"),
    [
        ("location_id 15104\ngfx_target_version 100300\n", "0000:3b:00.0", "gfx1030"),
        ("location_id 15104\ndomain 1\ngfx_target_version 90008\n", "0001:3b:00.0", "gfx908"),
        ("location_id 15104\ngfx_target_version 90008\n", "0001:3b:00.0", None),
        ("location_id 15104\ngfx_target_version 90008\n", "0000:3b:00.1", None),
        ("location_id 15104\ngfx_target_version 0\n", "0000:3b:00.0", None),
        ("location_id x\n\xff\ngfx_target_version 99999999999999999999999\n", "0000:3b:00.0", None),
        ("location_id 15104\ngfx_target_version 90008\n", "nonsense", None),
    ],
)
def test_what_the_kernel_tells(tmp_path: Path, text: str, bus_id: str, architecture: str | None) -> None:
    put(tmp_path, {f"{kfd.NODES}/1/properties": text})
    assert kfd.architecture_at(bus_id, tmp_path) == architecture


def test_a_kernel_without_that_driver(tmp_path: Path) -> None:
    assert kfd.architecture_at("0000:3b:00.0", tmp_path) is None
