"""A benchmark of the daemon must not hurt anybody: every reason to refuse one, alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.daemon.bench_gate import CpuTimes, Situation, in_hours, others_share, refusal
from agent.daemon.settings import BenchGateSettings

NIGHT = datetime(2026, 11, 23, 23, 30, tzinfo=UTC)
ALLOWED = BenchGateSettings(allowed=True)


def at(**more: Any) -> Situation:
    good: dict[str, Any] = {
        "now": NIGHT,
        "last": NIGHT - timedelta(days=8),
        "watched_since": NIGHT - timedelta(days=30),
        "load_1min": 0.3,
        "load_5min": 0.4,
        "cpus": 64,
        "busy_share": 0.01,
    }
    return Situation(**{**good, **more})


def test_off_unless_allowed() -> None:
    assert refusal(at(), BenchGateSettings()) == "daemon.bench.allowed is off"
    assert refusal(at(), ALLOWED) is None


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"now": NIGHT.replace(hour=12)}, "outside the quiet hours 22:00-05:00"),
        ({"last": NIGHT - timedelta(days=6, hours=23)}, "the next may on"),
        ({"last": None, "watched_since": NIGHT - timedelta(days=1)}, "no note of the last one"),
        ({"load_1min": 12.9}, "the node works: load averages 12.90"),
        ({"load_5min": 12.9}, "the node works"),
        ({"busy_share": 0.25}, "25% of its CPU time"),
        ({"busy_share": None}, "cannot be read"),
        ({"load_1min": None}, "cannot be read"),
    ],
)
def test_each_reason_alone_is_enough(more: dict[str, Any], says: str) -> None:
    assert says in str(refusal(at(**more), ALLOWED))


def test_by_default_never_twice_a_week() -> None:
    began: list[datetime] = []
    now = datetime(2026, 1, 1, tzinfo=UTC)
    for _ in range(24 * 365):
        now += timedelta(hours=1)
        situation = at(
            now=now, last=began[-1] if began else None, watched_since=datetime(2026, 1, 1, tzinfo=UTC)
        )
        if refusal(situation, ALLOWED) is None:
            began.append(now)
    assert len(began) >= 50, "it does benchmark"
    assert began[0] >= datetime(2026, 1, 8, tzinfo=UTC), "a lost note counts as one"
    assert all(b - a >= timedelta(days=7) for a, b in pairwise(began))


def test_a_note_of_the_future_is_none() -> None:
    """A clock that was set back must neither benchmark at once nor never again."""
    ahead = at(last=NIGHT + timedelta(days=900), watched_since=NIGHT)
    assert "no note" in str(refusal(ahead, ALLOWED))
    assert refusal(ahead._replace(watched_since=NIGHT - timedelta(days=7)), ALLOWED) is None


@pytest.mark.parametrize(
    ("hours", "inside", "outside"),
    [
        ("22:00-05:00", ["22:00", "23:59", "00:00", "04:59"], ["05:00", "12:00", "21:59"]),
        ("09:30-17:00", ["09:30", "16:59"], ["09:29", "17:00", "00:00"]),
        ("00:00-00:00", ["00:00", "12:34"], []),
    ],
)
def test_quiet_hours(hours: str, inside: list[str], outside: list[str]) -> None:
    def moment(text: str) -> datetime:
        return datetime(2026, 1, 1, int(text[:2]), int(text[3:]), 30, tzinfo=UTC)

    assert all(in_hours(moment(text), hours) for text in inside)
    assert not any(in_hours(moment(text), hours) for text in outside)


def test_what_others_use_is_what_is_not_ours() -> None:
    before, after = CpuTimes(100.0, 1000.0, 50.0), CpuTimes(110.0, 1060.0, 90.0)
    assert others_share(before, after, 8) == pytest.approx(20 / 80)
    assert others_share(before, before, 8) is None


@given(*[st.floats(0, 1e6) for _ in range(4)])
def test_a_share_is_a_share(busy_a: float, busy_b: float, own_a: float, own_b: float) -> None:
    found = others_share(CpuTimes(0, busy_a, own_a), CpuTimes(1, busy_b, own_b), 2)
    assert found is not None
    assert 0 <= found <= 1


def test_settings_refuse_what_is_no_time_of_day() -> None:
    with pytest.raises(ValueError, match="times of day in UTC"):
        BenchGateSettings(quiet_hours_utc="22-05")
    with pytest.raises(ValueError, match="greater than or equal to 1"):
        BenchGateSettings(every_days=0)
