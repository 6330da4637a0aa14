from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.delivery.retry import pause_s, retry_after_s

NOW = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)


def asked(**headers: str) -> float | None:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return retry_after_s(named, max_s=3600, now=NOW)


@pytest.mark.parametrize(
    ("headers", "wanted"),
    [
        ({"retry_after": "7"}, 7),
        ({"retry_after": "0"}, 0),
        ({"retry_after": "99999999999999999999999999"}, 3600),
        ({"retry_after": "Mon, 23 Nov 2026 12:02:00 GMT"}, 120),
        ({"retry_after": "Monday, 23-Nov-26 12:02:00 GMT"}, 120),
        ({"retry_after": "Mon, 23 Nov 2026 11:00:00 GMT"}, 0),
        ({"retry_after": "Tue, 23 Nov 2027 11:00:00 GMT"}, 3600),
        # This node's clock is an hour off: the two dates of the service tell the span.
        ({"retry_after": "Mon, 23 Nov 2026 13:00:30 GMT", "date": "Mon, 23 Nov 2026 13:00:00 GMT"}, 30),
        ({"retry_after": "soon"}, None),
        ({"retry_after": "-5"}, None),
        ({"retry_after": "1.5"}, None),
        ({"retry_after": "٣"}, None),
        ({}, None),
    ],
)
def test_both_forms_of_retry_after(headers: dict[str, str], wanted: float | None) -> None:
    assert asked(**headers) == wanted


def pause(failures: int, random: float = 0.0, retry_after: float | None = None) -> float:
    return pause_s(failures, first_s=1, max_s=60, retry_after_s=retry_after, random=random)


def test_doubles_up_to_its_bound() -> None:
    assert [pause(number) for number in range(1, 9)] == [0.5, 1, 2, 4, 8, 16, 30, 30]
    assert pause(10_000) == 30


@given(failures=st.integers(1, 200), random=st.floats(0, 1, exclude_max=True))
def test_a_half_is_chance_and_the_bound_holds(failures: int, random: float) -> None:
    ceiling = min(60.0, 2.0 ** (failures - 1))
    assert ceiling / 2 <= pause(failures, random) <= ceiling


@given(failures=st.integers(1, 200), random=st.floats(0, 1, exclude_max=True), asked_s=st.floats(0, 3600))
def test_never_before_the_service_said(failures: int, random: float, asked_s: float) -> None:
    assert pause(failures, random, asked_s) >= asked_s
    assert pause(failures, random, asked_s) >= pause(failures, random)


def test_agents_that_were_told_the_same_second_do_not_come_in_it() -> None:
    assert len({pause(1, random / 10, 30) for random in range(10)}) == 10
