"""Numbers as pages print them."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capacity.web.format import age, coded, grouped, interval, number, percent, size, whole

N = "\u202f"


@pytest.mark.parametrize(
    ("value", "low", "high", "text"),
    [
        (12.34, 11.24, 13.44, "12.3 ± 1.1"),
        (12.0, 8.9, 16.2, "12.0 +4.2 −3.1"),
        (53_658.2, 49_366, 57_900, f"53{N}700 ± 4{N}300"),
        (1_234_567, 1_188_900, 1_280_200, f"1{N}235{N}000 ± 46{N}000"),
        (0.25, 0.03, 0.47, "0.25 ± 0.22"),
        (8.32, 7.86, 8.78, "8.32 ± 0.46"),
        (20.0, 20.0, 20.0, "20"),
        (0.0, 0.0, 0.0, "0"),
    ],
)
def test_interval_keeps_two_digits_of_the_arm(value: float, low: float, high: float, text: str) -> None:
    assert interval(value, low, high) == text


@given(st.floats(1e-3, 1e12), st.floats(0, 3), st.floats(0, 3))
def test_an_interval_always_has_a_text_that_begins_with_a_number(
    value: float, down: float, up: float
) -> None:
    text = interval(value, value * math.exp(-down), value * math.exp(up))
    assert text[0].isdigit()
    assert "nan" not in text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "—"),
        (math.nan, "—"),
        (math.inf, "—"),
        (0, "0"),
        (1234567, f"1{N}234{N}567"),
        (3.14159, "3.14"),
        (0.00123456, "0.00123"),
        (-2.5, "−2.5"),
        (99.96, "100"),
    ],
)
def test_number(value: float | None, text: str) -> None:
    assert number(value) == text


def test_whole_has_no_decimals() -> None:
    assert whole(16849.0645) == f"16{N}849"
    assert whole(None) == "—"


def test_size_is_binary() -> None:
    assert size(15_125_254_144) == f"14.1{N}GiB"
    assert size(512) == f"512{N}B"
    assert size(None) == "—"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(3, "less than a minute"), (61, f"1{N}min"), (7200, f"2{N}h"), (3 * 86400 + 5, f"3{N}d")],
)
def test_age_is_in_the_largest_unit(seconds: float, text: str) -> None:
    assert age(seconds) == text


def test_percent() -> None:
    assert percent(0.1234, 1) == f"12.3{N}%"
    assert percent(None) == "—"
    assert grouped(-1234.5, 1) == f"−1{N}234.5"


def test_backticks_become_code_and_everything_is_escaped() -> None:
    assert coded("run `agent <bench>` & wait") == "run <code>agent &lt;bench&gt;</code> &amp; wait"
    assert coded("one ` only <b>") == "one ` only &lt;b&gt;"
