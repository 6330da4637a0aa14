"""Probabilities and ranges carried to the needs, one assumption at a time, and backwards."""

from __future__ import annotations

import numpy as np
import pytest

from computing_model.errors import ModelError
from computing_model.layers import load
from computing_model.numbers import leaves
from computing_model.plan import plan
from computing_model.sensitivity import fit, need, solve, tornado
from computing_model.uncertainty import QUANTILES, RESOURCES, bands, draw

CPU = "cpu_khs06_years"
BOTH = ["weighted-probable", "uncertain"]


def test_the_same_seed_gives_the_same_bands_and_another_seed_others() -> None:
    parameters = load(BOTH).parameters
    one, same, other = bands(parameters, 500, 1), bands(parameters, 500, 1), bands(parameters, 500, 2)
    np.testing.assert_array_equal(one.quantiles[CPU], same.quantiles[CPU])
    assert (one.quantiles[CPU] != other.quantiles[CPU]).any()


def test_samples_have_the_distributions_that_were_asked_for() -> None:
    drawn = draw(load(BOTH).parameters, 40_000, 7)
    # Code and libraries: 0.5 of 50 %; cuts 30 % and mkFit 10 % for certain.
    values, counts = np.unique(np.round(drawn["reco.reduction"], 6), return_counts=True)
    assert values == pytest.approx([1 - 0.7 * 0.9, 1 - 0.5 * 0.7 * 0.9])
    assert counts / 40_000 == pytest.approx([0.5, 0.5], abs=0.01)
    factor = drawn["detector.phase2.time_hs06_s.reco_mc.140"] / 3126
    assert np.quantile(factor, [0.16, 0.84]) == pytest.approx([0.85, 1.1765], rel=0.01)
    same = drawn["detector.phase2.time_hs06_s.reco_data.200"] / 4453
    np.testing.assert_allclose(factor, same)  # one cause, one factor
    share = drawn["simulation.fast_chain.share"]
    assert (share.min() >= 0, share.max() <= 0.5, share.mean()) == (
        True,
        True,
        pytest.approx(0.25, abs=0.005),
    )


def test_bands_of_samples_are_those_of_plans_made_one_by_one() -> None:
    parameters = load(BOTH).parameters
    drawn = draw(parameters, 40, 3)
    whole = RESOURCES[CPU](plan(parameters, drawn))
    single = [
        RESOURCES[CPU](plan(parameters, {key: value[[at]] for key, value in drawn.items()}))[0]
        for at in range(40)
    ]
    np.testing.assert_allclose(whole, single, rtol=1e-12)
    np.testing.assert_allclose(
        bands(parameters, 40, 3).quantiles[CPU], np.quantile(single, QUANTILES, axis=0), rtol=1e-5
    )


def test_quantiles_rise_and_the_past_is_certain() -> None:
    found = bands(load(BOTH).parameters, 2000)
    for rows in found.quantiles.values():
        assert (np.diff(rows, axis=0) >= 0).all()
    assert np.ptp(found.quantiles[CPU][:, found.years.index(2024)]) == 0
    assert 0 < found.covered[CPU][found.years.index(2033)] < 1


def test_a_plan_without_uncertain_assumptions_has_no_width() -> None:
    found = bands(load(["baseline"]).parameters, 10)
    assert np.ptp(found.quantiles[CPU], axis=0).max() == 0


def test_a_tornado_varies_each_assumption_alone() -> None:
    parameters = load(BOTH).parameters
    found = tornado(parameters, CPU, 2034)
    widths = [abs(swing.high - swing.low) for swing in found.swings]
    assert widths == sorted(widths, reverse=True)
    swings = {swing.name: swing for swing in found.swings}
    assert swings["RAW event size"].low == swings["RAW event size"].high == found.middle
    assert (
        swings["Reconstruction time at HL-LHC"].low
        < found.middle
        < swings["Reconstruction time at HL-LHC"].high
    )
    assert swings["mkFit"].high < swings["mkFit"].low  # it succeeds, so less is needed


def test_what_would_have_to_be_true_is_true() -> None:
    parameters = load(["baseline"]).parameters
    found = fit(parameters, "reco.speedup", CPU, 2031, "middle", None)
    assert need(parameters, CPU, 2031, {"reco.speedup": found.solution.value}) == pytest.approx(
        found.solution.bound
    )
    assert found.solution.value > 1


def test_a_curve_is_solved_for_as_a_whole() -> None:
    parameters = load(["baseline"]).parameters
    key = "detector.phase2.time_hs06_s.reco_data"
    found = solve(parameters, key, CPU, 2030, 20_000, (100, 5000))
    factor = found.value / found.now
    changed = {name: value * factor for name, value in leaves(parameters) if name.startswith(f"{key}.")}
    assert need(parameters, CPU, 2030, changed) == pytest.approx(20_000)


@pytest.mark.parametrize(
    ("key", "resource", "year", "told"),
    [
        ("gen.speedup", CPU, 2031, "there the need goes from"),
        ("reco.speed", CPU, 2031, "there is no number 'reco.speed'"),
        ("reco.speedup", "cpu", 2031, "there is no resource 'cpu'"),
        ("reco.speedup", CPU, 1999, "1999 is not among the years"),
        ("analysis.growth", CPU, 2031, "there is no number"),
        ("schedule.shift_years", CPU, 2031, "begins at 0|cannot be varied"),
    ],
)
def test_questions_without_an_answer(key: str, resource: str, year: int, told: str) -> None:
    with pytest.raises(ModelError, match=told):
        fit(load(["baseline"]).parameters, key, resource, year, "low", (0.5, 2.0))


@pytest.mark.parametrize("samples", [0, -1, 10**7])
def test_the_number_of_samples_is_bounded(samples: int) -> None:
    with pytest.raises(ModelError, match="samples"):
        draw(load(BOTH).parameters, samples, 1)


def test_an_uncertain_key_that_is_no_number_is_told() -> None:
    entry = {"kind": "between", "name": "x", "keys": ["reco.sped"], "low": 0, "high": 1}
    with pytest.raises(ModelError, match=r"there is no number 'reco\.sped'"):
        bands(load(["baseline"], {"uncertain": [entry]}).parameters, 10)
