"""clue through a CUDA driver that runs its entries on the CPU: the whole way, and all that can go wrong on it."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from payloads.backends import cubin, cuda, embedded, nvrtc
from payloads.backends.device_code import DeviceCompilerError
from payloads.backends.devices import Gpu
from payloads.catalogue import Kernel, choose, kernels
from payloads.chains import request_of
from payloads.children import WORKER, ChildError, ask_one
from payloads.device_team import DeviceProcesses
from payloads.events import maker
from payloads.plan import Options
from payloads.store import Store
from tests.unit.payloads.device.conftest import Node

EVENTS = {"section": "hgcal", "pile_up": 5.0, "seed": 5, "count": 1}
ENOUGH_S = 300.0


@pytest.fixture
def clue() -> Kernel:
    (kernel,) = choose(kernels(), ("clue",))
    return kernel


Ask = Callable[..., dict[str, Any]]


def _gpu(ordinal: int) -> Gpu:
    return Gpu("cuda", ordinal, "Fake", 2**33, "sm_90", None, "0000:3B:00.0")


@pytest.fixture
def request_for(clue: Kernel, tmp_path: Path) -> Callable[..., dict[str, Any]]:
    def request_for(**more: Any) -> dict[str, Any]:
        options = Options(mode="quick", budget_s=ENOUGH_S, cpus=(0,), copies=1, places=(tmp_path / "cache",))
        return {**request_of(clue, options), "events": EVENTS, "reference": EVENTS, "slots": 2, **more}

    return request_for


@pytest.fixture
def on_cpu(request_for: Ask) -> Ask:
    """What a task in a child finds on the CPU."""

    def on_cpu(**more: Any) -> dict[str, Any]:
        request = request_for(task="verify", variant="scalar", **more)
        return ask_one(WORKER, "clue on the CPU", request, time.monotonic() + ENOUGH_S)

    return on_cpu


@pytest.fixture
def on_gpu(request_for: Ask) -> Ask:
    """What a GPU's child says when it is ready, and then of passes with and without transfers; or ChildError."""

    def on_gpu(ordinal: int = 0, patience_s: float = ENOUGH_S, **more: Any) -> dict[str, Any]:
        gpu = _gpu(ordinal)
        with DeviceProcesses("clue", lambda: False) as team:
            request = request_for(backend="cuda", device=gpu.place, **more)
            found = _good(team.start({gpu: request}, time.monotonic() + patience_s)[gpu])
            for name, transfers in (("end_to_end", True), ("kernel_only", False)):
                found[name] = _good(team.passes([gpu], 0.0, patience_s, transfers=transfers)[gpu])
            return found | _good(team.finish([gpu])[gpu])

    return on_gpu


def _good(answer: dict[str, Any] | ChildError) -> dict[str, Any]:
    if isinstance(answer, ChildError):
        raise answer
    return answer


def test_physics_and_bits_are_those_of_the_cpu(node: Node, on_cpu: Ask, on_gpu: Ask) -> None:
    node()
    events = {**EVENTS, "count": 3}
    here, there = on_cpu(events=events), on_gpu(events=events)
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
    assert entries.keys() == cubin.entries(nvrtc.compile_kernel("clue", "sm_90").code).keys()
    density = entries["clue_density"]
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
    gpus = [_gpu(0), _gpu(1)]
    requests = {gpu: request_for(backend="cuda", device=gpu.place) for gpu in gpus}
    with DeviceProcesses("clue", lambda: False) as team:
        ready = {
            gpu: _good(answer) for gpu, answer in team.start(requests, time.monotonic() + ENOUGH_S).items()
        }
        assert [ready[gpu]["name"] for gpu in gpus] == [
            "cuda device 0 (Fake H100)",
            "cuda device 1 (Fake A100)",
        ]
        assert ready[gpus[0]]["digest"] == ready[gpus[1]]["digest"]
        passes = team.passes(gpus, 0.0, ENOUGH_S, transfers=True)
        assert all(len(_good(passes[gpu])["seconds"]) == 3 for gpu in gpus)


def _opened(ordinal: int = 0, embedded: Path | None = None) -> list[str]:
    """Name of a GPU that was opened for clue, its code, and what was said of that; or the error."""
    code = (
        "from pathlib import Path\n"
        "from payloads.backends import cuda, embedded\n"
        "from payloads.errors import PayloadError\n"
        f"embedded.FOLDER = Path({str(embedded)!r})\n"
        f"try: gpu = cuda.open_gpu('clue', {ordinal}, ())\n"
        "except PayloadError as error: print(error)\n"
        "else: print(gpu.device.name, f'{gpu.code.architecture} {gpu.code.origin}', *gpu.said, sep='\\n')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True, text=True, timeout=60, check=True, cwd=Path(__file__).parents[4],
    )  # fmt: skip
    return done.stdout.splitlines()


def test_a_gpu_takes_the_cubin_of_its_architecture(node: Node) -> None:
    node()
    assert _opened(1) == ["cuda device 1 (Fake A100)", "sm_80 compiled"]


