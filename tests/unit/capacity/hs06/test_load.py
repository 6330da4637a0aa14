"""The shape of a partly loaded node."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capacity.hs06 import load
from capacity.hs06.catalogue import Catalogue


@pytest.mark.parametrize(("loaded", "score"), [(8, 30.4), (128, 24.7), (192, 18.8), (256, 14.1)])
def test_the_scan_itself_comes_back(loaded: int, score: float) -> None:
    assert load.shape(loaded / 256, smt_on=True).factor == pytest.approx(score / 14.1)


def test_without_smt_the_scan_ends_at_one_thread_a_core() -> None:
    assert load.shape(8 / 128, smt_on=False).factor == pytest.approx(30.4 / 24.7)
    assert load.shape(96 / 128, smt_on=False).factor == pytest.approx(27.1 / 24.7)


def test_a_full_node_needs_no_correction() -> None:
    for smt_on in (False, True):
        assert load.shape(1.0, smt_on=smt_on) == load.Shape(1.0, 0.0)


@given(st.floats(0.001, 1), st.floats(0.001, 1), st.booleans())
def test_fewer_loaded_cpus_run_faster_and_tell_less(a: float, b: float, smt_on: bool) -> None:
    fewer, more = (load.shape(share, smt_on=smt_on) for share in sorted((a, b)))
    assert fewer.factor >= more.factor >= 1
    assert fewer.sigma >= more.sigma
    # And yet the total never falls when more CPUs are loaded (the scan saturates at 192 threads, within 1 %).
    assert fewer.factor * min(a, b) <= more.factor * max(a, b) * 1.01 or min(a, b) < load.LEAST_SHARE


@pytest.mark.parametrize("share", [0.0, -0.1, 1.01, math.nan, math.inf])
def test_a_share_that_is_none_is_refused(share: float) -> None:
    with pytest.raises(ValueError, match="share of loaded CPUs"):
        load.shape(share, smt_on=True)


def test_one_thread_a_core_agrees_with_published_smt_pairs() -> None:
    """Half of the CPUs of an SMT node is one thread a core: SMT-off rows of the same model are the independent truth."""
    table = [row for row in Catalogue.shipped().rows if row.left_out is None and row.hs23_per_core]
    pairs = [
        math.log((off.hs23_per_core or 0) / (on.hs23_per_core or 1))
        for off in table
        for on in table
        if off.key == on.key and off.smt_on is False and on.smt_on and on.logical_cpus == 2 * off.logical_cpus
    ]
    half = load.shape(0.5, smt_on=True)
    inside = sum(abs(pair - math.log(half.factor)) <= half.sigma for pair in pairs) / len(pairs)
    assert len(pairs) >= 20
    assert inside >= 0.68
