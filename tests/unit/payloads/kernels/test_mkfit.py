"""mkfit: equal bits at every width, tracks of the double-precision reference, broken results caught."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import pytest

from payloads import compiled
from payloads.arrays import Array, Arrays, one_event
from payloads.kernels.mkfit import display, physics
from payloads.kernels.mkfit.reference_fit import smooth
from tests.unit.payloads.kernels import judged

KERNEL = "mkfit"
SMALL = (3, 7, 2)
CROWDED_EVENTS = 4
BEST = compiled.best_variant().name
MANIFEST = judged.manifest_of("mkfit")


results = partial(judged.results_of, KERNEL)


def test_every_width_and_instruction_set_gives_the_same_bits(crowded: Arrays) -> None:
    digests = judged.digests_of("mkfit", crowded, 2)
    assert len(set(digests.values())) == 1, digests


def test_an_event_does_not_depend_on_the_one_before(small: Arrays) -> None:
    assert not judged.depends_on_the_one_before("mkfit", small)


def test_simulation_is_the_same_whatever_event_it_starts_from(small: Arrays) -> None:
    alone = compiled.simulate("tracker", 3, 7, 1, 1)
    assert np.array_equal(alone["hit_x"], one_event(small, 1)["hit_x"])


def test_near_and_far_modules_of_stereo_layers_are_hit(crowded: Arrays) -> None:
    """The layers of a pair see the same particles where both have sensors."""
    hits = np.bincount(crowded["hit_layer"], minlength=72)
    for mono, stereo in ((4, 5), (6, 7), (10, 11), (12, 13)):
        assert hits[stereo] == pytest.approx(hits[mono], rel=0.1)


def test_tracks_are_those_of_the_reference(
    expected: dict[str, Array], small_results: list[dict[str, Array]]
) -> None:
    assert len(expected["track_seed"]) > 20
    assert physics.differences(expected, small_results[0]) is None


def test_fit_of_the_kernels_own_hits_agrees_with_the_smoother(
    small: Arrays, small_results: list[dict[str, Array]]
) -> None:
    """Right or wrong hits: the same measurements give the same state and the same errors."""
    event, result = one_event(small, 0), small_results[0]
    values, errors = physics.fitted_parameters(result)
    track, hit = physics.hits_of_tracks(result)
    names = ("x", "y", "z", "inverse_pt", "phi", "theta", "charge")
    apart = []
    for k in range(0, len(result["track_seed"]), 5):
        start = np.array([float(result[f"track_{name}"][k]) for name in names])
        state, covariance, chi2 = smooth(event, hit[track == k], start)
        sigma = np.sqrt(np.diag(covariance))  # t, l, 1/pT, phi, theta
        step = (state[4] - values["phi"][k] + np.pi) % (2 * np.pi) - np.pi
        pulls = [state[3] - values["pt"][k], step, state[5] - values["theta"][k], state[2] - values["z0"][k]]
        apart.append(np.abs(pulls) / sigma[[2, 3, 4, 1]])
        assert result["track_chi2"][k] == pytest.approx(chi2, rel=0.1, abs=1.0)
        assert errors["theta"][k] == pytest.approx(sigma[4], rel=0.05)
        assert errors["d0"][k] == pytest.approx(sigma[0], rel=0.05)
    assert np.median(np.max(apart, axis=1)) < 0.06
    assert np.quantile(np.max(apart, axis=1), 0.9) < 0.4


def test_physics_is_within_its_ranges(crowded: Arrays, crowded_results: list[dict[str, Array]]) -> None:
    assert judged.outside("mkfit", physics.measure(crowded, crowded_results)) == set()


@pytest.mark.parametrize(
    ("settings", "caught"),
    [
        ({"chi2": 1.0}, "completeness"),
        ({"shared": 100.0}, "duplicate_rate"),
        ({"candidates": 1, "chi2": 300.0}, "purity"),
        ({"fit_chi2": 1.0}, "efficiency"),
        ({"least_hits": 18}, "efficiency"),
        ({"overlap_chi2": 1e-6}, "completeness"),
    ],
)
def test_wrong_parameters_fall_out_of_the_ranges(
    crowded: Arrays, settings: dict[str, float], caught: str
) -> None:
    assert caught in judged.outside("mkfit", physics.measure(crowded, results(crowded, settings)))


def test_broken_hits_fall_out_of_the_ranges(crowded: Arrays) -> None:
    far = np.hypot(crowded["hit_x"], crowded["hit_y"]) > 20
    moved = {**crowded, "hit_x": (crowded["hit_x"] + np.where(far, 0.02, 0)).astype(np.float32)}
    assert "chi2_per_freedom" in judged.outside("mkfit", physics.measure(crowded, results(moved)))
    precise = {**crowded, "hit_covariance_tt": crowded["hit_covariance_tt"] / np.float32(4)}
    assert "chi2_per_freedom" in judged.outside("mkfit", physics.measure(crowded, results(precise)))


def test_broken_results_fall_out_of_the_ranges(
    crowded: Arrays, crowded_results: list[dict[str, Array]]
) -> None:
    breaks: tuple[tuple[Callable[[Arrays], Arrays], str], ...] = (
        (lambda r: {"track_inverse_pt": r["track_inverse_pt"] * np.float32(1.01)}, "pt_bias"),
        (lambda r: {"track_covariance": r["track_covariance"] / np.float32(2)}, "d0_pull"),
        (lambda r: {"track_charge": -r["track_charge"]}, "charge_right"),
        (lambda r: {"track_hit": np.roll(r["track_hit"], 6)}, "efficiency"),
        (lambda r: {"track_z": r["track_z"] * np.float32("nan")}, "z0_um"),
    )
    for change, caught in breaks:
        broken = [{**r, **change(r)} for r in crowded_results]
        assert caught in judged.outside("mkfit", physics.measure(crowded, broken))


def test_broken_results_differ_from_the_reference(
    expected: dict[str, Array], small_results: list[dict[str, Array]]
) -> None:
    right = small_results[0]
    first = right["track_first_hit"]
    for change, words in (
        ({"track_inverse_pt": right["track_inverse_pt"] * np.float32(1.005)}, "standard deviations off"),
        ({"track_theta": right["track_theta"] * np.float32("nan")}, "standard deviations off"),
        ({"track_covariance": right["track_covariance"] * np.float32(1.3)}, "of the reference's (median)"),
        ({"track_hit": np.roll(right["track_hit"], 8)}, "were found"),
        ({"track_first_hit": np.append(first[:-1] + np.arange(len(first) - 1) % 2, first[-1])}, "very same"),
    ):
        assert words in str(physics.differences(expected, {**right, **change}))


@pytest.mark.parametrize(
    ("column", "value", "says"),
    [
        ("hit_layer", 200, "not there"),
        ("hit_x", np.nan, "hit_x"),
        ("hit_covariance_ll", 0.0, "hit_covariance_ll"),
        ("seed_hit0", 10**8, "not in its event"),
        ("seed_hit3", -2, "not in its event"),
        ("seed_charge", 0, "charge"),
        ("seed_theta", 0.0, "seed_theta"),
        ("seed_covariance_value", np.inf, "seed_covariance_value"),
        ("layer_high", -1000.0, "empty"),
        ("hit_offset", -5, "do not rise"),
    ],
)
def test_hostile_arrays_are_refused(small: Arrays, column: str, value: float, says: str) -> None:
    broken = {**small, column: small[column].copy()}
    broken[column][1] = value
    with pytest.raises(ValueError, match=says):
        compiled.open_kernel(BEST, "mkfit", broken)


def test_columns_of_other_lengths_or_kinds_are_refused(small: Arrays) -> None:
    for change, words in (
        ({"hit_y": small["hit_y"][:-1]}, "offsets say"),
        ({"seed_phi": small["seed_phi"].astype(np.int32)}, "not float32"),
        ({"layer_stereo": small["layer_stereo"][:-1]}, "not as long"),
    ):
        with pytest.raises(ValueError, match=words):
            compiled.open_kernel(BEST, "mkfit", {**small, **change})
    with pytest.raises(ValueError, match="no column 'hit_z'"):
        compiled.open_kernel(
            BEST, "mkfit", {name: column for name, column in small.items() if name != "hit_z"}
        )


@pytest.mark.parametrize("settings", [{"candidates": 6}, {"candidates": 0}, {"chi2": -1.0}])
def test_settings_out_of_bounds_are_refused(small: Arrays, settings: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="give"):
        compiled.open_kernel(BEST, "mkfit", small, settings)


def test_an_event_without_seeds_is_no_trouble(small: Arrays) -> None:
    empty = {
        name: np.zeros_like(column) if name in {"seed_offset", "seed_covariance_offset"} else column
        for name, column in small.items()
    }
    empty |= {n: c[:0] for n, c in small.items() if n.startswith("seed_") and not n.endswith("_offset")}
    assert [len(r["track_seed"]) for r in results(empty)] == [0, 0]


def test_a_result_for_each_event_is_asked_for(crowded: Arrays) -> None:
    with pytest.raises(ValueError, match="give one each"):
        physics.measure(crowded, [])


def test_picture_is_a_small_svg(small: Arrays, small_results: list[dict[str, Array]]) -> None:
    drawn = display.picture(one_event(small, 0), small_results[0])
    assert drawn.startswith("<svg")
    assert drawn.endswith("</svg>\n")
    assert len(drawn) < 300_000
    assert "z (cm)" in drawn
