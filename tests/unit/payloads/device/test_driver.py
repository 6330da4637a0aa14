"""Kernels through a CUDA driver that runs their entries on the CPU: the whole way, and with clue all that can go wrong on it."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from payloads.backends import cubin, cuda, nvrtc, on_device
from payloads.chains import request_of
from payloads.children import WORKER, ChildError, ask_one
from payloads.errors import PayloadError
from payloads.events import maker
from payloads.plan import Options
from payloads.store import Store
from tests.unit.payloads.device.cases import CASES, Case
from tests.unit.payloads.device.conftest import Node

EVENTS = {"section": "hgcal", "pile_up": 5.0, "seed": 5, "count": 1}
ENOUGH_S = 300.0
(CLUE,) = (case for case in CASES if case.kernel == "clue")


@pytest.fixture
def ask(tmp_path: Path) -> Any:
    """The digest that a task in a child finds, on a device or on the CPU; or ChildError."""

    def ask(
        device: str | None = "cuda:0",
        patience_s: float = ENOUGH_S,
        task: str = "device",
        case: Case = CLUE,
        **more: Any,
    ) -> Any:
        options = Options(mode="quick", budget_s=ENOUGH_S, cpus=(0,), copies=1, places=(tmp_path / "cache",))
        request = {**request_of(case.found(), options), "events": EVENTS, "reference": EVENTS, "seconds": 0.0,
                   "slots": 2, "task": task, **more}  # fmt: skip
        request |= {"variant": "scalar"} if device is None else {"backend": "cuda", "device": device}
        name = f"{case.kernel} on {device or 'the CPU'}"
        return ask_one(WORKER, name, request, time.monotonic() + patience_s)

    return ask


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.kernel)
def test_physics_and_bits_are_those_of_the_cpu(node: Node, ask: Any, case: Case) -> None:
    node()
    section, pile_up, seed, count = case.few
    events = {"section": section, "pile_up": pile_up, "seed": seed, "count": count}
    chosen = {"case": case, "events": events, "reference": {**events, "count": 1}}
    on_cpu, on_gpu = ask(None, task="verify", **chosen), ask(**chosen)
    assert on_gpu["differences"] is None
    assert on_gpu["digest"] == on_cpu["digest"]
    assert on_gpu["metrics"] == on_cpu["metrics"]
    assert on_gpu["name"] == "cuda device 0 (Fake H100)"
    assert (on_gpu["slots"], on_gpu["said"]) == (2, [])
    assert len(on_gpu["end_to_end_s"]) == len(on_gpu["kernel_only_s"]) == 3
    assert all(seconds > 0 for seconds in on_gpu["end_to_end_s"] + on_gpu["kernel_only_s"])


def _opened(ordinal: int = 0) -> list[str]:
    """Name of a GPU that was opened for clue, and what was said of that; or the error."""
    code = (
        "from payloads.backends.cuda import open_gpu\n"
        "from payloads.errors import PayloadError\n"
        f"try: device, said = open_gpu('clue', {ordinal}, ())\n"
        "except PayloadError as error: print(error)\n"
        "else: print(device.name, *said, sep='\\n')"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    return done.stdout.splitlines()


def test_a_gpu_takes_the_cubin_of_its_architecture(node: Node) -> None:
    node()
    assert _opened(1) == ["cuda device 1 (Fake A100)"]


def test_a_gpu_that_takes_no_cubin_gets_ptx_and_it_is_said(node: Node) -> None:
    node("no-binary")
    name, said = _opened()
    assert said == (
        f"{name} runs clue from compute_60: {name} failed to load the kernel's code: the code is for another architecture "
        "(CUDA_ERROR_NO_BINARY_FOR_GPU)"
    )


def test_a_gpu_that_nvrtc_does_not_know_gets_ptx(node: Node) -> None:
    node("unknown")
    name, said = _opened()[:2]
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


def test_less_memory_means_fewer_events_in_flight_and_is_said(node: Node, ask: Any) -> None:
    node()
    slot_bytes = ask()["workspace_bytes"] // 2
    node(memory_bytes=int(1.5 * slot_bytes))
    answer = ask()
    assert answer["slots"] == 1
    assert answer["said"] == [
        f"cuda device 0 (Fake H100) has memory for 1 of 2 events in flight, {slot_bytes / 1e6:.0f} MB each"
    ]
    node(memory_bytes=slot_bytes // 2)
    with pytest.raises(
        ChildError, match=r"cuda device 0 \(Fake H100\) failed to give [0-9]+ bytes: there is no memory left"
    ):
        ask()


@pytest.mark.parametrize("after", [0, 3, 100])
def test_a_gpu_lost_meanwhile(node: Node, ask: Any, after: int) -> None:
    node("lost", after=after)
    with pytest.raises(
        ChildError,
        match=r"cuda device 0 \(Fake H100\) failed to launch \w+: a kernel failed, or the device was lost "
        r"\(CUDA_ERROR_LAUNCH_FAILED\)",
    ):
        ask()


@pytest.mark.parametrize("scenario", ["hang-open", "hang-wait"])
def test_a_driver_that_hangs_costs_its_child_and_the_device_is_named(
    node: Node, ask: Any, scenario: str
) -> None:
    ask(None, task="verify")  # events and reference are there, so that the device is what is waited for
    node(scenario, after=40)
    with pytest.raises(ChildError, match="clue on cuda:1 did not answer in time and was killed"):
        ask("cuda:1", patience_s=8.0)


def test_bits_that_differ_in_the_timed_passes_are_noticed(node: Node, ask: Any) -> None:
    """An event takes 50 launches; its physics is verified and its digests are known after the fourteenth that runs."""
    node("flips-bits", after=14 * 50)
    with pytest.raises(
        ChildError,
        match=r"cuda device 0 \(Fake H100\) computed other bits for event 0 in the timed pass than before",
    ):
        ask()


def test_a_kernel_without_launches(monkeypatch: pytest.MonkeyPatch) -> None:
    class Module:
        kernels = ("clue",)

    monkeypatch.setattr(on_device, "device_module", Module)
    with pytest.raises(PayloadError, match="mkfit has no launches for a device yet; clue has"):
        on_device.open_on_device({"kernel": "mkfit", "device": "cuda:0"}, {}, [])


class TestKeptCode:
    """Device code is kept beside the events."""

    @pytest.fixture
    def store(self, tmp_path: Path) -> Store:
        return Store(tmp_path / "cache", maker(), 2**30)

    def test_it_is_made_once(self, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        code, said = cuda.code_of("clue", "sm_90", [store])
        assert said == ()
        monkeypatch.setattr(nvrtc, "compile_kernel", None)
        assert cuda.code_of("clue", "sm_90", [store]) == (code, ())

    def test_another_architecture_and_another_kernel_are_not_taken_for_it(self, store: Store) -> None:
        codes = {cuda.code_of(kernel, architecture, [store])[0]
                 for kernel, architecture in (("clue", "sm_90"), ("clue", "sm_80"), ("mkfit", "sm_90"))}  # fmt: skip
        assert len(codes) == 3

    def test_what_is_corrupt_is_made_again_and_said(self, store: Store) -> None:
        code, _ = cuda.code_of("clue", "sm_90", [store])
        (kept,) = store.directory.rglob("code-clue-sm_90-*/code.npy")
        kept.write_bytes(kept.read_bytes()[:-100] + bytes(100))
        again, said = cuda.code_of("clue", "sm_90", [store])
        assert again == code
        assert len(said) == 1
        assert said[0].endswith("made again")
        assert cuda.code_of("clue", "sm_90", [store]) == (code, ())

    def test_a_place_that_cannot_be_written_is_said_and_gone_around(self, store: Store) -> None:
        store.directory.write_text("a file where the directory should be")
        code, said = cuda.code_of("clue", "sm_90", [store])
        assert cubin.entries(code)
        assert any(str(store.directory) in sentence for sentence in said)
