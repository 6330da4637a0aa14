"""Tracks from double layers: equal bits at every width, the reference's answer, right physics, wrong physics caught."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest

from payloads.arrays import Array, Arrays, one_event
from payloads.compiled import open_kernel, simulate, variants
from payloads.kernels.catracks import display, physics, reference
from payloads.kernels.catracks.reference_geometry import arcs
from tests.unit.payloads.kernels import judged

MANIFEST = judged.manifest_of("catracks")
run = partial(judged.results_of, "catracks")
outside = partial(judged.outside, "catracks")
USABLE = [variant.name for variant in variants() if variant.usable]
LIMITS = ("doublets", "segments", "triplets", "quintuplets")


@pytest.fixture(scope="module")
def events() -> Arrays:
    return simulate("outertracker", 20, 11, 0, 2)


@pytest.fixture(scope="module")
def sample() -> Arrays:
    """A quarter of the benchmark's events."""
    asked = MANIFEST["events"]
    return simulate("outertracker", asked["pile_up"], asked["seed"], 0, 4)


@pytest.fixture(scope="module")
def sample_results(sample: Arrays) -> list[dict[str, Array]]:
    return run(sample)


def test_digests_are_equal_on_every_variant_and_width(events: Arrays) -> None:
    digests = judged.digests_of("catracks", events, 2)
    assert len(set(digests.values())) == 1, digests


def test_an_event_does_not_depend_on_the_one_before(events: Arrays) -> None:
    assert not judged.depends_on_the_one_before("catracks", events)


@pytest.mark.parametrize(
    "settings", [{}, {"min_pt_gev": 1.5, "least_common_hits": 9.0}, {"max_chi2_bend": 1.0, "rz_sigmas": 2.0}]
)
def test_the_reference_gives_the_same(events: Arrays, settings: dict[str, float]) -> None:
    expected = reference.reconstruct(one_event(events, 0), settings)
    result = run(events, settings)[0]
    assert len(expected["track_pt"]) > 20
    assert physics.differences(expected, result) is None


def test_the_reference_gives_the_same_in_a_crowd() -> None:
    crowd = simulate("outertracker", 60, 3, 0, 1)
    expected = reference.reconstruct(one_event(crowd, 0), {})
    assert len(expected["quintuplet_inner"]) > 2 * len(expected["track_pt"]) > 200
    assert physics.differences(expected, run(crowd)[0]) is None


def test_physics_is_within_the_ranges(sample: Arrays, sample_results: list[dict[str, Array]]) -> None:
    assert not outside(physics.measure(sample, sample_results))


@pytest.mark.parametrize(
    ("settings", "metric"),
    [
        ({"segment_resolution_cm": 0.2}, "segments"),  # a window ten times as wide
        ({"pair_resolution_cm": 0.12}, "doublets"),
        ({"rz_sigmas": 40.0}, "triplets"),
        ({"rz_sigmas": 0.4}, "efficiency"),
        ({"max_chi2_bend": 1.0}, "efficiency"),
        ({"max_chi2_bend": 100.0, "max_chi2_rz": 120.0}, "fake_rate"),
        ({"least_shared_hits": 11.0}, "duplicate_rate"),
        ({"luminous_cm": 1.5}, "efficiency"),
        ({"field_t": 3.7}, "pt_bias"),
        ({"min_pt_gev": 1.1}, "efficiency"),
        ({"least_common_hits": 20.0}, "layers"),  # nothing is added to the five
    ],
)
def test_a_wrong_cut_or_constant_has_no_score(
    sample: Arrays, settings: dict[str, float], metric: str
) -> None:
    assert metric in outside(physics.measure(sample, run(sample, settings)))


def without(events: Arrays, kept: Array) -> dict[str, Array]:
    """The events with some of their hits only."""
    fewer = dict(events)
    for name in ("module", "sensor", "x", "y", "z", "particle"):
        fewer[f"hit_{name}"] = np.ascontiguousarray(events[f"hit_{name}"][kept])
    fewer["hit_offset"] = np.concatenate([[0], np.cumsum(kept)])[events["hit_offset"]].astype(np.int32)
    return fewer


def renamed(events: Arrays, kept: Array, results: list[dict[str, Array]]) -> list[dict[str, Array]]:
    """Results of `without`, in the numbers of all hits."""
    offset = events["hit_offset"]
    named = []
    for event, result in enumerate(results):
        places = np.nonzero(kept[offset[event] : offset[event + 1]])[0]
        named.append(
            {**result, **{f"doublet_{k}": places[result[f"doublet_{k}"]] for k in ("lower", "upper")}}
        )
    return named


@pytest.mark.parametrize("layer", [1, 7])
def test_a_kernel_that_drops_a_layer_has_no_score(sample: Arrays, layer: int) -> None:
    kept = sample["module_layer"][sample["hit_module"]] != layer
    results = renamed(sample, kept, run(without(sample, kept)))
    assert "efficiency" in outside(physics.measure(sample, results))


def test_lost_hits_moved_sensors_and_wrong_charges_have_no_score(
    sample: Arrays, sample_results: list[dict[str, Array]]
) -> None:
    kept = np.random.default_rng(1).random(len(sample["hit_x"])) > 0.1
    assert "efficiency" in outside(physics.measure(sample, renamed(sample, kept, run(without(sample, kept)))))
    moved = {**sample, "hit_x": sample["hit_x"] + np.float32(0.05) * sample["hit_sensor"]}
    assert "efficiency" in outside(physics.measure(sample, run(moved)))
    turned = [{**result, "track_charge": -result["track_charge"]} for result in sample_results]
    assert "charge_right" in outside(physics.measure(sample, turned))


