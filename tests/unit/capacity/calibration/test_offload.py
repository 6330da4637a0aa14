"""The formulas of effective capacity, held by their check figures; pools between their bounds."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capacity.hs06.offload import Node, Offload, Step, effective, equivalent, node_mix, offload, pool

F = 0.245
EPS = 0.02


@pytest.mark.parametrize(("gpu", "capacity"), [(600, 1290.3), (200, 1183.7), (0, 1000.0)])
def test_check_figures_of_one_node(gpu: float, capacity: float) -> None:
    assert effective(1000, Offload(F, gpu), EPS) == pytest.approx(capacity, abs=0.05)


@pytest.mark.parametrize(("share", "cap"), [(0.245, 1.325), (0.32, 1.471)])
def test_amdahl_caps_what_any_gpu_can_give(share: float, cap: float) -> None:
    assert effective(1, Offload(share, 1e9), 0.0) == pytest.approx(cap, abs=5e-4)


def test_six_hundred_is_bound_by_the_cpu_and_two_hundred_by_the_gpu() -> None:
    assert effective(1000, Offload(F, 600), EPS) == pytest.approx(1000 / (1 - F + EPS))
    assert effective(1000, Offload(F, 200), EPS) == pytest.approx(1000 + 200 * (1 - EPS / F))


def test_equivalent_is_a_number_of_nodes_times_their_score() -> None:
    assert equivalent(3000, 1000, 500) == 1500
    assert equivalent(3000, 1000, 500, usable_share=1 / 7) == pytest.approx(1500 / 7)


def test_equivalent_by_a_reference_host_is_the_same_formula() -> None:
    """c = B_ref / T_ref in HS23 s/event: T_gpu × c × a."""
    c = 1018 / 250
    assert equivalent(3000, 250, 1018, 0.5) == pytest.approx(3000 * c * 0.5)


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        ((0, 1, 1), "above 0"),
        ((1, 0, 1), "above 0"),
        ((1, 1, 0), "above 0"),
        ((1, 1, 1, 1.5), "between 0 and 1"),
    ],
)
def test_nonsense_is_refused(arguments: tuple[float, ...], what: str) -> None:
    with pytest.raises(ValueError, match=what):
        equivalent(*arguments)


@pytest.mark.parametrize(("share", "overhead"), [(1.0, 0.0), (0.2, 0.2), (0.2, -0.1), (1.2, 0.0)])
def test_impossible_shares_are_refused(share: float, overhead: float) -> None:
    with pytest.raises(ValueError, match="offloaded share"):
        effective(1000, Offload(share, 100), overhead)


def test_gpus_spend_their_time_on_the_mixture() -> None:
    """Two algorithms of 5 %, one at E = 1000, the other at 250: G = 0.1 / (0.05/1000 + 0.05/250) = 400."""
    part = offload({"a": 0.05, "b": 0.05}, {"a": 1000.0, "b": 250.0})
    assert part == pytest.approx((0.1, 400.0))


def test_what_was_not_measured_stays_on_the_cpu() -> None:
    assert offload({"a": 0.05, "b": 0.05}, {"a": 1000.0}) == pytest.approx((0.05, 1000.0))
    assert offload({"a": 0.05}, {}) == (0.0, 0.0)


def test_a_node_that_does_all_steps_is_their_harmonic_mean() -> None:
    node = Node(1000.0, {"a": 600.0})
    steps = (Step(0.5, EPS, {"a": F}), Step(0.5, 0.0, {}))
    assert node_mix(node, steps) == pytest.approx(1 / (0.5 / 1290.3226 + 0.5 / 1000))


def test_a_pool_with_one_gpu_node_gains_more_when_work_is_steered() -> None:
    gpu, cpu = Node(1000.0, {"a": 600.0}), Node(1000.0, {})
    steps = (Step(1.0, EPS, {"a": F}),)
    lower, upper = pool([gpu, cpu], steps)
    assert lower == pytest.approx(1290.3226 + 1000)
    assert upper == pytest.approx(min(2000 / (1 - F + EPS), 2000 + 600 * (1 - EPS / F)))
    assert upper > lower


def test_a_pool_of_a_mix_uses_the_shares_of_the_whole_mix() -> None:
    gpu = Node(1000.0, {"a": 50.0})
    steps = (Step(0.6, EPS, {"a": F}), Step(0.4, 0.0, {}))
    _, upper = pool([gpu], steps)
    share, overhead = 0.6 * F, 0.6 * EPS
    assert upper == pytest.approx(min(1000 / (1 - share + overhead), 1000 + 50 * (1 - overhead / share)))


def test_overhead_above_what_is_saved_leaves_the_gpu_idle() -> None:
    assert node_mix(Node(1000.0, {"a": 1e6}), [Step(1.0, 0.05, {"a": 0.04})]) == 1000
    assert pool([Node(1000.0, {"a": 1e6})], [Step(1.0, 0.05, {"a": 0.04})]) == (1000, 1000)


shares = st.floats(0.01, 0.3)
scores = st.floats(1.0, 1e5)


@given(
    st.lists(st.tuples(scores, scores, scores), min_size=1, max_size=5), shares, shares, st.floats(0, 0.009)
)
def test_bounds_of_a_pool(
    values: list[tuple[float, float, float]], a: float, b: float, overhead: float
) -> None:
    nodes = [Node(cpu, {"a": x, "b": y}) for cpu, x, y in values]
    steps = (Step(0.7, overhead, {"a": a, "b": b}), Step(0.3, 0.0, {}))
    lower, upper = pool(nodes, steps)
    base = math.fsum(node.cpu_hs23 for node in nodes)
    cap = 1 / (1 - 0.7 * (a + b) + 0.7 * overhead)
    assert base * (1 - 1e-9) <= lower <= upper * (1 + 1e-9)
    assert upper <= base * cap * (1 + 1e-9)
