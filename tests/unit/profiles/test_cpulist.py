"""The kernel's notation for sets of CPUs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiles import cpulist


@pytest.mark.parametrize(
    ("text", "cpus"), [("0-3,8\n", {0, 1, 2, 3, 8}), ("5", {5}), ("", set()), ("0-1, 4-5", {0, 1, 4, 5})]
)
def test_lists_are_read(text: str, cpus: frozenset[int] | set[int]) -> None:
    assert cpulist.parse(text) == frozenset(cpus)


@pytest.mark.parametrize(
    "text", ["3-1", "-1", "0-", "a", "0-99999999", "0,,1", "\ufffd", "1" * 5000, "0;1", "0-70000"]
)
def test_what_is_no_list_is_none(text: str) -> None:
    assert cpulist.parse(text) is None


@pytest.mark.parametrize("text", ["0-3,8", "5", "", "0-1,4-5,9", "2,4"])
def test_a_list_is_written_as_the_kernel_writes_it(text: str) -> None:
    cpus = cpulist.parse(text)

    assert cpus is not None
    assert cpulist.text_of(cpus) == text


@given(st.sets(st.integers(0, 2000)))
def test_any_set_is_read_back(cpus: set[int]) -> None:
    assert cpulist.parse(cpulist.text_of(cpus)) == cpus
