"""What fits into the time: less of everything before nothing of something, and never more than there is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.pilot.duration import seconds, shown
from agent.pilot.plan import ENDING_S, LEAST_KERNEL_S, Mode, TooShortError, plan_bench, share_out

KERNELS = ("clue", "mkfit", "pixeltrack", "vertexing")
EACH_S: dict[Mode, float] = {"quick": 13.0, "default": 41.25, "thorough": 300.0}


@pytest.mark.parametrize(
    ("text", "expected"), [("90", 90), ("90s", 90), ("5m", 300), ("1.5h", 5400), (" 2 m ", 120)]
)
def test_durations_as_people_write_them(text: str, expected: float) -> None:
    assert seconds(text) == expected


@pytest.mark.parametrize("text", ["", "0", "0m", "-5m", "5 d", "nan", "inf", "1e3", "5m30s", "٣m"])
def test_what_is_no_duration_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="such as 90s, 5m or 1h"):
        seconds(text)


def test_durations_in_a_sentence() -> None:
    assert [shown(value) for value in (42.4, 300, 12_600)] == ["42 s", "5 min", "3.5 h"]


def share(budget_s: float, life_s: float | None, **changes: float) -> float:
    given = {"margin_s": 15.0, "probes_s": 60.0, **changes}
    return share_out(budget_s, life_s, life_source="slurm", **given).total_s  # type: ignore[arg-type]


def test_the_budget_bounds_a_long_slot_and_the_slot_a_long_budget() -> None:
    assert share(300, None) == 300
    assert share(300, 86_400) == 300
    assert share(300, 100) == 85
    assert share(300, None, spent_s=4) == 296


def test_the_margin_takes_at_most_half_of_a_short_life() -> None:
    assert share(300, 20) == 10


def test_a_slot_that_ends_at_once_is_refused_with_its_end() -> None:
    with pytest.raises(TooShortError, match=r"the end of the slot in 1 s \(slurm\)"):
        share(300, 1.4)
    with pytest.raises(TooShortError, match="in 0 s"):
        share(300, -60)


@given(st.floats(1.0, 86_400), st.none() | st.floats(-100, 1e6), st.floats(0, 3600))
def test_the_parts_are_never_more_than_the_whole(
    budget_s: float, life_s: float | None, margin_s: float
) -> None:
    try:
        times = share_out(budget_s, life_s, life_source="mjf", margin_s=margin_s, probes_s=60.0)
    except TooShortError:
        return
    assert times.total_s <= budget_s
    assert life_s is None or times.total_s <= life_s
    assert 0 < times.hand_over_s <= times.total_s / 3
    assert 0 < times.probe_s <= times.measure_s


def test_with_time_for_it_all_kernels_are_measured_as_thoroughly_as_wanted() -> None:
    plan = plan_bench(400, KERNELS, "auto", EACH_S)
    assert (plan.mode, plan.budget_s, plan.kernels, plan.reasons) == ("default", 165.0, KERNELS, ())
    assert plan_bench(1300, KERNELS, "thorough", EACH_S).mode == "thorough"
    assert plan_bench(1300, KERNELS, "quick", EACH_S).mode == "quick"


def test_with_less_time_all_kernels_are_measured_quickly() -> None:
    plan = plan_bench(100, KERNELS, "auto", EACH_S)
    assert (plan.mode, plan.kernels, plan.reasons) == ("quick", KERNELS, ())
    assert plan.budget_s == 100 - ENDING_S, "time that is left buys repeats"


def test_with_still_less_time_the_last_kernels_are_left_out_and_named() -> None:
    plan = plan_bench(16, KERNELS, "auto", EACH_S)
    assert (plan.mode, plan.kernels) == ("quick", ("clue", "mkfit"))
    assert plan.reasons == ("no time to benchmark pixeltrack, vertexing",)


def test_without_time_nothing_is_measured_and_that_is_said() -> None:
    plan = plan_bench(7, KERNELS, "auto", EACH_S)
    assert (plan.mode, plan.kernels) == (None, ())
    assert plan.reasons == ("not benchmarked: 5 s are left and one kernel needs 7 s",)
    assert plan_bench(-5, KERNELS, "auto", EACH_S).mode is None


def test_what_was_wanted_and_is_not_done_is_said_and_what_was_not_wanted_is_not() -> None:
    assert plan_bench(100, KERNELS, "default", EACH_S).reasons == (
        "the default benchmark needs 2.75 min and 98 s are left: quick",
    )
    assert plan_bench(5, KERNELS, "none", EACH_S).reasons == ()


@given(st.floats(-100, 1e5), st.integers(0, 6), st.sampled_from(["auto", "quick", "default", "thorough"]))
def test_a_plan_fits_and_gives_each_kernel_its_least(left_s: float, number: int, wanted: str) -> None:
    names = tuple(f"k{place}" for place in range(number))
    plan = plan_bench(left_s, names, wanted, EACH_S)  # type: ignore[arg-type]
    assert plan.kernels == names[: len(plan.kernels)]
    if plan.mode is None:
        assert not plan.kernels
    else:
        assert plan.budget_s + ENDING_S <= left_s + 1e-6
        assert plan.budget_s >= LEAST_KERNEL_S * len(plan.kernels) - 1e-6
    assert bool(plan.reasons) or len(plan.kernels) == number