def test_a_gpu_that_takes_no_cubin_gets_ptx_and_it_is_said(node: Node) -> None:
    node("no-binary")
    name, code, said = _opened()
    assert code == "compute_60 compiled"
    assert said == (
        f"{name} runs clue from compute_60: {name} failed to load the kernel's code: the code is for another architecture "
        "(CUDA_ERROR_NO_BINARY_FOR_GPU)"
    )


def test_a_gpu_that_nvrtc_does_not_know_gets_ptx(node: Node) -> None:
    node("unknown")
    name, _, said = _opened()[:3]
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
def test_a_gpu_that_cannot_be_opened(node: Node, scenario: str, ordinal: int, said: str) -> None:
    node(scenario)
    (sentence,) = _opened(ordinal)
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


class TestCodeOfTheWheel:
    """Cubins that were made when the wheel was built."""

    @pytest.fixture
    def folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        monkeypatch.setattr(embedded, "FOLDER", tmp_path / "embedded")
        monkeypatch.setattr(embedded, "ARCHITECTURES", ("sm_80", "sm_90"))
        assert embedded.make(embedded.FOLDER, ("clue",)) == 3
        return embedded.FOLDER

    def test_it_is_what_a_gpu_is_given(self, node: Node, folder: Path) -> None:
        node()
        assert _opened(0, folder) == ["cuda device 0 (Fake H100)", "sm_90 wheel"]
        node("no-binary")
        name, code, said = _opened(0, folder)
        assert code == "compute_60 wheel"
        assert said.startswith(f"{name} runs clue from compute_60: {name} failed to load the kernel's code")

    def test_a_gpu_takes_that_of_an_earlier_one_of_its_major_version(self, folder: Path) -> None:
        for architecture, found in (("sm_80", "sm_80"), ("sm_86", "sm_80"), ("sm_90", "sm_90")):
            code = embedded.embedded("clue", architecture)
            assert code is not None
            assert (code.architecture, code.origin, code.compiler) == (found, "wheel", nvrtc.version())
            assert code.code == nvrtc.compile_kernel("clue", found).code
        assert embedded.embedded("clue", "sm_75") is None
        assert embedded.embedded("mkfit", "sm_80") is None

    def test_code_of_other_sources_is_not_used(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(embedded, "sources_digest", lambda kernel, options: "0" * 16)
        assert embedded.embedded("clue", "sm_90") is None

    def test_what_is_there_is_not_made_again_and_what_is_old_goes(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        old, foreign = folder / f"clue-sm_50-{'0' * 16}", folder / "notes.txt"
        for path in (old, foreign):
            path.write_text("x")
        monkeypatch.setattr(nvrtc, "compile_kernel", None)
        embedded.make(folder, ("clue",))
        assert (old.exists(), foreign.exists()) == (False, True)

    def test_a_wheel_without_it(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(embedded, "FOLDER", tmp_path / "nothing")
        assert embedded.embedded("clue", "sm_90") is None

    def test_without_nvrtc_it_is_said_and_the_wheel_is_built_all_the_same(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        def absent(kernel: str, architecture: str) -> None:
            raise DeviceCompilerError("NVRTC is not there")

        monkeypatch.setattr(nvrtc, "compile_kernel", absent)
        monkeypatch.setattr(sys, "argv", ["embedded", str(tmp_path / "embedded")])
        assert embedded.main() == 0
        assert capsys.readouterr().out == "sitecap: no device code in the wheel: NVRTC is not there\n"


class TestKeptCode:
    """Device code is kept beside the events."""

    @pytest.fixture
    def store(self, tmp_path: Path) -> Store:
        return Store(tmp_path / "cache", maker(), 2**30)

    def test_it_is_made_once(self, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        made, said = cuda.code_of("clue", "sm_90", [store])
        assert (said, made.origin) == ((), "compiled")
        monkeypatch.setattr(nvrtc, "compile_kernel", None)
        kept, said = cuda.code_of("clue", "sm_90", [store])
        assert (kept.code, kept.origin, kept.compiler, said) == (made.code, "kept", made.compiler, ())

    def test_another_architecture_and_another_kernel_are_not_taken_for_it(self, store: Store) -> None:
        codes = {cuda.code_of(kernel, architecture, [store])[0].code
                 for kernel, architecture in (("clue", "sm_90"), ("clue", "sm_80"), ("mkfit", "sm_90"))}  # fmt: skip
        assert len(codes) == 3

    def test_what_is_corrupt_is_made_again_and_said(self, store: Store) -> None:
        made, _ = cuda.code_of("clue", "sm_90", [store])
        (kept,) = store.directory.rglob("code-clue-sm_90-*/code.npy")
        kept.write_bytes(kept.read_bytes()[:-100] + bytes(100))
        again, said = cuda.code_of("clue", "sm_90", [store])
        assert (again.code, again.origin) == (made.code, "compiled")
        assert len(said) == 1
        assert said[0].endswith("made again")
        assert cuda.code_of("clue", "sm_90", [store])[1] == ()

    def test_a_place_that_cannot_be_written_is_said_and_gone_around(self, store: Store) -> None:
        store.directory.write_text("a file where the directory should be")
        made, said = cuda.code_of("clue", "sm_90", [store])
        assert cubin.entries(made.code)
        assert any(str(store.directory) in sentence for sentence in said)
