"""Whole runs with real worker processes around a kernel that tests can break: a fault costs its kernel and nothing else."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from payloads import chains
from payloads.catalogue import Kernel, read_kernel
from payloads.outcome import BenchOutcome
from payloads.plan import Options
from payloads.runner import Bench, Seams
from tests.unit.payloads.conftest import VARIANTS, only

pytestmark = pytest.mark.slow

Run = Callable[..., BenchOutcome]
MakeToy = Callable[..., Kernel]


def children_of_this_process() -> set[int]:
    found: set[int] = set()
    for task in Path("/proc/self/task").iterdir():
        with suppress(FileNotFoundError):  # a thread that has ended meanwhile
            found |= {int(pid) for pid in (task / "children").read_text().split()}
    return found


@pytest.fixture
def left_behind() -> Callable[[], set[int]]:
    """Processes begun by this test that are still there; other tests of this worker may have left theirs."""
    before = children_of_this_process()
    return lambda: children_of_this_process() - before


def test_one_copy_all_copies_and_the_baseline_are_measured(
    bench: Run, left_behind: Callable[[], set[int]]
) -> None:
    outcome = bench(variants=())
    found = only(outcome)
    assert (found.failed, found.reason) == (False, None)
    best, baseline = found.variants
    assert (best.name, best.role, baseline.name, baseline.role) == (
        "x86_64_v3",
        "best",
        "x86_64_v2",
        "baseline",
    )
    assert set(best.series) == {1, outcome.copies}
    assert set(baseline.series) == {outcome.copies}
    assert all(len(series.samples) >= 1 for series in best.series.values())
    assert best.right
    assert best.digest == baseline.digest
    assert best.about == {"isa": "x86-64-v3", "lanes": 8, "compiler": "gcc 12", "flags": "-O3"}
    assert best.stages == {"sum": 0.002}
    assert best.workspace_bytes == 1234
    assert best.memory_bytes is not None
    assert best.memory_bytes > 5e6
    assert found.events is not None
    assert found.events.origin == "made"
    assert found.before is not None
    assert found.after is not None
    assert [(one.name, one.reason) for one in outcome.left_out] == [
        ("x86_64_v4", "this processor lacks avx512f")
    ]
    assert left_behind() == set()


def test_copies_are_pinned_one_each(bench: Run, options: Callable[..., Options], toy: MakeToy) -> None:
    seen: dict[int, set[int]] = {}

    def told(_: object) -> None:
        for pid in children_of_this_process():
            try:
                seen[pid] = os.sched_getaffinity(pid)
            except ProcessLookupError:
                continue

    chosen = options()
    Bench([toy()], chosen, told, Seams(variants=lambda: VARIANTS)).run()
    pinned = [cpus for cpus in seen.values() if len(cpus) == 1]
    assert {cpu for cpus in pinned for cpu in cpus} == set(chosen.cpus)


def test_the_second_run_finds_events_reference_and_physics(toy: MakeToy, bench: Run) -> None:
    kernel = toy()
    first = bench(kernel)
    again = bench(kernel)
    assert only(first).events is not None
    assert only(again).events.origin == "cache"  # type: ignore[union-attr]
    assert only(again).events.digest == only(first).events.digest  # type: ignore[union-attr]
    assert only(again).variants[0].verdict == only(first).variants[0].verdict


def test_a_wrong_cut_has_no_score_and_is_told_apart_from_its_neighbour(toy: MakeToy, bench: Run) -> None:
    wrong, right = bench(toy("wrong", shift=1), toy("other")).kernels
    assert wrong.failed
    assert wrong.best is not None
    assert not wrong.best.right
    assert all(not variant.series for variant in wrong.variants)
    assert wrong.best.verdict is not None
    assert "differs from the reference" in (wrong.best.verdict.reason or "")
    assert "efficiency is 0" in (wrong.best.verdict.reason or "")
    assert not right.failed
    assert right.best is not None
    assert right.best.series


@pytest.mark.parametrize(("seen", "right"), [(3, True), (4, False)])
def test_single_particles_are_judged_besides(toy: MakeToy, bench: Run, seen: int, right: bool) -> None:
    folder = toy().folder
    path = folder / "manifest.toml"
    path.write_text(
        f"{path.read_text()}\n[singles]\nsection = 'numbers'\npile_up = 0\nseed = 9\ncount = 3\n"
        f"[physics.singles_seen]\nlow = {seen}\nhigh = {seen}\nmeans = 'events'\norigin = 'by construction'\n"
    )
    found = only(bench(read_kernel(folder)))
    assert found.best is not None
    assert found.best.verdict is not None
    told = {metric.name: metric.value for metric in found.best.verdict.metrics}
    assert (told["singles_seen"], told["events_seen"]) == (3, 4)
    assert found.best.right is right
    assert found.failed is not right
    assert ("singles_seen is 3, it should be 4 to 4" in (found.best.verdict.reason or "")) is not right


def test_a_variant_with_other_bits_has_no_score(toy: MakeToy, bench: Run) -> None:
    found = only(bench(toy(other_bits_in_baseline=1), variants=()))
    best, baseline = found.variants
    assert best.right
    assert best.series
    assert not baseline.right
    assert not baseline.series
    assert found.failed


def test_a_copy_whose_passes_differ_is_broken_hardware_or_a_broken_build(toy: MakeToy, bench: Run) -> None:
    found = only(bench(toy(flipping=1)))
    assert found.failed
    assert found.best is not None
    assert not found.best.right
    assert found.best.verdict is not None
    assert "did not compute the same bits in every pass" in (found.best.verdict.reason or "")


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ({"killed_by": signal.SIGSEGV}, "was killed by SIGSEGV"),
        ({"killed_by": signal.SIGKILL}, "the kernel kills so when memory runs out"),
        ({"hangs": 1}, "did not answer in time"),
        ({"raises": 1}, "the kernel gave up"),
    ],
)
def test_a_copy_that_dies_costs_its_kernel_only(
    toy: MakeToy,
    bench: Run,
    fault: dict[str, float],
    told: str,
    left_behind: Callable[[], set[int]],
) -> None:
    broken, well = bench(toy("broken", **fault), toy("other")).kernels
    assert broken.failed
    assert told in (broken.reason or "")
    assert (well.failed, well.reason) == (False, None)
    assert left_behind() == set()


def test_memory_beyond_the_bound_of_a_copy_is_refused(toy: MakeToy, bench: Run) -> None:
    found = only(bench(toy(hungry=600e6), memory_per_copy_bytes=256 * 1024**2))
    assert found.failed
    assert "more than the 256 MiB that a copy may use" in (found.reason or "")


def test_copies_that_do_not_fit_are_refused_and_one_copy_is_kept(toy: MakeToy, bench: Run) -> None:
    found = only(bench(toy(), memory_bytes=45_000_000, copies=2))
    if len(os.sched_getaffinity(0)) < 2:
        pytest.skip("one processor: all copies are one copy")
    assert found.failed
    assert "do not fit into the 45 MB that are granted" in (found.reason or "")
    assert set(found.variants[0].series) == {1}


@pytest.mark.parametrize("fault", ["TOY_BROKEN", "TOY_EXPLODING", "TOY_KILLED"])
def test_a_library_that_does_not_load_is_left_out(
    bench: Run, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(fault, "x86_64_v3")
    outcome = bench(variants=())
    reasons = {one.name: one.reason for one in outcome.left_out}
    assert "x86_64_v3" in reasons
    assert "\n" not in reasons["x86_64_v3"]
    assert [variant.name for variant in only(outcome).variants] == ["x86_64_v2"]
    assert not only(outcome).failed


def test_a_library_that_hangs_is_not_taken_for_the_end_of_the_budget(
    bench: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chains, "DESCRIBE_S", 0.2)
    outcome = bench(command=(sys.executable, "-I", "-c", "import time; time.sleep(60)"))
    assert not outcome.out_of_budget
    assert "x86_64_v3: it was not loaded within 0.2 s" in (outcome.not_built or "")
    assert only(outcome).failed


def test_without_any_compiled_module_the_reason_is_in_the_outcome(
    toy: MakeToy, options: Callable[..., Options]
) -> None:
    outcome = Bench([toy()], options(), seams=Seams(variants=lambda: ())).run()
    assert "install a C++17 compiler" in (outcome.not_built or "")
    assert only(outcome).failed
    assert only(outcome).reason == outcome.not_built


def test_a_variant_that_is_not_there_is_named(bench: Run) -> None:
    outcome = bench(variants=("power9",))
    assert "variant power9 cannot be used here; there are: x86_64_v3, x86_64_v2" in (outcome.not_built or "")


def test_a_named_variant_is_the_only_one(bench: Run) -> None:
    assert [variant.name for variant in only(bench(variants=("x86_64_v2",))).variants] == ["x86_64_v2"]


def test_no_place_for_events_is_said_and_every_copy_makes_its_own(
    toy: MakeToy, bench: Run, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    found = only(bench(places=(tmp_path / "file" / "cache",)))
    assert not found.failed
    assert found.variants[0].series
    assert any("nothing can be kept in" in sentence for sentence in found.said)


def test_a_section_that_the_simulation_does_not_have(toy: MakeToy, bench: Run) -> None:
    kernel = toy()
    path = kernel.folder / "manifest.toml"
    path.write_text(path.read_text().replace('section = "numbers"', 'section = "nowhere"'))
    from payloads.catalogue import read_kernel

    found = only(bench(read_kernel(kernel.folder)))
    assert found.failed
    assert "no section 'nowhere'" in (found.reason or "")


def test_the_end_of_the_budget_is_no_fault_of_the_kernel(
    toy: MakeToy, bench: Run, left_behind: Callable[[], set[int]]
) -> None:
    outcome = bench(toy("one"), toy("other"), budget_s=0.05)
    assert outcome.out_of_budget
    assert outcome.not_built is None
    assert [(one.failed, one.reason) for one in outcome.kernels] == [
        (False, "the budget ended before it began")
    ] * 2
    assert left_behind() == set()


def test_an_interrupt_keeps_what_was_measured(
    toy: MakeToy, options: Callable[..., Options], left_behind: Callable[[], set[int]]
) -> None:
    measured = threading.Event()

    def told(progress: Any) -> None:
        if progress.repeat == 3:
            measured.set()

    run = Bench(
        [toy("one"), toy("other")], options(most_repeats=10_000), told, Seams(variants=lambda: VARIANTS)
    )

    def interrupt() -> None:
        assert measured.wait(50)
        run.interrupt("SIGTERM")

    thread = threading.Thread(target=interrupt)
    thread.start()
    began = time.monotonic()
    outcome = run.run()
    thread.join()
    assert time.monotonic() - began < 50
    assert outcome.interrupted_by == "SIGTERM"
    first, second = outcome.kernels
    assert not first.failed
    assert len(first.variants[0].series[1].samples) >= 2
    assert "interrupted" in (first.reason or "")
    assert "interrupted" in (second.reason or "")
    assert left_behind() == set()


def test_one_core_granted(toy: MakeToy, bench: Run) -> None:
    cpu = min(os.sched_getaffinity(0))
    outcome = bench(cpus=(cpu,), copies=1)
    assert set(only(outcome).variants[0].series) == {1}
    assert not only(outcome).failed