@pytest.mark.parametrize(
    ("column", "change", "words"),
    [
        ("track_pt", lambda v: v * np.float32(1.01), "parameters"),
        ("track_charge", lambda v: -v, "parameters"),
        ("doublet_upper", lambda v: np.roll(v, 1), "mini-doublets"),
        ("segment_outer", lambda v: np.roll(v, 1), "segments"),
        ("quintuplet_outer", lambda v: np.roll(v, 1), "quintuplets"),
        ("path_doublet", lambda v: np.roll(v, 1), "tracks"),
    ],
)
def test_a_result_that_differs_from_the_reference_is_caught(
    events: Arrays, column: str, change: Any, words: str
) -> None:
    result = run(events)[0]
    assert physics.differences(result, result) is None
    found = physics.differences(result, {**result, column: change(result[column])})
    assert found is not None
    assert words in found


def test_arcs_of_a_known_circle() -> None:
    angle = np.array([[0.2], [0.5], [0.6], [0.9], [1.4]])
    for sign in (1, -1):
        x, y = 80 * np.cos(sign * angle) + 3, 80 * np.sin(sign * angle) - 7
        curvature, lengths = arcs(list(x), list(y))
        assert curvature[0] == pytest.approx(sign / 80)
        assert [float(s[0]) for s in lengths] == pytest.approx((80 * (angle[:, 0] - 0.2)).tolist())


def test_nothing_in_gives_nothing_out(events: Arrays) -> None:
    (result,) = run(
        {
            **{name: column[:0] if name.startswith("hit_") else column for name, column in events.items()},
            "hit_offset": np.zeros(2, np.int32),
        }
    )
    assert len(result["doublet_lower"]) == len(result["track_pt"]) == 0
    assert result["path_offset"].tolist() == [0]


def test_what_the_workspace_does_not_hold_is_said(events: Arrays) -> None:
    for limit in LIMITS:
        result = run(events, {f"max_{limit}": 200})[0]
        assert result[f"overflow_{limit}"][0] > 0
        column = {"doublets": "doublet_lower"}.get(limit, f"{limit[:-1]}_inner")
        assert len(result[column]) == 200
    assert not any(result[f"overflow_{limit}"][0] for limit in LIMITS for result in run(events))


@pytest.mark.parametrize("limit", LIMITS)
def test_a_full_workspace_leaves_out_the_same_at_every_width(events: Arrays, limit: str) -> None:
    digests = set()
    for variant in USABLE:
        for lanes in (1, 0):
            opened = open_kernel(variant, "catracks", events, {f"max_{limit}": 333}, lanes)
            opened.process(0)
            digests.add(opened.digest())
    assert len(digests) == 1


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"hit_module": 13200}, "in its module"),
        ({"hit_sensor": 2}, "in its sensor"),
        ({"hit_x": np.nan}, "'hit_x' holds a number"),
        ({"hit_x": 0.0, "hit_y": 0.0}, "in its distance from the beam line"),
        ({"module_layer": 11}, "is in layer 11"),
        ({"module_rotation": np.inf}, "'module_rotation' holds a number"),
        ({"hit_offset": -1}, "offsets of 'hit'"),
    ],
)
def test_hostile_columns_are_refused(events: Arrays, changes: dict[str, float], words: str) -> None:
    bad = dict(events)
    for name, value in changes.items():
        bad[name] = events[name].copy()
        bad[name][-1] = value
    with pytest.raises(ValueError, match=words):
        open_kernel("scalar", "catracks", bad)


def test_hostile_shapes_and_settings_are_refused(events: Arrays) -> None:
    backwards = {**events, "hit_module": np.ascontiguousarray(events["hit_module"][::-1])}
    with pytest.raises(ValueError, match="in its order"):
        open_kernel("scalar", "catracks", backwards)
    with pytest.raises(ValueError, match="'module_rotation' has 9 entries"):
        open_kernel("scalar", "catracks", {**events, "module_rotation": events["module_rotation"][:9]})
    with pytest.raises(ValueError, match="'hit_sensor'"):
        open_kernel("scalar", "catracks", {**events, "hit_sensor": events["hit_sensor"].astype(np.int32)})
    for settings in ({"min_pt_gev": 0.0}, {"field_t": float("nan")}, {"max_segments": 2e9}):
        with pytest.raises(ValueError, match="set it within"):
            open_kernel("scalar", "catracks", events, settings)


def test_modules_at_no_place_cost_nothing_but_tracks(events: Arrays) -> None:
    """Whatever frames say, as long as they are numbers: no index may follow from them."""
    for name in ("module_rotation", "module_gap", "module_x", "module_z"):
        flat = {**events, name: np.zeros_like(events[name])}
        for result in run(flat):
            assert result["path_offset"][-1] == len(result["path_doublet"])


def test_the_picture_shows_event_and_tracks(sample: Arrays, sample_results: list[dict[str, Array]]) -> None:
    svg = display.picture(one_event(sample, 0), sample_results[0])
    assert svg.startswith("<svg")
    assert len(svg) < 300_000
    assert svg.count("<path") >= 6
    for word in ("x (cm)", "r (cm)", "z (cm)", "tracks", "quintuplets"):
        assert word in svg
