"""Runs on the node itself, whole or in part, HS23 or HS06."""

from __future__ import annotations

import pytest

from capacity.hs06 import measured
from capacity.hs06.model import CpuDescription
from tests.unit.capacity.hs06.nodes import E5_2683, EPYC_7302, hs23


def test_a_full_run_is_the_truth() -> None:
    rung = measured.rung_of((hs23(998.4, 64),), EPYC_7302)
    assert rung.hs23_per_core == pytest.approx(15.6)
    assert rung.sigma == pytest.approx(0.01)


def test_a_part_of_the_node_is_brought_down_and_widened() -> None:
    rung = measured.rung_of((hs23(8 * 30.0, 8),), EPYC_7302)
    assert rung.hs23_per_core is not None
    assert 30.0 / 2.2 < rung.hs23_per_core < 30.0 / 1.7
    assert (rung.sigma or 0) > 0.13
    assert "times as fast as on the full node" in rung.says


def test_runs_with_more_cpus_than_the_node_has_are_shown_and_not_used() -> None:
    rung = measured.rung_of(
        (hs23(998, 64),), EPYC_7302.model_copy(update={"logical_cpus": 32, "threads_per_core": 1})
    )
    assert rung.hs23_per_core is None
    assert "another state" in (rung.reason or "")
    assert rung.inputs


def test_hs06_is_converted_and_never_better_than_seven_percent() -> None:
    new = measured.rung_of((hs23(1000, 64, kind="HS06"),), EPYC_7302)
    old = measured.rung_of((hs23(1000, 64, kind="HS06"),), E5_2683.model_copy(update={"model_name": "Intel(R) Xeon(R) CPU E5-2670 0 @ 2.60GHz"}))  # fmt: skip
    assert new.hs23_per_core == pytest.approx(0.938 * 1000 / 64)
    assert old.hs23_per_core == pytest.approx(0.859 * 1000 / 64)
    assert (new.sigma or 0) >= 0.07
    assert (old.sigma or 0) >= 0.112


def test_repeats_narrow_nothing_and_contradictions_widen() -> None:
    once = measured.rung_of((hs23(1000, 64),), EPYC_7302)
    thrice = measured.rung_of(tuple(hs23(total, 64) for total in (999, 1000, 1001)), EPYC_7302)
    apart = measured.rung_of((hs23(700, 64), hs23(1000, 64)), EPYC_7302)
    assert thrice.sigma == once.sigma
    assert (apart.sigma or 0) > 0.1


def test_without_a_run_there_is_a_reason() -> None:
    rung = measured.rung_of((), CpuDescription())
    assert rung.hs23_per_core is None
    assert rung.reason
