"""CPU lists as the kernel writes them; anything else is no list."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capacity.fleet import cpulist


@given(st.sets(st.integers(0, 2000), min_size=1))
def test_lists_are_read_back(cpus: set[int]) -> None:
    assert cpulist.parse(cpulist.text_of(cpus)) == cpus


def test_kernel_notation() -> None:
    assert cpulist.text_of([3, 0, 1, 2, 8]) == "0-3,8"
    assert cpulist.parse("0-3, 8") == {0, 1, 2, 3, 8}


@pytest.mark.parametrize("text", [None, "", "3-1", "0-70000", "a", "1-", "-1", "0;1", "9" * 20, "0-99999"])
def test_what_is_no_list(text: str | None) -> None:
    assert cpulist.parse(text) is None
