"""Nodes of more processors than this machine has: plan, memory and scaling with copies that are no processes."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Self

import pytest

from payloads.catalogue import Kernel
from payloads.chains import Prepared, Verified
from payloads.conditions import Watcher
from payloads.outcome import BenchOutcome, EventsOutcome
from payloads.plan import LEAST_REPEATS, Options
from payloads.runner import Bench, Seams
from payloads.verify import Verdict
from tests.unit.payloads.conftest import VARIANTS, only

MakeToy = Callable[..., Kernel]


class NoProcesses:
    """Copies that only say that they are, for more of them than this machine has processors."""

    def __init__(self, request: Any, stop: Any) -> None:
        self.started = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def start(self, cpus: Any, end: float) -> list[dict[str, Any]]:
        self.started += len(cpus)
        one = {
            "events": 4, "event_bytes": 10, "workspace_bytes": 10, "memory_bytes": 50_000_000, "pass_s": 0.01,
            "digest": "aa", "isa": "x86-64-v3", "lanes": 8, "compiler": "gcc", "flags": "-O3",
        }  # fmt: skip
        return [dict(one) for _ in cpus]

    def run(self, copies: int, window_s: float, patience_s: float) -> list[dict[str, Any]]:
        assert copies <= self.started
        time.sleep(0.001)
        one = {
            "events": 100, "seconds": 1.0, "began": 0.0, "ended": 1.0, "cpu_s": 1.0, "same_bits": True,
            "major_faults": 0, "preempted": 0,
        }  # fmt: skip
        return [dict(one) for _ in range(copies)]

    def rest(self, patience_s: float) -> None:
        return None

    def cpu_s(self) -> float:
        return 0.0

    def finish(self) -> list[dict[str, Any]]:
        return [{"memory_bytes": 50_000_000}] * self.started


class Preempted(NoProcesses):
    """Copies of which others take half the processor in every third repeat."""

    repeats = 0

    def run(self, copies: int, window_s: float, patience_s: float) -> list[dict[str, Any]]:
        self.repeats += 1
        reports = super().run(copies, window_s, patience_s)
        if self.repeats % 3 == 2:
            reports = [{**one, "events": 50, "cpu_s": 0.5} for one in reports]
        return reports


def _simulated_node(
    toy: MakeToy, options: Callable[..., Options], team: type[NoProcesses] = NoProcesses, **changes: object
) -> BenchOutcome:
    def prepare(kernels: Any, *_: object) -> list[Prepared]:
        return [
            Prepared(
                kernel, EventsOutcome("dd", 10, "cache", 1), "/nowhere",
                variants={name: Verified(Verdict(right=True), "aa") for name in names},
            )
            for kernel, names in kernels
        ]  # fmt: skip

    seams = Seams(
        variants=lambda: VARIANTS,
        describe=lambda names, *_: {name: {"kernels": ["toy"]} for name in names},
        prepare_all=prepare,
        open_team=team,
    )
    return Bench([toy()], options(cpus=tuple(range(512)), copies=512, **changes), seams=seams).run()


def test_512_cores_granted(toy: MakeToy, options: Callable[..., Options]) -> None:
    outcome = _simulated_node(toy, options, mode="thorough", memory_bytes=512 * 2 * 10**9)
    best = only(outcome).variants[0]
    assert sorted(best.series) == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512]
    assert best.series[512].rate.median == pytest.approx(51_200)
    assert best.series[1].rate.median == pytest.approx(100)


def test_512_cores_with_memory_for_a_few(toy: MakeToy, options: Callable[..., Options]) -> None:
    found = only(_simulated_node(toy, options, memory_bytes=10**9))
    assert found.failed
    assert "512 copies of 50 MB do not fit" in (found.reason or "")
    assert "--copies 18" in (found.reason or "")


def test_repeats_without_their_processors_are_set_aside_and_said(
    toy: MakeToy, options: Callable[..., Options], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # what the hypervisor of this machine does meanwhile is not to be seen
    monkeypatch.setattr("payloads.runner.Watcher", partial(Watcher, root=tmp_path))
    found = only(_simulated_node(toy, options, Preempted, most_repeats=12))
    series = found.variants[0].series[1]
    assert len(series.counted) == LEAST_REPEATS
    assert series.rate.low == series.rate.high == pytest.approx(100)
    assert set(series.set_aside) == {50}
    assert any(
        f"{len(series.set_aside)} of {len(series.samples)} of x86_64_v3 with 1" in one for one in found.said
    )
