"""When probes are due: each its own period, jitter within its bound, nothing forgotten."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from agent.daemon.schedule import LONGEST_RETRY_S, Schedule, periods_of, retry_after_s
from agent.daemon.settings import DaemonSettings
from tests.unit.probes.small_probes import a_probe

LOCAL, OUTSIDE = a_probe(name="local"), replace(a_probe(name="outside"), uses_network=True)


def begin(**settings: object) -> Schedule:
    return Schedule.begin((LOCAL, OUTSIDE), DaemonSettings.model_validate(settings), 1000.0, Random(1))


def test_a_probe_has_its_own_period() -> None:
    settings = DaemonSettings(period_s=100, network_period_s=200, periods_s={"local": 50})
    assert periods_of((LOCAL, OUTSIDE), settings) == {"local": 50, "outside": 200}


def test_local_probes_begin_at_once_and_network_probes_are_spread() -> None:
    schedule = begin(spread_s=600, period_s=100)
    assert schedule.due(1000.0) == {"local"}
    assert 1000 < schedule.due_s["outside"] <= 1600


@given(st.integers(), st.floats(0, 0.5), st.floats(0, 1e9))
def test_the_next_look_is_a_period_later_give_or_take_the_jitter(
    seed: int, jitter: float, now_s: float
) -> None:
    schedule = begin(jitter=jitter, period_s=100, spread_s=0)
    next_s = schedule.ran(["local"], now_s, Random(seed)).due_s["local"]
    assert now_s + 100 * (1 - jitter) - 1e-6 <= next_s <= now_s + 100 * (1 + jitter) + 1e-6


def test_what_would_be_due_soon_is_taken_along_but_starts_nothing() -> None:
    schedule = begin(period_s=100, network_period_s=100, spread_s=0, jitter=0)
    schedule = schedule.ran(["local"], 1000.0, Random(1)).ran(["outside"], 1009.0, Random(1))
    assert schedule.due(1099.9) == set()
    assert schedule.due(1100.0) == {"local", "outside"}
    assert schedule.next_s() == 1100.0


def test_over_a_year_each_probe_runs_as_often_as_its_period_says() -> None:
    schedule, chance, now_s = begin(period_s=3600, network_period_s=7200, jitter=0.1), Random(7), 1000.0
    looks = {"local": 0, "outside": 0}
    while now_s < 1000.0 + 365 * 86_400:
        due = schedule.due(now_s)
        for name in due:
            looks[name] += 1
        schedule = schedule.ran(due, now_s, chance)
        now_s = max(schedule.next_s(), now_s)
    assert 8760 * 0.98 < looks["local"] < 8760 * 1.11
    assert 4380 * 0.98 < looks["outside"] < 4380 * 1.11


def test_a_look_can_be_moved_forward_and_put_off() -> None:
    schedule = begin(spread_s=0).ran(["local", "outside"], 1000.0, Random(1))
    sooner = schedule.again(["local", "nobody"], 1060.0)
    assert sooner.due_s["local"] == 1060.0
    assert sooner.again(["local"], 2000.0).due_s["local"] == 1060.0
    assert schedule.put_off(["local"], 99_999.0).due_s["local"] == 99_999.0


@given(st.integers(1, 10_000), st.integers())
def test_attempts_that_fail_become_rarer_and_never_stop(failures: int, seed: int) -> None:
    pause_s = retry_after_s(failures, Random(seed))
    assert 15 <= pause_s <= LONGEST_RETRY_S
    assert failures < 9 or pause_s >= LONGEST_RETRY_S / 2
