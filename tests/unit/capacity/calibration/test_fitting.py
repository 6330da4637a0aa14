"""The arithmetic: known laws are found again, priors hold where data is silent."""

from __future__ import annotations

import numpy as np
import pytest

from capacity.hs06.crossvalidation import UNPROVEN, leave_one_family_out, sigma_of_new_family
from capacity.hs06.fitting import FLOOR, SCATTER, Design, kernel_levels, solve

WEIGHTS = np.array([0.1, 0.4, 0.3, 0.2])


def design(nodes: int = 60, noise: float = 0.01, seed: int = 3, smt_gain: float = 0.0) -> Design:
    random = np.random.default_rng(seed)
    rates = random.normal(3, 0.5, (nodes, 1)) + random.normal(0, 0.3, (nodes, 4))
    smt = np.where(np.arange(nodes) % 2 == 0, 0.5, -0.5)
    targets = 0.5 + rates @ WEIGHTS + smt_gain * smt + random.normal(0, noise, nodes)
    return Design(
        rates,
        targets,
        np.full(nodes, 0.01),
        smt,
        tuple(f"f{n % 15}" for n in range(nodes)),
        np.zeros(nodes, bool),
    )


def test_finds_the_weights_of_a_known_law() -> None:
    found = solve(design())
    assert found.coefficients[1:-1] == pytest.approx(WEIGHTS, abs=0.04)
    assert found.coefficients[-1] == pytest.approx(0, abs=0.02)
    assert not found.outliers.any()


def test_smt_does_not_pass_for_a_weight() -> None:
    plain, shifted = solve(design()), solve(design(smt_gain=0.12))
    assert shifted.coefficients[-1] == pytest.approx(0.12, abs=0.03)
    assert shifted.coefficients[1:-1] == pytest.approx(plain.coefficients[1:-1], abs=0.02)


def test_weights_are_never_negative() -> None:
    data = design()
    # The first kernel goes against the score: without the bound its weight would be -0.3.
    against = Design(
        data.log_rates,
        data.targets - 0.4 * data.log_rates[:, 0],
        data.target_sigmas,
        data.smt,
        data.families,
        data.anchors,
    )
    assert solve(against).coefficients[1] == 0
    assert (solve(against).coefficients[1:-1] >= 0).all()


def test_a_few_wrong_scores_are_named_and_do_not_count() -> None:
    data = design()
    wrong = data.targets.copy()
    wrong[[4, 20, 33]] += [0.7, -0.8, 0.5]
    found = solve(Design(data.log_rates, wrong, data.target_sigmas, data.smt, data.families, data.anchors))
    assert np.flatnonzero(found.outliers).tolist() == [4, 20, 33]
    assert found.coefficients == pytest.approx(solve(data).coefficients, abs=0.02)


def test_without_data_every_kernel_counts_alike_and_the_sum_is_one() -> None:
    one = design(nodes=1)
    found = solve(one)
    assert found.coefficients[1:-1] == pytest.approx(np.full(4, 0.25))
    predicted, variance = found.predict(one.log_rates + np.log(2), one.smt)
    assert predicted - one.targets == pytest.approx([np.log(2)])
    assert variance[0] > solve(design()).predict(one.log_rates, one.smt)[1][0]


def test_a_missing_kernel_is_stood_for_by_the_others_and_costs_certainty() -> None:
    data = design()
    found = solve(data)
    gap = data.log_rates[:1].copy()
    full, sure = found.predict(gap, data.smt[:1])
    gap[0, 1] = np.nan
    without, unsure = found.predict(gap, data.smt[:1])
    assert unsure[0] > sure[0]
    assert abs(without[0] - full[0]) < 3 * np.sqrt(unsure[0])


def test_median_polish_finds_levels_through_gaps() -> None:
    random = np.random.default_rng(1)
    levels = np.array([1.0, 2.0, 4.0])
    rates = random.normal(0, 0.5, (200, 1)) + levels + random.normal(0, 0.05, (200, 3))
    # The fast nodes lack the first kernel: a median of what is there would be off by 0.4.
    rates[rates[:, 1] > 2.0, 0] = np.nan
    found = kernel_levels(rates)
    assert np.diff(found.references) == pytest.approx(np.diff(levels), abs=0.06)
    assert found.scatters == pytest.approx(np.full(3, 0.05), abs=0.02)


def test_of_one_kernel_the_scatter_is_the_assumed_one() -> None:
    assert kernel_levels(np.array([[1.0], [1.5], [2.0]])).scatters == pytest.approx([SCATTER])


def test_nodes_of_one_family_do_not_outvote_another() -> None:
    """Forty nodes of a family that is 10 % off pull less than twice as much as one of it."""
    base = design(nodes=14, noise=0.0)

    def with_copies(copies: int) -> float:
        extra = np.repeat(base.log_rates[:1], copies, axis=0)
        data = Design(
            np.vstack([base.log_rates, extra]),
            np.concatenate([base.targets, np.repeat(base.targets[:1] + 0.1, copies)]),
            np.full(14 + copies, 0.01),
            np.zeros(14 + copies),
            (*base.families, *["other"] * copies),
            np.zeros(14 + copies, bool),
        )
        return float(solve(data).predict(base.log_rates[:1], np.zeros(1))[0][0] - base.targets[0])

    few, many = with_copies(1), with_copies(40)
    assert 0 < few <= many < 2.2 * few


@pytest.mark.parametrize("rates", [np.zeros((0, 2)), np.full((1, 2), np.nan)])
def test_refuses_what_has_no_rate(rates: np.ndarray) -> None:
    count = len(rates)
    with pytest.raises(ValueError, match="at least one rate"):
        solve(
            Design(
                rates, np.zeros(count), np.ones(count), np.zeros(count), ("f",) * count, np.zeros(count, bool)
            )
        )


def test_held_out_errors_are_those_of_fits_without_the_family() -> None:
    data = design(nodes=30)
    shifted = data.targets.copy()
    strange = np.array(data.families) == "f3"
    shifted[strange] += 0.1
    moved = Design(data.log_rates, shifted, data.target_sigmas, data.smt, data.families, data.anchors)
    held_out = leave_one_family_out(moved)
    assert held_out.errors[strange] == pytest.approx(np.full(strange.sum(), -0.1), abs=0.05)
    rest = solve(moved.rows(~strange))
    predicted, _ = rest.predict(moved.log_rates[strange], moved.smt[strange])
    assert held_out.errors[strange] == pytest.approx(predicted - shifted[strange])


def test_two_families_prove_nothing() -> None:
    data = design(nodes=30)
    two = Design(
        data.log_rates,
        data.targets,
        data.target_sigmas,
        data.smt,
        tuple(f"f{n % 2}" for n in range(30)),
        data.anchors,
    )
    assert sigma_of_new_family(two, leave_one_family_out(two), np.zeros(30, bool)) == UNPROVEN


def test_a_perfect_fit_still_claims_no_more_than_the_references() -> None:
    data = design(nodes=60, noise=0.0)
    assert sigma_of_new_family(data, leave_one_family_out(data), np.zeros(60, bool)) == FLOOR


def test_a_single_family_has_no_held_out_error() -> None:
    data = design(nodes=6)
    one = Design(data.log_rates, data.targets, data.target_sigmas, data.smt, ("f",) * 6, data.anchors)
    assert np.isnan(leave_one_family_out(one).errors).all()
