"""From nodes to a document: who may be fitted to, what is said of whom, what is refused."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capacity.errors import BadInputError
from capacity.hs06.calibrate import Pair, fit
from capacity.hs06.calibration import PROVISIONAL_SIGMA, Calibration, family_of
from capacity.hs06.evidence import evidence_of
from capacity.hs06.model import CpuDescription, MeasuredScore, Method, NodeEvidence, PayloadScore, Rung
from capacity.hs06.synthetic import KERNELS, Truth, make_fleet
from tests.unit.capacity import looks

NOW = datetime(2026, 11, 23, tzinfo=UTC)
UNKNOWN = Rung(method=Method.DEFAULT, hs23_per_core=10.0, sigma=0.5, says="constant")
DATA = Path(__file__).parents[4] / "capacity" / "hs06" / "data"


def score(
    kernel: str = "clue", rate: float = 10.0, copies: int = 64, version: str = "1", **more: object
) -> PayloadScore:
    return PayloadScore(
        kernel=kernel,
        version=version,
        backend="cpu",
        copies=copies,
        events_per_s=2 * rate * copies,
        baseline_events_per_s=rate * copies,
        **more,
    )


def node(
    *scores: PayloadScore, hs23: float | None = 16.0, loaded: int = 64, cpus: int = 64, **cpu: object
) -> NodeEvidence:
    measured = (
        MeasuredScore(kind="HS23", total=hs23 * loaded, loaded_cpus=loaded, source="test") if hs23 else None
    )
    return NodeEvidence(
        cpu=CpuDescription(logical_cpus=cpus, threads_per_core=2, **cpu),
        scope="node",
        scores=scores,
        measured=(measured,) if measured else (),
    )


def pair(name: str, evidence: NodeEvidence, family: str = "f", expected: Rung | None = None) -> Pair:
    return Pair(id=name, evidence=evidence, family=family, expected=expected)


@pytest.fixture(scope="module")
def fleet_fit() -> tuple[Calibration, tuple[Pair, ...]]:
    fleet = make_fleet(Truth(), families=8, nodes=4, seed=5)
    return fit(fleet.pairs, NOW), fleet.pairs


def test_one_measured_node_gives_its_own_score_back_but_claims_little() -> None:
    calibration = fit([pair("a", node(score()))], NOW)
    rung = calibration.rung(node(score(), hs23=None), UNKNOWN)
    assert rung.hs23_per_core == pytest.approx(16.0)
    assert rung.sigma is not None
    assert rung.sigma > 0.146
    assert not calibration.provisional


def test_twice_the_rate_is_twice_the_score() -> None:
    calibration = fit([pair("a", node(score()))], NOW)
    assert calibration.rung(node(score(rate=20.0)), UNKNOWN).hs23_per_core == pytest.approx(32.0, rel=0.01)


def test_a_score_of_another_version_has_no_rung_and_says_so() -> None:
    calibration = fit([pair("a", node(score()))], NOW)
    rung = calibration.rung(node(score(version="2")), UNKNOWN)
    assert rung.hs23_per_core is None
    assert rung.reason == "clue has version 2, it was calibrated with version 1"


def test_a_kernel_of_another_version_is_as_if_it_was_not_run(
    fleet_fit: tuple[Calibration, tuple[Pair, ...]],
) -> None:
    calibration, pairs = fleet_fit
    scores = pairs[0].evidence.scores
    newer = (scores[0].model_copy(update={"version": "2", "baseline_events_per_s": 1e9}), *scores[1:])
    rung = calibration.rung(pairs[0].evidence.model_copy(update={"scores": newer}), UNKNOWN)
    without = calibration.rung(pairs[0].evidence.model_copy(update={"scores": scores[1:]}), UNKNOWN)
    assert rung.hs23_per_core == without.hs23_per_core
    assert "clue has version 2" in rung.says


@pytest.mark.parametrize("rate", [1e300, 1e-300, 1e6, 1e-6])
def test_a_lie_has_no_rung(rate: float) -> None:
    calibration = fit([pair("a", node(score()))], NOW)
    rung = calibration.rung(node(score(rate=rate)), UNKNOWN)
    assert rung.hs23_per_core is None
    assert rung.reason == "they would be HS23 per core outside 0.4 to 400"


def test_gpu_scores_never_enter() -> None:
    calibration = fit([pair("a", node(score()))], NOW)
    gpu = score(rate=1e6).model_copy(update={"backend": "cuda"})
    assert calibration.rung(node(gpu), UNKNOWN).reason == "no payload was run"
    assert calibration.rung(node(score(), gpu), UNKNOWN).hs23_per_core == pytest.approx(16.0)


def test_wide_vectors_do_not_count() -> None:
    """What AVX-512 gains the kernel is not in HEP's programs, so the rate of CMSSW's instruction set is taken."""
    calibration = fit([pair("a", node(score()))], NOW)
    wide = score().model_copy(update={"events_per_s": 1e6})
    assert calibration.rung(node(wide), UNKNOWN).hs23_per_core == pytest.approx(16.0)
    bare = score().model_copy(update={"baseline_events_per_s": None})
    assert "instruction set that CMSSW ships" in (calibration.rung(node(bare), UNKNOWN).reason or "")


@pytest.mark.parametrize(
    ("variant", "told", "expected"),
    [("neon", None, 100.0), ("x86_64_v2", None, 100.0), ("x86_64_v3", 60.0, 60.0), ("x86_64_v3", None, None)],
)
def test_where_the_baseline_is_the_best_it_counts(
    variant: str, told: float | None, expected: float | None
) -> None:
    """ARM has one instruction set here: its rate is that of the best variant and of the baseline."""
    payload = {**looks.payload(), "variant": variant, "baseline_events_per_s": told}
    found = evidence_of(looks.look(payloads=[payload])).scores
    assert [one.baseline_events_per_s for one in found] == [expected]


def test_a_part_of_a_node_is_brought_to_full_load_with_a_wider_interval() -> None:
    calibration = fit([pair("a", node(score()))], NOW)
    whole = calibration.rung(node(score(copies=256), cpus=256), UNKNOWN)
    part = calibration.rung(node(score(copies=8), cpus=256), UNKNOWN)
    assert part.hs23_per_core == pytest.approx(16.0 * 14.1 / 30.4, rel=0.01)
    assert part.sigma is not None
    assert whole.sigma is not None
    assert part.sigma > whole.sigma + 0.03


def test_a_slot_of_a_busy_node_is_at_full_load() -> None:
    calibration = fit([pair("a", node(score()))], NOW)
    busy = calibration.rung(node(score(copies=8, others_cpus=247.0), cpus=256), UNKNOWN)
    assert busy.hs23_per_core == pytest.approx(16.0)


@pytest.mark.parametrize(
    ("evidence", "reason"),
    [
        (node(), "no payload was run"),
        (node(score(copies=8), cpus=64), "not at full load"),
        (node(score(steal_share=0.2)), "disturbed while it was measured: the hypervisor gave 20%"),
        (node(score(others_cpus=20.0)), "disturbed while it was measured: other processes kept 31%"),
        (node(score(), loaded=32), "SMT or load differ"),
        (node(score(), hs23=1e300), "its HS23 score cannot be that of 64 CPUs"),
        (node(score(), hs23=None), "its name lets expect none"),
    ],
)
def test_what_would_confound_is_left_out_and_named(evidence: NodeEvidence, reason: str) -> None:
    calibration = fit([pair("good", node(score())), pair("bad", evidence)], NOW)
    assert [one.id for one in calibration.inputs] == ["good"]
    assert [one.id for one in calibration.left_out] == ["bad"]
    assert reason in calibration.left_out[0].reason


def test_nobody_to_fit_to_is_one_sentence() -> None:
    with pytest.raises(
        BadInputError, match="there is no node to calibrate on, for example bad: not at full load"
    ):
        fit([pair("bad", node(score(copies=8)))], NOW)
    with pytest.raises(BadInputError, match="there is no node to calibrate on;"):
        fit([], NOW)


def test_hs06_is_less_sure_than_hs23() -> None:
    evidence = node(score())
    old = evidence.model_copy(
        update={"measured": (evidence.measured[0].model_copy(update={"kind": "HS06"}),)}
    )
    both = evidence.model_copy(update={"measured": (*old.measured, *evidence.measured)})
    assert fit([pair("a", old)], NOW).floor == pytest.approx(0.07)
    assert fit([pair("a", both)], NOW).inputs[0].kind == "HS23"


def test_expectations_alone_stay_provisional() -> None:
    expected = Rung(method=Method.CATALOGUE, hs23_per_core=15.0, sigma=0.06, says="row")
    pairs = [pair(f"n{n}", node(score(rate=10 + n / 10), hs23=None), f"f{n}", expected) for n in range(12)]
    calibration = fit(pairs, NOW)
    assert calibration.provisional
    assert calibration.version.startswith("provisional-")
    rung = calibration.rung(node(score()), UNKNOWN)
    assert rung.sigma is not None
    assert rung.sigma >= PROVISIONAL_SIGMA
    assert "provisional" in rung.says


def test_one_measured_node_outweighs_the_catalogue() -> None:
    """The catalogue says 10, one measurement says 16: the fit goes most of the way, and is no longer provisional."""
    wrong = Rung(method=Method.FAMILY, hs23_per_core=10.0, sigma=0.3, says="guess")
    pairs = [pair("m", node(score()), "f0"), pair("a", node(score(), hs23=None), "f1", wrong)]
    calibration = fit(pairs, NOW)
    assert not calibration.provisional
    assert calibration.rung(node(score()), UNKNOWN).hs23_per_core == pytest.approx(16.0, rel=0.15)


def test_many_anchors_of_one_family_pull_like_one() -> None:
    wrong = Rung(method=Method.FAMILY, hs23_per_core=10.0, sigma=0.1, says="guess")

    def said(anchors: int) -> float:
        pairs = [pair("m", node(score()), "f0")]
        pairs += [pair(f"a{n}", node(score(), hs23=None), "f1", wrong) for n in range(anchors)]
        return fit(pairs, NOW).rung(node(score()), UNKNOWN).hs23_per_core or 0.0

    assert said(50) == pytest.approx(said(1), rel=0.02)


def test_same_inputs_same_version_other_inputs_another(
    fleet_fit: tuple[Calibration, tuple[Pair, ...]],
) -> None:
    calibration, pairs = fleet_fit
    again = fit(tuple(reversed(pairs)), datetime(2027, 1, 1, tzinfo=UTC))
    assert again.version == calibration.version
    assert fit(pairs[1:], NOW).version != calibration.version


@given(
    st.dictionaries(st.sampled_from(KERNELS), st.floats(0.2, 5.0), min_size=1),
    st.sampled_from(KERNELS),
    st.floats(1.0, 3.0),
)
def test_a_faster_node_is_never_worth_less(
    fleet_fit: tuple[Calibration, tuple[Pair, ...]], speeds: dict[str, float], kernel: str, faster: float
) -> None:
    calibration, _ = fleet_fit
    levels = {term.kernel: term.reference_events_per_s for term in calibration.terms}

    def said(rates: dict[str, float]) -> float:
        rung = calibration.rung(
            node(*(score(name, levels[name] * rate) for name, rate in rates.items())), UNKNOWN
        )
        assert rung.hs23_per_core is not None
        return rung.hs23_per_core

    base = said(speeds)
    assert said({**speeds, kernel: speeds[kernel] * faster} if kernel in speeds else speeds) >= base * (
        1 - 1e-12
    )
    # All kernels faster by one factor: the score follows it, whatever was run.
    ratio = said({name: rate * faster for name, rate in speeds.items()}) / base
    assert ratio == pytest.approx(faster, rel=0.12)


def test_document_survives_json(fleet_fit: tuple[Calibration, tuple[Pair, ...]]) -> None:
    calibration, pairs = fleet_fit
    again = Calibration.from_json(calibration.to_json().encode())
    assert again == calibration
    assert again.rung(pairs[0].evidence, UNKNOWN) == calibration.rung(pairs[0].evidence, UNKNOWN)


def test_table_and_residuals_tell_of_every_family(fleet_fit: tuple[Calibration, tuple[Pair, ...]]) -> None:
    calibration, pairs = fleet_fit
    assert [one.family for one in calibration.families] == [f"family {n:02d}" for n in range(8)]
    assert all(one.rms is not None and one.expected_rms is not None for one in calibration.families)
    assert {one.id for one in calibration.residuals} == {one.id for one in pairs}
    for family in calibration.families:
        mine = [
            math.log(one.held_out_hs23_per_core / one.target_hs23_per_core)
            for one in calibration.residuals
            if one.family == family.family and one.held_out_hs23_per_core and not one.outlier
        ]
        assert family.rms == pytest.approx(math.sqrt(sum(x * x for x in mine) / len(mine)), rel=1e-5)


def test_family_of_a_stranger_is_what_it_says_of_itself() -> None:
    assert family_of(CpuDescription(vendor="GenuineIntel", x86_family=99, x86_model=3)) == "GenuineIntel 99 3"
    assert family_of(CpuDescription()) == "not known"
