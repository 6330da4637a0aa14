"""`make gpu-check`: through the fake driver from the first child to the file, and what is said of a node without a GPU."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks import gpu_check, gpu_check_steps
from payloads.backends.devices import Gpu, backends
from payloads.catalogue import Kernel, choose, kernels
from tests.unit.payloads.device.conftest import Node

pytestmark = pytest.mark.slow

MIB = 1024 * 1024


@pytest.fixture
def clue() -> Kernel:
    """clue on an event that a CPU gets through as if it were a GPU; of its physics hardly anything is judged."""
    (kernel,) = choose(kernels(), ("clue",))
    manifest = kernel.manifest
    few = {"pile_up": 0.0, "seed": 5, "count": 1}
    loose = {"low": -1e9, "high": 1e9}
    physics = {"layer_clusters": manifest.physics["layer_clusters"].model_copy(update=loose)}
    changes = {
        "events": manifest.events.model_copy(update=few),
        "reference": manifest.reference.model_copy(update=few),
        "physics": physics,
    }
    return replace(kernel, manifest=manifest.model_copy(update=changes))


def _sanitizer(place: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    program = place / "bin" / "compute-sanitizer"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\n{script}")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=":")


def _run(clue: Kernel, place: Path, *more: str) -> tuple[int, dict[str, Any]]:
    arguments = ["--budget", "600", "--in-flight", "2", "--out", str(place / "out"), *more]
    code = gpu_check.main(arguments, [clue])
    (path,) = (place / "out").iterdir()
    return code, json.loads(path.read_text())


FLIGHTS = ((1, 1), (2, 2))


@pytest.mark.long
def test_a_good_gpu(
    node: Node,
    nvml: Path,
    clue: Kernel,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    node(libraries=nvml)
    monkeypatch.setattr(gpu_check_steps, "FLIGHTS", FLIGHTS)
    # runs what it is given and finds nothing
    _sanitizer(tmp_path, 'shift 4; exec "$@"\n', monkeypatch)
    code, found = _run(clue, tmp_path, "--minutes", "0.02")
    assert (code, found["wrong"]) == (0, [])
    assert (found["device"], found["place"], found["architecture"]) == ("Fake H100", "cuda:0", "sm_90")
    one = found["kernels"]["clue"]
    assert one["digest"] == one["cpu_digest"]
    assert one["result"]["physics"]["right"]
    assert one["result"]["device_run"]["host_busy"]["events_per_s"] > 0
    assert one["first_result"]["seconds"] > 0
    assert one["first_result"]["code"]["origin"] == "kept"
    assert [(each["slots"], each["threads"]) for each in one["scaling"]] == list(FLIGHTS)
    assert all(each["events_per_s"] > 0 for each in one["scaling"])
    assert one["sanitizer"] == {tool: {"clean": True} for tool in ("memcheck", "racecheck", "initcheck")}
    (soak,) = found["soak"]
    assert soak["events"] > 0
    assert soak["looks"][0]["gpu_bytes"] == 619 * MIB
    assert soak["looks"][0]["process_bytes"] > MIB
    assert soak["grew"] == []
    printed = capsys.readouterr().out
    assert "Fake H100 (sm_90)" in printed
    assert "equal" in printed
    assert "clue: events/s by events in flight × threads: 1×1 " in printed


def test_what_is_not_right_is_named(
    node: Node,
    clue: Kernel,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    node()
    monkeypatch.setattr(gpu_check_steps, "FLIGHTS", ())
    _sanitizer(
        tmp_path,
        '[ "$2" = racecheck ] || { shift 4; exec "$@"; }\n'
        "echo '========= COMPUTE-SANITIZER'\n"
        "echo '========= Error: Race reported between Write access'\n"
        "echo '========= RACECHECK SUMMARY: 1 hazard'\n"
        "exit 99\n",
        monkeypatch,
    )
    bounds = {name: bound.model_copy(update={"low": 1e9}) for name, bound in clue.manifest.physics.items()}
    broken = replace(clue, manifest=clue.manifest.model_copy(update={"physics": bounds}))
    code, found = _run(broken, tmp_path)
    assert code == 1
    assert found["wrong"] == [
        "clue: its physics is not right, so it has no score",
        "clue: racecheck: Error: Race reported between Write access … RACECHECK SUMMARY: 1 hazard",
    ]
    assert found["soak"] == []
    assert "WRONG  clue: racecheck" in capsys.readouterr().out


def test_the_kalman_step_alone(node: Node, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    node()
    monkeypatch.setattr(gpu_check_steps, "STEP_SLOTS", 2)
    (mkfit,) = choose(kernels(), ("mkfit",))
    few = mkfit.manifest.events.model_copy(update={"pile_up": 1.0})
    small = replace(mkfit, manifest=mkfit.manifest.model_copy(update={"events": few}))
    found = gpu_check_steps.kalman_step(
        small, _nobodys_gpu("cuda"), gpu_check_steps.options(tmp_path, 1.0, 1)
    )
    assert found["track_layers_per_s"] > 0
    assert found["seeds"] > 0
    assert found["in_flight"] == 2
    node("lost")
    failed = gpu_check_steps.kalman_step(
        small, _nobodys_gpu("cuda"), gpu_check_steps.options(tmp_path, 1.0, 1)
    )
    assert "the device was lost" in failed["reason"]


def test_without_the_sanitizer_it_is_said(
    clue: Kernel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    gpu = _nobodys_gpu("cuda")
    how = gpu_check_steps.options(tmp_path, 1.0, 1)
    assert gpu_check_steps.sanitizer(clue, gpu, how) == {
        "reason": "compute-sanitizer is not installed (it comes with NVIDIA's CUDA toolkit)"
    }
    assert (
        gpu_check_steps.sanitizer(clue, _nobodys_gpu("hip"), how)["reason"] == "compute-sanitizer is NVIDIA's"
    )


def _nobodys_gpu(api: Any) -> Gpu:
    return Gpu(api, 0, "Nobody's", 2**33, None, None, "0000:00:00.0")


def test_without_a_gpu_there_is_one_sentence(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    for backend in backends():
        if any(gpu.reason is None for gpu in backend.gpus):
            pytest.skip(f"this machine has a GPU: {backend.gpus[0].name}")
    assert gpu_check.main(["--out", str(tmp_path / "out")]) == 3
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("gpu-check: no GPU can be used here: --device gpu:0: ")
    assert said.err.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_a_kernel_that_is_not_there(node: Node, capsys: pytest.CaptureFixture[str]) -> None:
    node()
    assert gpu_check.main(["cleu"]) == 2
    assert "there is no kernel 'cleu'; did you mean 'clue'?" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("samples", "leaks"),
    [
        ([], False),
        ([None] * 50, False),
        ([100 * MIB] * 4, False),  # too few to tell
        ([10 * MIB] * 10 + [100 * MIB] * 40, False),  # warms up
        ([100 * MIB + step * MIB for step in range(50)], True),
        ([1000 * MIB + step * MIB // 4 for step in range(50)], False),  # within an allocator's steps
    ],
)
def test_memory_that_grows(samples: list[int | None], leaks: bool) -> None:
    assert gpu_check_steps.grown(samples) is leaks
