"""The ladder and its rules."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capacity.hs06.estimate import SLOT_SIGMA, Estimator
from capacity.hs06.model import CpuDescription, Estimate, MeasuredScore, Method, NodeEvidence, PayloadScore
from tests.unit.capacity.hs06.nodes import (
    E5_2683,
    EPYC_7302,
    GOLD_6140,
    MILAN_VM,
    POWER9,
    Payloads,
    hs23,
    node,
    score,
    slot,
)

PLAIN = Estimator.shipped()


def codes(estimate: Estimate) -> set[str]:
    return {finding.code for finding in estimate.findings}


def test_all_rungs_are_shown_best_first_each_with_a_figure_or_a_reason() -> None:
    for evidence in (node(EPYC_7302), node(POWER9), node(CpuDescription()), slot(MILAN_VM, 1)):
        estimate = PLAIN.estimate(evidence)
        assert [rung.method for rung in estimate.rungs] == list(Method)
        for rung in estimate.rungs:
            assert (rung.hs23_per_core is None) == (rung.reason is not None)
            assert rung.says


@pytest.mark.parametrize(
    ("evidence", "method"),
    [
        (node(EPYC_7302, measured=(hs23(990, 64),)), Method.MEASURED),
        (node(EPYC_7302), Method.CATALOGUE),
        (node(MILAN_VM), Method.FAMILY),
        (node(POWER9), Method.DEFAULT),
        (node(CpuDescription()), Method.DEFAULT),
    ],
)
def test_the_best_rung_wins(evidence: NodeEvidence, method: Method) -> None:
    assert PLAIN.estimate(evidence).method is method


def test_a_dedicated_node_has_scope_and_node_figures() -> None:
    estimate = PLAIN.estimate(node(EPYC_7302))
    assert estimate.hs23_node == pytest.approx(64 * estimate.hs23_per_core)
    assert estimate.hs23_scope == estimate.hs23_node
    assert estimate.low < estimate.hs23_per_core < estimate.high
    assert estimate.low * estimate.high == pytest.approx(estimate.hs23_per_core**2)
    assert not codes(estimate)


def test_a_slot_is_flagged_widened_and_never_multiplied_up() -> None:
    whole, part = PLAIN.estimate(node(EPYC_7302)), PLAIN.estimate(slot(EPYC_7302, 8))
    assert part.hs23_scope == pytest.approx(8 * part.hs23_per_core)
    assert part.hs23_node is None
    assert part.sigma == pytest.approx(math.hypot(whole.sigma, SLOT_SIGMA))
    assert "part-of-node" in codes(part)
    assert any("0.86 to 1.41" in step for step in part.steps)
    assert any("not multiplied up" in step for step in part.steps)


def test_a_slot_that_has_the_whole_node_has_a_node_figure_but_stays_widened() -> None:
    estimate = PLAIN.estimate(slot(EPYC_7302, 64))
    assert estimate.hs23_node is not None
    assert estimate.sigma > SLOT_SIGMA
    assert "part-of-node" not in codes(estimate)


def test_the_widening_is_that_of_production_slots() -> None:
    """5-95 % of 0.86-1.41 is ±1.645 sigma around the middle of their logarithms."""
    middle = math.log(0.86 * 1.41) / 2
    assert math.exp(middle + 1.645 * SLOT_SIGMA) == pytest.approx(1.41)
    assert math.exp(middle - 1.645 * SLOT_SIGMA) == pytest.approx(0.86)


def test_virtual_machines_are_flagged_and_wide() -> None:
    estimate = PLAIN.estimate(node(MILAN_VM))
    family = next(rung for rung in estimate.rungs if rung.method is Method.FAMILY)
    assert "virtual-machine" in codes(estimate)
    assert estimate.sigma == pytest.approx(math.hypot(family.sigma or 0, SLOT_SIGMA))
    assert any("This is a virtual machine" in step for step in estimate.steps)


def test_ppc64le_is_uncalibrated_until_somebody_measures_or_calibrates() -> None:
    estimate = PLAIN.estimate(node(POWER9))
    assert not estimate.calibrated
    assert "not-calibrated" in codes(estimate)
    assert estimate.hs23_per_core == 10.0
    assert estimate.sigma > 0.5
    measured = PLAIN.estimate(node(POWER9, measured=(hs23(1500, 128),)))
    assert measured.calibrated
    assert measured.hs23_per_core == pytest.approx(1500 / 128, rel=0.01)
    proven = Estimator(PLAIN.catalogue, PLAIN.family, Payloads(12.0, 0.1))
    assert proven.estimate(node(POWER9, scores=(score(),))).calibrated
    provisional = Estimator(PLAIN.catalogue, PLAIN.family, Payloads(12.0, 0.25, provisional=True))
    assert not provisional.estimate(node(POWER9, scores=(score(),))).calibrated


def test_a_measured_node_that_is_not_like_its_model_keeps_its_own_figure() -> None:
    estimate = PLAIN.estimate(node(E5_2683, measured=(hs23(328.2, 64),)))
    assert estimate.hs23_node == pytest.approx(328.2)
    assert estimate.sigma <= 0.011
    (finding,) = (f for f in estimate.findings if f.code == "slow-for-model")
    assert finding.level == "problem"
    assert any("contradicts what was measured" in step for step in estimate.steps)


def test_a_measured_node_like_its_model_hardly_moves() -> None:
    estimate = PLAIN.estimate(node(EPYC_7302, measured=(hs23(1000, 64),)))
    assert estimate.hs23_node == pytest.approx(1000, rel=0.01)
    assert estimate.sigma <= 0.01
    assert "slow-for-model" not in codes(estimate)


def test_prior_and_payload_are_combined_in_log_space_by_precision() -> None:
    payloads = Payloads(12.0, 0.15)
    prior = PLAIN.estimate(node(EPYC_7302))
    both = Estimator(PLAIN.catalogue, PLAIN.family, payloads).estimate(node(EPYC_7302, scores=(score(),)))
    w0, w1 = 1 / prior.sigma**2, 1 / 0.15**2
    expected = math.exp((w0 * math.log(prior.hs23_per_core) + w1 * math.log(12.0)) / (w0 + w1))
    assert both.hs23_per_core == pytest.approx(expected)
    assert both.calibration_version == "test-1"
    assert payloads.expected is not None
    assert payloads.expected.method is Method.CATALOGUE


def test_catalogue_and_family_are_not_counted_twice() -> None:
    estimate = PLAIN.estimate(node(EPYC_7302))
    catalogue = next(rung for rung in estimate.rungs if rung.method is Method.CATALOGUE)
    assert estimate.hs23_per_core == catalogue.hs23_per_core
    assert estimate.sigma == catalogue.sigma
    assert any("not counted again" in step for step in estimate.steps)


def test_nothing_is_better_than_the_references_unless_measured_on_the_node() -> None:
    sharp = Estimator(PLAIN.catalogue, PLAIN.family, Payloads(15.3, 0.01))
    assert sharp.estimate(node(EPYC_7302, scores=(score(),))).sigma >= 0.04
    assert sharp.estimate(node(GOLD_6140, scores=(score(),))).sigma >= 0.07
    assert sharp.estimate(node(EPYC_7302, measured=(hs23(990, 64),))).sigma < 0.02


def test_a_provisional_calibration_is_told_where_it_matters() -> None:
    provisional = Estimator(PLAIN.catalogue, PLAIN.family, Payloads(18.0, 0.25, provisional=True))
    assert provisional.estimate(node(MILAN_VM, scores=(score(),))).provisional
    assert not provisional.estimate(node(EPYC_7302, scores=(score(),))).provisional
    assert not provisional.estimate(node(MILAN_VM)).provisional


def test_a_slow_payload_raises_a_finding() -> None:
    slow = Estimator(PLAIN.catalogue, PLAIN.family, Payloads(9.0, 0.08))
    estimate = slow.estimate(node(EPYC_7302, scores=(score(throttled=True),)))
    assert {"slow-for-model", "throttled"} <= codes(estimate)


def test_steps_tell_the_arithmetic() -> None:
    estimate = PLAIN.estimate(slot(EPYC_7302, 8))
    text = "\n".join(estimate.steps)
    assert "amd epyc 7302" in estimate.steps[0]
    assert f"8 granted cores × {estimate.hs23_per_core:.1f} = {8 * estimate.hs23_per_core:.0f} HS23" in text
    assert f"68 % between {estimate.low:.1f} and {estimate.high:.1f}" in text
    assert all(step.endswith(".") for step in estimate.steps)


def test_the_same_evidence_gives_the_same_estimate() -> None:
    assert PLAIN.estimate(slot(EPYC_7302, 8)) == Estimator.shipped().estimate(slot(EPYC_7302, 8))


counts = st.none() | st.integers(0, 10**6)
cpus = st.builds(
    CpuDescription,
    model_name=st.none() | st.text(max_size=80) | st.sampled_from([EPYC_7302.model_name, E5_2683.model_name, "AMD EPYC"]),
    arch=st.none() | st.sampled_from(["x86_64", "aarch64", "ppc64le", "riscv64", "<b>"]),
    packages=counts, physical_cores=counts, logical_cpus=counts, threads_per_core=counts,
    clock_ghz=st.none() | st.floats(allow_nan=True), l3_bytes=counts, memory_bytes=counts,
    x86_family=counts, x86_model=counts, virtualised=st.none() | st.booleans(),
)  # fmt: skip
evidences = st.builds(
    NodeEvidence,
    cpu=cpus,
    scope=st.sampled_from(["node", "slot"]),
    cores_granted=st.none() | st.floats(0, 1e6),
    cores_present=counts,
    in_batch_slot=st.booleans(),
    load_1min=st.none() | st.floats(allow_nan=True),
    scores=st.lists(
        st.builds(
            PayloadScore,
            kernel=st.just("clue"),
            version=st.just("1"),
            backend=st.just("cpu"),
            events_per_s=st.floats(1e-9, 1e12),
            copies=st.integers(1, 1000),
            steal_share=st.none() | st.floats(0, 1),
        ),
        max_size=2,
    ).map(tuple),
    measured=st.lists(
        st.builds(
            MeasuredScore,
            kind=st.sampled_from(["HS23", "HS06", "x"]),
            total=st.floats(1e-3, 1e6),
            loaded_cpus=st.integers(1, 10**6),
            source=st.text(max_size=5),
            sigma=st.floats(0, 5),
        ),
        max_size=2,
    ).map(tuple),
)


def test_of_next_to_no_cores_there_is_no_figure() -> None:
    tiny = MeasuredScore(kind="HS23", total=0.5, loaded_cpus=1, source="a test")
    evidence = NodeEvidence(cpu=CpuDescription(), scope="slot", cores_granted=5e-324, measured=(tiny,))
    assert PLAIN.estimate(evidence).hs23_scope is None


@settings(max_examples=300)
@given(evidences)
def test_any_evidence_has_a_finite_estimate(evidence: NodeEvidence) -> None:
    estimate = PLAIN.estimate(evidence)
    assert 0 < estimate.low <= estimate.hs23_per_core <= estimate.high < math.inf
    assert 0.009 <= estimate.sigma <= 5
    Estimate.model_validate_json(estimate.model_dump_json())
