"""Outliers are found among like nodes only, and the ones that are looked for do not hide themselves."""

from __future__ import annotations

from itertools import count

import pytest

from capacity.fleet.outliers import LEAST_NODES, LikeNode, finding, outliers

_numbers = count()


def node(hs23_per_core: float, cpu_key: str = "epyc 7702", cpus: int = 256) -> LikeNode:
    return LikeNode("T2_LV_Example", f"{next(_numbers):032x}", cpu_key, cpus, hs23_per_core)


def test_a_slow_node_is_found() -> None:
    slow = node(8.0)
    found = outliers([node(value) for value in (12.0, 12.1, 11.9, 12.05, 11.95, 12.2)] + [slow])

    assert [one.node for one in found] == [slow]
    assert found[0].ratio == pytest.approx(2 / 3, rel=0.01)
    assert finding(found[0]).code == "outlier-slow"
    assert "33% slower than the median of 7 nodes" in finding(found[0]).says


def test_a_third_of_broken_nodes_does_not_hide_them() -> None:
    broken = [node(6.0), node(6.1), node(5.9)]
    good = [node(12.0 + 0.05 * i) for i in range(7)]

    assert {one.node for one in outliers(good + broken)} == set(broken)


def test_other_models_and_other_counts_are_no_likes() -> None:
    assert outliers([node(12.0)] * 5 + [node(6.0, "xeon e5-2630 v3"), node(6.0, cpus=128)]) == []


def test_noise_of_equal_nodes_makes_no_outliers() -> None:
    assert outliers([node(12.0)] * 20 + [node(12.5), node(11.5)]) == []


def test_few_nodes_say_nothing() -> None:
    assert outliers([node(12.0)] * (LEAST_NODES - 2) + [node(2.0)]) == []


def test_a_fast_node_is_told_as_such() -> None:
    found = outliers([node(12.0)] * 6 + [node(20.0)])

    assert finding(found[0]).code == "outlier-fast"
