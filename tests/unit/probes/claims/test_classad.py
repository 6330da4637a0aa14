"""The ClassAd reader: literals of the long form, and nothing that a hostile file could do to it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.claims import classad


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("Cpus = 8", 8),
        ("  LoadAvg=-1.5E+2 ", -150.0),
        ("Half = .5", 0.5),
        ("DynamicSlot = TRUE", True),
        ('Machine = "wn7.example.org"', "wn7.example.org"),
        (r'Rank = "a \"quoted\" word, a \\ and a \101"', 'a "quoted" word, a \\ and a A'),
        ('Empty = ""', ""),
    ],
)
def test_a_literal_is_read_with_its_type(line: str, value: object) -> None:
    ad = classad.parse(line)
    assert list(ad.literals.values()) == [value]
    assert type(next(iter(ad.literals.values()))) is type(value)


@pytest.mark.parametrize(
    "expression",
    [
        "MY.Cpus > 0",
        "{ GPUs_CUDA0 }",
        "undefined",
        "10 * 60",
        '"a" + "b"',
        "error",
        "1e999",
        "time()",
        '"cut off',
    ],
)
def test_an_expression_has_no_value_and_is_no_damage(expression: str) -> None:
    ad = classad.parse(f"Cpus = 2\nOther = {expression}\n")
    assert ad.literals == {"cpus": 2}
    assert ad.damaged_lines == 0


def test_names_ignore_case_and_the_last_line_counts() -> None:
    assert classad.parse("cpus = 1\nCPUS = 4\n").integer("Cpus") == 4


def test_damage_is_counted_and_the_rest_is_read() -> None:
    ad = classad.parse("Cpus = 2\n\x00\x01 garbage\n# a comment\n\n[ nested ]\nMemory = 512")
    assert (ad.integer("Cpus"), ad.integer("Memory"), ad.damaged_lines) == (2, 512, 2)


def test_a_wrong_type_is_no_answer() -> None:
    ad = classad.parse('Cpus = "8"\nMachine = 7\nFlag = true')
    assert ad.integer("Cpus") is None
    assert ad.integer("Flag") is None
    assert ad.text("Machine") is None


def test_lines_beyond_the_bounds_are_not_read() -> None:
    long_line = 'Long = "' + "x" * classad.MAX_LINE + '"'
    ad = classad.parse("\n".join([long_line, *["A = 1"] * classad.MAX_LINES, "Late = 1"]))
    assert ad.integer("A") == 1
    assert "long" not in ad.literals
    assert "late" not in ad.literals


@given(st.text())
def test_no_text_breaks_it(text: str) -> None:
    classad.parse(text)
    classad.parse(f"A = {text}")
