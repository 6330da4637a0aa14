"""What the engine does with its assumptions."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from computing_model.layers import load, named
from computing_model.outlook import Outlook, outlook
from computing_model.plan import plan
from computing_model.published import beside, curve, plateaus

CPU = "cpu_khs06_years"


def need(made: Outlook, resource: str, year: int, scenario: int = 0) -> float:
    return float(made.scenarios[scenario].need(resource)[made.years.index(year)])


def changed(key: str, value: Any, year: int = 2029, resource: str = CPU, name: str = "baseline") -> float:
    """Need with a change over need without it."""
    return need(outlook([name], {key: value}), resource, year) / need(outlook([name]), resource, year)


def test_the_baseline_has_the_plateaus_that_cms_published() -> None:
    made = beside()
    for one in plateaus(made, made.scenarios[0], "baseline"):
        assert one.ratio == pytest.approx(1, abs=0.05)


def test_the_distance_of_the_weighted_scenario_is_that_of_the_two_named_lines() -> None:
    made = beside()
    ratios = [one.ratio for one in plateaus(made, made.scenarios[1], "weighted-probable")]
    assert ratios == pytest.approx([0.78, 0.86], abs=0.02)
    without = outlook(
        ["weighted-probable"],
        {"simulation.fast_chain.share": 0, "rnd.negative_weight_reduction": 0},
        years=(2021, 2034),
    )
    ratios = [one.ratio for one in plateaus(without, without.scenarios[0], "weighted-probable")]
    assert ratios == pytest.approx([0.96, 1.00], abs=0.02)


@pytest.mark.parametrize("scenario", ["baseline", "weighted-probable"])
def test_disk_follows_the_published_curve(scenario: str) -> None:
    made = beside()
    theirs = curve(scenario, "disk_pb")
    ratios = [
        need(made, "disk_pb", year, scenario == "weighted-probable") / value for year, value in theirs.items()
    ]
    assert math.sqrt(np.mean(np.log(ratios) ** 2)) < 0.09
    assert max(ratios) < 1.2
    assert min(ratios) > 0.8


def test_events_of_the_talk() -> None:
    made = outlook(["baseline"])
    first = made.scenarios[0]
    index = made.years.index
    assert first.data_events[index(2029)] == pytest.approx(33e9)
    assert first.data_events[index(2027)] == pytest.approx(16.5e9)
    assert first.data_events[index(2033)] == pytest.approx(66e9)
    assert first.mc_events[index(2029)] == pytest.approx(78.93e9)
    assert first.mc_events[index(2027)] == pytest.approx(43.96e9, rel=1e-3)
    assert first.mc_events[index(2033)] == pytest.approx(99.65e9)
    assert first.data_events[index(2031)] == 0


def test_tape_of_a_year_of_run_4_is_two_copies_of_raw_and_one_of_the_rest() -> None:
    made = outlook(["baseline"], {"storage.tape_factor": 1.0})
    grown = need(made, "tape_pb", 2030) - need(made, "tape_pb", 2029)
    assert grown == pytest.approx(461, rel=0.01)


@pytest.mark.parametrize(
    ("key", "value", "low", "high"),
    [
        ("reco.speedup", 2.0, 0.5, 0.75),
        ("cpu.efficiency", 0.5, 1.999, 2.001),
        ("data.event_overlap_factor", 2.2, 1.2, 1.6),
        ("simulation.negative_weight_factor", 1.0, 0.8, 0.95),
        ("simulation.fast_chain.share", 0.5, 0.999, 1.001),
        ("passes.rereco", 0.0, 0.7, 0.9),
    ],
)
def test_what_a_change_does(key: str, value: float, low: float, high: float) -> None:
    assert low <= changed(key, value) <= high


def test_the_fast_chain_makes_simulation_and_reconstruction_of_mc_faster() -> None:
    sets = {"simulation.fast_chain.share": 0.5, "simulation.fast_chain.speedup": 10}
    fast, full = (outlook(["baseline"], one).scenarios[0].cpu_by_step for one in (sets, {}))
    for step, ratio in (("sim", 0.55), ("reco_mc", 0.55), ("gen", 1.0), ("digi", 1.0), ("prompt", 1.0)):
        assert fast[step][9] / full[step][9] == pytest.approx(ratio)


def test_rnd_does_not_reach_into_the_past() -> None:
    made = outlook(["baseline", "optimistic"], {"shutdown.data_years": 0, "shutdown.mc_years": 0})
    for resource in (CPU, "disk_pb", "tape_pb"):
        assert need(made, resource, 2024, 0) == need(made, resource, 2024, 1)
        assert need(made, resource, 2029, 0) > need(made, resource, 2029, 1)


def test_a_later_machine_moves_the_needs() -> None:
    now, later = (
        outlook(["baseline"]),
        outlook(["baseline"], {"schedule.shift_from": "run4", "schedule.shift_years": 2}),
    )
    assert need(later, CPU, 2031) == pytest.approx(need(now, CPU, 2029))
    assert need(later, CPU, 2028) < 0.3 * need(now, CPU, 2028)


def test_the_new_schedule_has_run_4_from_2030() -> None:
    made = outlook(["weighted-probable+schedule-2030"])
    data = dict(zip(made.years, made.scenarios[0].data_events, strict=True))
    assert data[2026] > 0
    assert data[2029] == 0
    assert data[2030] == pytest.approx(16.5e9)


def test_gpus_take_work_off_the_cpus_and_stay_out_of_their_columns() -> None:
    made = outlook(["weighted-probable", "weighted-probable+gpu-probable"])
    without, layer = made.scenarios
    index = made.years.index(2029)
    assert not without.gpu_khs06_years.any()
    left, before, moved = (
        layer.need(CPU)[index],
        without.need(CPU)[index],
        layer.gpu_khs06_years[index],
    )
    assert left == pytest.approx(before - moved * (1 - 0.02))
    assert layer.relative_cost[index] == pytest.approx(1 - moved / before * (1 - 1 / 2.8))


def test_offload_is_by_kernel_and_a_correlated_group_counts_once() -> None:
    def moved(sets: dict[str, Any]) -> float:
        made = outlook(["weighted-probable+gpu-optimistic"], {"gpu.kernel.geant4.share": 0, **sets})
        return float(made.scenarios[0].gpu_khs06_years[made.years.index(2029)])

    whole = moved({})
    assert moved({"gpu.kernel.hgcal-ml.share": 0}) == pytest.approx(whole)  # TICL does the same work
    assert moved({"gpu.kernel.particle-flow.share": 0}) == pytest.approx(whole * 25 / 32)
    assert moved({"gpu.use": "weighted"}) == pytest.approx(whole * 24.5 / 32)


def test_power_is_more_than_work_spread_over_the_year() -> None:
    made = outlook(["baseline"])
    first = made.scenarios[0]
    index = made.years.index(2029)
    assert first.cpu_power_khs06[index] > first.need(CPU)[index]


@settings(max_examples=25, deadline=None)
@given(st.floats(0.5, 3.0), st.integers(140, 200))
def test_needs_rise_with_the_time_of_an_event_and_with_pile_up(factor: float, pileup: int) -> None:
    parameters = load(["baseline"]).parameters
    keys = ("detector.phase2.time_hs06_s.reco_data.140", "detector.phase2.time_hs06_s.reco_mc.140")
    samples = {key: np.array([3126.0, 3126.0 * (1 + factor)]) for key in keys}
    samples["run.run4.pileup"] = np.array([float(pileup)] * 2)
    work = plan(parameters, samples)
    total = work.shown(work.work.total_hs06_s)[:, work.years.index(2029)]
    assert total[1] >= total[0]


def test_equal_assumptions_have_equal_digests() -> None:
    one, same, other = outlook(["baseline", "baseline", "optimistic"]).scenarios
    assert one.digest == same.digest != other.digest
    assert named("baseline").parameters == one.loaded.parameters
