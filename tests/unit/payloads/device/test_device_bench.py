"""A run on GPUs: what is asked of children, and what becomes of their answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import SimpleNamespace, TracebackType
from typing import Any, Self

import pytest

from payloads import device_bench
from payloads.backends.devices import Gpu
from payloads.catalogue import choose, kernels
from payloads.children import ChildError
from payloads.device_bench import DeviceBench, Seams
from payloads.device_outcome import DeviceOutcome
from payloads.plan import Options

A100 = Gpu("cuda", 1, "Fake A100", 8 * 2**30, "sm_80", None, "0000:DB:00.0")
H100 = Gpu("cuda", 0, "Fake H100", 8 * 2**30, "sm_90", None, "0000:3B:00.0")
CLUE = choose(kernels(), ("clue",))[0]
RIGHT = {name: (bound.low + bound.high) / 2 for name, bound in CLUE.manifest.physics.items()}
LOOK = {
    "at": 0.0, "sm_clock_mhz": 1400, "memory_clock_mhz": 1200, "temperature_celsius": 40, "power_w": 100.0,
    "energy_j": 1.0, "throttle_reasons": (), "processes": (), "memory_used_bytes": 5,
}  # fmt: skip
DURING = {
    "seconds": 2.0, "sm_clock_mhz_low": 1300, "sm_clock_mhz_high": 1400, "temperature_celsius_high": 60,
    "energy_j": 500.0, "throttle_reasons": (), "processes_most": 1,
}  # fmt: skip
READY = {
    "metrics": RIGHT, "differences": None, "digest": "aa", "said": ["fewer in flight"], "slots": 4, "threads": 2,
    "workspace_bytes": 77, "events_a_pass": 10, "pass_s": 0.1, "before": LOOK, "is_cut": False, "not_watched": None,
    "entries": [{"name": "clue_place"}], "code": {"form": "cubin"},
}  # fmt: skip
# Seconds of a pass of ten events: with transfers, kernels alone, with the CPUs at work, with another GPU at work.
IDLE_S, ALONE_S, BUSY_S, TOGETHER_S = 1.0, 0.5, 1.25, 2.0


class Node:
    """Stands for all children of a run: answers as they do, with changes."""

    def __init__(self, **changes: Any) -> None:
        self.changes = changes
        self.asked: list[str] = []
        self.before_answer = lambda: None
        self.copies: list[int] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.asked.append("ended")

    # of an ask for events
    def prepare(self, name: str, request: Mapping[str, Any], end: float, stop: Any) -> dict[str, Any]:
        self.asked.append(name)
        self.before_answer()
        return {"digest": "dd", "size_bytes": 5, "directory": None, "origin": "made", "said": ["made events"],
                "simulation_version": 1}  # fmt: skip


class Devices(Node):
    """The children of GPUs."""

    def __init__(self, node: Node) -> None:
        super().__init__(**node.changes)
        self.node = node
        self.asked = node.asked

    def _change(self, gpu: Gpu, what: str, answer: dict[str, Any]) -> Any:
        change = self.changes.get(f"{what}_{gpu.ordinal}", self.changes.get(what, {}))
        return change if isinstance(change, Exception) else {**answer, **change}

    def start(self, requests: Mapping[Gpu, Mapping[str, Any]], end: float) -> dict[Gpu, Any]:
        self.node.before_answer()
        for gpu, request in requests.items():
            assert (request["backend"], request["device"]) == (gpu.api, gpu.place)
            assert (request["bus_id"], request["kernel"], request["slots"]) == (gpu.bus_id, "clue", 8)
        return {gpu: self._change(gpu, "device", READY) for gpu in requests}

    def passes(
        self, gpus: Sequence[Gpu], seconds: float, patience_s: float, *, transfers: bool
    ) -> dict[Gpu, Any]:
        busy = bool(self.node.copies)
        kind = "kernels" if not transfers else "busy" if busy else "together" if len(gpus) > 1 else "idle"
        self.asked.append(f"{kind} {' '.join(str(gpu.ordinal) for gpu in gpus)}")
        one = {"kernels": ALONE_S, "busy": BUSY_S, "together": TOGETHER_S, "idle": IDLE_S}[kind]
        answer = {"seconds": [one, 2 * one, one / 2], "events": 30, "during": DURING}
        return {gpu: self._change(gpu, kind, answer) for gpu in gpus}

    def finish(self, gpus: Sequence[Gpu]) -> dict[Gpu, Any]:
        return {gpu: {"after": LOOK} for gpu in gpus}


class Copies(Node):
    """The copies on the CPUs."""

    def __init__(self, node: Node, request: Mapping[str, Any]) -> None:
        super().__init__(**node.changes)
        self.node = node
        self.asked = node.asked
        assert request["backend"] == "cpu"

    def __exit__(self, *error: object) -> None:
        self.node.copies.clear()
        super().__exit__(None, None, None)

    def start(self, cpus: Sequence[int], end: float) -> list[dict[str, Any]]:
        change = self.changes.get("copy", {})
        if isinstance(change, Exception):
            raise change
        self.node.copies += cpus
        return [{"digest": "aa", "pass_s": 0.01, "memory_bytes": 1000, "events": 2, **change} for _ in cpus]

    def run(self, copies: int, window_s: float, patience_s: float) -> list[dict[str, Any]]:
        assert copies == len(self.node.copies)
        return [{"events": 4, "seconds": 2.0, "same_bits": self.changes.get("same_bits", True)}] * copies

    def rest(self, patience_s: float) -> None:
        raise AssertionError("the copies must go on working")

    def cpu_s(self) -> float:
        return 0.0

    def finish(self) -> list[dict[str, Any]]:
        return []


def _bench(
    node: Node, gpus: Sequence[Gpu] = (A100,), kernels_: int = 1, budget_s: float = 100.0, **options: Any
) -> DeviceBench:
    whole = Options(mode="quick", budget_s=budget_s, cpus=(0, 1), copies=2, **options)
    seams = Seams(node.prepare, lambda kernel: Devices(node), lambda request: Copies(node, request))
    return DeviceBench([CLUE] * kernels_, gpus, whole, seams=seams)


def _run(node: Node, **more: Any) -> list[DeviceOutcome]:
    return _bench(node, **more).run()


def test_a_right_run() -> None:
    node = Node()
    (found,) = _run(node)
    assert found.verdict is not None
    assert found.verdict.right
    assert (found.reason, found.failed) == (None, False)
    assert found.passes["end_to_end"].event_s == (0.1, 0.2, 0.05)
    assert {kind: passes.rate.median for kind, passes in found.passes.items()} == {
        "end_to_end": 10.0,
        "kernel_only": 20.0,
        "host_busy": 8.0,
    }
    assert found.said == [
        "made events",
        "fewer in flight",
        f"computes the very bits of {found.cpus.variant if found.cpus else ''} on the CPU",
    ]
    assert found.after == LOOK
    assert found.missing == {}
    assert node.asked == ["preparing clue", "idle 1", "kernels 1", "busy 1", "ended", "ended"]


def test_worth_in_loaded_cpus_and_energy() -> None:
    """Two copies do four events/s together, a GPU ten; 30 events cost 500 J."""
    (found,) = _run(Node())
    assert found.cpus is not None
    assert (found.cpus.copies, found.cpus.rate.median) == (2, 4.0)
    assert found.worth_cpus == pytest.approx(10 / (4 / 2))
    assert found.passes["end_to_end"].events_per_joule == pytest.approx(30 / 500)


def test_several_gpus_each_alone_then_all_together() -> None:
    node = Node()
    first, second = _run(node, gpus=(H100, A100))
    assert node.asked[1:] == [
        "idle 0", "kernels 0", "idle 1", "kernels 1", "together 0 1", "busy 0", "busy 1", "ended", "ended",
    ]  # fmt: skip
    for found in (first, second):
        assert (found.together, found.together_events_per_s) == (2, 10.0)
        assert found.passes["together"].rate.median == 5.0
        assert found.passes["end_to_end"].rate.median == 10.0


def test_other_bits_than_the_cpu_are_told() -> None:
    (found,) = _run(Node(copy={"digest": "bb"}))
    assert found.reason is None
    assert found.said[2].startswith("computes other bits, within the reference's tolerance, than x86_64_v")


@pytest.mark.parametrize(
    ("changes", "options", "said"),
    [
        ({"copy": ChildError("clue in x86_64_v3 ended")}, {}, "clue in x86_64_v3 ended"),
        ({"same_bits": False}, {}, "a copy on the CPUs computed other bits from pass to pass"),
        ({}, {"memory_bytes": 1500}, "2 copies of 0 MB for the CPUs do not fit into the 0 MB granted"),
    ],
)
def test_cpus_that_cannot_be_loaded_cost_only_what_needs_them(
    changes: dict[str, Any], options: dict[str, Any], said: str
) -> None:
    (found,) = _run(Node(**changes), **options)
    assert found.missing == {"host_busy": said}
    assert (found.cpus, found.worth_cpus) == (None, None)
    assert found.passes.keys() == {"end_to_end", "kernel_only"}
    assert (found.reason, found.failed) == (None, False)


@pytest.mark.parametrize("change", [{"metrics": {}}, {"differences": "event 0: other clusters"}])
def test_wrong_physics_has_no_score(change: dict[str, Any]) -> None:
    node = Node(device=change)
    (found,) = _run(node)
    assert found.passes == {}
    assert found.failed
    assert found.reason == "its physics is not right, so it has no score"
    assert node.asked == ["preparing clue", "ended"]


def test_a_gpu_that_fails_costs_its_kernel_only() -> None:
    sentence = "clue on cuda:1 (Fake A100) did not answer in time and was killed"
    first, second = _run(Node(device=ChildError(sentence)), kernels_=2)
    assert (first.reason, first.failed, first.verdict) == (sentence, True, None)
    assert second.reason == sentence


def test_a_gpu_that_is_lost_leaves_the_other_one_measured() -> None:
    sentence = "cuda device 0 (Fake H100) failed to launch clue_place: the device was lost"
    lost, other = _run(Node(kernels_0=ChildError(sentence)), gpus=(H100, A100))
    assert (lost.reason, lost.failed) == (sentence, True)
    assert lost.passes.keys() == {"end_to_end"}
    assert other.reason is None
    assert other.passes.keys() == {"end_to_end", "kernel_only", "host_busy"}
    assert other.together == 1


def test_conditions_that_a_reader_must_know() -> None:
    hot = {**DURING, "throttle_reasons": ("gpu_idle", "sw_power_cap")}
    (found,) = _run(
        Node(device={"before": {**LOOK, "processes": (7, 8)}}, idle={"during": hot}, busy={"during": hot})
    )
    assert found.said[3:] == [
        "2 other processes were on the GPU before we came",
        "the GPU held its clock down: sw_power_cap",
    ]


@pytest.mark.parametrize(
    ("change", "missing"),
    [
        (
            {"is_cut": True},
            {"events_per_joule": "it is a slice of a GPU, and power is known of the whole board only"},
        ),
        (
            {"not_watched": "there is no NVML here", "before": None},
            {"events_per_joule": "there is no NVML here", "conditions": "there is no NVML here"},
        ),
        (
            {"entries": [], "code": {"form": "PTX"}},
            {"entries": "only a cubin says it, and the GPU was given a PTX"},
        ),
    ],
)
def test_what_is_missing_has_a_reason(change: dict[str, Any], missing: dict[str, str]) -> None:
    (found,) = _run(Node(device=change))
    assert found.missing == missing


def test_a_budget_that_has_ended_is_nobodys_fault() -> None:
    (found,) = _run(Node(), budget_s=-1.0)
    assert (found.reason, found.failed) == ("the budget ended before it was measured", False)


@pytest.mark.parametrize(
    ("after", "measured", "missing", "reason"),
    [
        (
            "device",
            set(),
            {"end_to_end", "kernel_only", "host_busy"},
            "the budget ended before it was measured",
        ),
        ("idle", {"end_to_end"}, {"kernel_only", "host_busy"}, None),
        ("kernels", {"end_to_end", "kernel_only"}, {"host_busy"}, None),
    ],
)
def test_a_budget_that_ends_meanwhile_leaves_what_was_measured(
    monkeypatch: pytest.MonkeyPatch, after: str, measured: set[str], missing: set[str], reason: str | None
) -> None:
    node = Node()
    clock = [0.0]
    monkeypatch.setattr(device_bench, "time", SimpleNamespace(monotonic=lambda: clock[0]))

    def late(gpu: Gpu, what: str, answer: dict[str, Any]) -> Any:
        if what == after:
            clock[0] = 1000.0
        return answer

    monkeypatch.setattr(Devices, "_change", lambda self, *asked: late(*asked))
    (found,) = _run(node)
    assert found.passes.keys() == measured
    assert {name for name, why in found.missing.items() if "budget" in why} == missing
    assert (found.reason, found.failed) == (reason, False)
    assert node.copies == []


def test_a_signal_ends_the_run_with_what_there_is() -> None:
    node = Node(device=ChildError("clue on cuda:1 (Fake A100) was interrupted"))
    bench = _bench(node, kernels_=2)
    node.before_answer = lambda: bench.interrupt("SIGTERM")
    first, second = bench.run()
    assert bench.interrupted_by == "SIGTERM"
    assert (first.reason, first.failed) == ("interrupted before it was measured", False)
    assert (second.reason, second.failed) == ("interrupted before it was measured", False)
