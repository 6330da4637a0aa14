"""A run on a GPU: what is asked of children, and what becomes of their answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from payloads.backends.devices import Gpu
from payloads.catalogue import choose, kernels
from payloads.children import ChildError
from payloads.device_bench import DeviceBench, DeviceOutcome
from payloads.plan import Options

GPU = Gpu("cuda", 1, "Fake A100", 8 * 2**30, "sm_80", None)
CLUE = choose(kernels(), ("clue",))[0]


class Children:
    """Answers as the worker gives them, with changes by task."""

    def __init__(self, **changes: dict[str, Any] | Exception) -> None:
        self.changes = changes
        self.asked: list[tuple[str, Mapping[str, Any]]] = []
        self.before_answer = lambda: None

    def __call__(self, name: str, request: Mapping[str, Any], end: float) -> dict[str, Any]:
        self.asked.append((name, request))
        self.before_answer()
        change = self.changes.get(request["task"], {})
        if isinstance(change, Exception):
            raise change
        metrics = {name: (bound.low + bound.high) / 2 for name, bound in CLUE.manifest.physics.items()}
        answers: dict[str, dict[str, Any]] = {
            "prepare": {"digest": "dd", "size_bytes": 5, "directory": None, "origin": "made", "said": ["made events"],
                        "simulation_version": 1},
            "device": {"metrics": metrics, "differences": None, "digest": "aa", "said": ["fewer in flight"], "slots": 4,
                       "threads": 2, "workspace_bytes": 77, "events_a_pass": 10, "end_to_end_s": [2.0, 1.0, 4.0],
                       "kernel_only_s": [1.0, 1.0, 1.0]},
            "verify": {"digest": "aa"},
        }  # fmt: skip
        return {**answers[request["task"]], **change}


def _run(children: Children, kernels_: int = 1, budget_s: float = 100.0) -> list[DeviceOutcome]:
    options = Options(mode="quick", budget_s=budget_s, cpus=(0, 1), copies=1)
    return DeviceBench([CLUE] * kernels_, GPU, options, ask=children).run()


def test_a_right_run() -> None:
    children = Children()
    (found,) = _run(children)
    assert found.verdict is not None
    assert found.verdict.right
    assert (found.reason, found.failed) == (None, False)
    assert found.end_to_end_s == [0.2, 0.1, 0.4]
    assert found.kernel_only_s == [0.1, 0.1, 0.1]
    assert found.said[:2] == ["made events", "fewer in flight"]
    assert found.said[2].startswith("computes the very bits of x86_64_v")
    names = [name for name, _ in children.asked]
    assert names[:2] == ["preparing clue", "clue on cuda:1 (Fake A100)"]
    on_gpu = children.asked[1][1]
    assert (on_gpu["backend"], on_gpu["device"], on_gpu["kernel"]) == ("cuda", "cuda:1", "clue")
    assert children.asked[2][1]["backend"] == "cpu"


def test_other_bits_than_the_cpu_are_told() -> None:
    (found,) = _run(Children(verify={"digest": "bb"}))
    assert found.reason is None
    assert found.said[2].startswith("computes other bits, within the reference's tolerance, than x86_64_v")


def test_a_cpu_that_cannot_be_asked_costs_only_the_comparison() -> None:
    (found,) = _run(Children(verify=ChildError("clue in x86_64_v3 ended with exit code 1")))
    assert found.end_to_end_s
    assert (
        found.said[2] == "its bits were not held against the CPU's: clue in x86_64_v3 ended with exit code 1"
    )


@pytest.mark.parametrize("change", [{"metrics": {}}, {"differences": "event 0: other clusters"}])
def test_wrong_physics_has_no_score(change: dict[str, Any]) -> None:
    (found,) = _run(Children(device=change))
    assert (found.end_to_end_s, found.kernel_only_s) == ([], [])
    assert found.failed
    assert found.reason == "its physics is not right, so it has no score"


def test_a_gpu_that_fails_costs_its_kernel_only() -> None:
    sentence = "clue on cuda:1 (Fake A100) did not answer in time and was killed"
    first, second = _run(Children(device=ChildError(sentence)), kernels_=2)
    assert (first.reason, first.failed, first.verdict) == (sentence, True, None)
    assert second.reason == sentence


def test_a_budget_that_has_ended_is_nobodys_fault() -> None:
    (found,) = _run(Children(), budget_s=-1.0)
    assert (found.reason, found.failed) == ("the budget ended before it was measured", False)


def test_a_signal_ends_the_run_with_what_there_is() -> None:
    children = Children()
    options = Options(mode="quick", budget_s=100.0, cpus=(0,), copies=1)
    bench = DeviceBench([CLUE, CLUE], GPU, options, ask=children)
    children.changes["device"] = ChildError("clue on cuda:1 (Fake A100) was interrupted")
    children.before_answer = lambda: bench.interrupt("SIGTERM")
    first, second = bench.run()
    assert bench.interrupted_by == "SIGTERM"
    assert (first.reason, first.failed) == ("interrupted before it was measured", False)
    assert (second.reason, second.failed) == ("interrupted before it was measured", False)
