"""One safe line out of any text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.render.plain import number_text, one_line
from tests.unit.agent.render.made import HOSTILE


@given(st.text(), st.integers(min_value=1, max_value=50))
def test_any_text_is_one_line_within_its_width(text: str, width: int) -> None:
    line = one_line(text, width)
    assert len(line) <= width
    assert len(line.splitlines()) <= 1


def test_terminal_and_direction_controls_are_gone() -> None:
    assert not set(one_line(HOSTILE)) & set("\x1b\n\r\u202e\u2028")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1, "1"),
        (1.5, "1.5"),
        (2e9, "2000000000"),
        (0.1 + 0.2, "0.3"),
        (True, None),
        ("7", None),
        (float("inf"), None),
    ],
)
def test_numbers_are_plain_decimals(value: float | str, text: str | None) -> None:
    assert number_text(value) == text


def test_any_line_can_be_written_as_utf8() -> None:
    assert one_line("a\udcffb\uffff").encode("utf-8").decode("utf-8") == "a\ufffdb\ufffd"
