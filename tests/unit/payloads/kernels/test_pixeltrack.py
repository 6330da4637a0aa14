"""The pixel tracks: equal bits at every width, the reference's answer, right physics, and wrong physics caught."""

from __future__ import annotations

import csv
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from payloads.arrays import one_event
from payloads.compiled import open_kernel, simulate, variants
from payloads.kernels.pixeltrack import display, physics, reference
from tests.unit.payloads.kernels import judged
from tests.unit.payloads.kernels import pixel_toy as toy

FOLDER = Path(physics.__file__).parent
MANIFEST = judged.manifest_of("pixeltrack")
run = partial(judged.results_of, "pixeltrack")
outside = partial(judged.outside, "pixeltrack")
USABLE = [variant.name for variant in variants() if variant.usable]

Columns = dict[str, Any]


@pytest.fixture(scope="module")
def events() -> Columns:
    return simulate("pixel", 30, 11, 0, 2)


@pytest.fixture(scope="module")
def sample() -> Columns:
    return simulate("pixel", 50, 5, 0, 3)


@pytest.fixture(scope="module")
def phase1() -> toy.Modules:
    frames = simulate("pixel", 0, 1, 0, 1)
    return toy.of_frames(frames)


def test_digests_are_equal_on_every_variant_and_width(events: Columns) -> None:
    digests = judged.digests_of("pixeltrack", events, 2)
    assert len(set(digests.values())) == 1, digests


def test_an_event_does_not_depend_on_the_one_before(events: Columns) -> None:
    assert not judged.depends_on_the_one_before("pixeltrack", events)


@pytest.mark.parametrize("settings", [{}, {"min_hits": 4}])
def test_the_reference_gives_the_same(settings: dict[str, float]) -> None:
    small = simulate("pixel", 4, 7, 0, 1)
    expected = reference.reconstruct(one_event(small, 0), settings)
    (result,) = run(small, settings)
    assert len(expected["track_pt"]) > 30
    assert physics.differences(expected, result) is None
    # not needed for a score, but so it is on these events
    assert physics._tuples(expected) == physics._tuples(result)
    assert result["count_doublets"] == expected["count_doublets"]
    assert result["count_links"] == expected["count_links"]


def test_physics_is_within_the_ranges(sample: Columns) -> None:
    metrics = physics.measure(sample, run(sample))
    assert metrics.keys() == MANIFEST["physics"].keys()
    assert not outside(metrics)


@pytest.mark.parametrize(
    ("settings", "metric"),
    [
        ({"max_dca_first_cm": 0.01, "max_dca_cm": 0.01}, "efficiency"),
        ({"max_misalignment_barrel": 0.0002, "max_misalignment_disc": 0.0003}, "efficiency"),
        ({"min_hits": 4}, "efficiency"),
        ({"triplet_max_chi2_scale": 0.5, "quadruplet_max_chi2_scale": 0.5}, "efficiency"),
        ({"triplet_max_lost_hits": 3, "quadruplet_max_lost_hits": 6}, "duplicate_rate"),
        ({"field_t": 3.7}, "pt_bias"),
        ({"radiation_lengths_barrel": 0.06, "radiation_lengths_disc": 0.06}, "tip_pull"),
    ],
)
def test_a_wrong_cut_or_constant_has_no_score(
    sample: Columns, settings: dict[str, float], metric: str
) -> None:
    assert metric in outside(physics.measure(sample, run(sample, settings)))


def test_lost_digis_and_moved_modules_have_no_score(sample: Columns) -> None:
    kept = np.random.default_rng(1).random(len(sample["digi_row"])) > 0.1
    lost = dict(sample)
    for name in ("module", "row", "column", "adc", "particle"):
        lost[f"digi_{name}"] = np.ascontiguousarray(sample[f"digi_{name}"][kept])
    lost["digi_offset"] = np.concatenate([[0], np.cumsum(kept)])[sample["digi_offset"]].astype(np.int32)
    assert {"efficiency"} <= outside(physics.measure(lost, run(lost)))
    moved = {**sample, "module_lorentz_x": np.zeros_like(sample["module_lorentz_x"])}
    assert {"hit_x_um", "tip_um"} <= outside(physics.measure(sample, run(moved)))


@pytest.mark.parametrize(
    ("column", "change", "words"),
    [
        ("track_pt", lambda v: v * 1.01, "parameters"),
        ("cluster_x", lambda v: v + np.float32(5e-5), "cluster_x"),
        ("tuple_quality", lambda v: np.where(np.arange(len(v)) % 50 == 0, 1, v), "quality"),
        ("tuple_hit", lambda v: np.roll(v, 1), "n-tuplet"),
        ("digi_cluster", lambda v: np.where(np.arange(len(v)) == 7, -1, v), "digi_cluster"),
    ],
)
def test_a_result_that_differs_from_the_reference_is_caught(
    events: Columns, column: str, change: Any, words: str
) -> None:
    (result, _) = run(events)
    assert physics.differences(result, result) is None
    found = physics.differences(result, {**result, column: change(result[column])})
    assert found is not None
    assert words in found


def test_toy_helices_are_found_with_their_parameters(phase1: toy.Modules) -> None:
    rng = np.random.default_rng(3)
    helices = toy.make_events(phase1, [toy.make_particles(60, rng), toy.make_particles(60, rng)])
    metrics = physics.measure(helices, run(helices))
    assert metrics["efficiency"] > 0.99
    assert metrics["fake_rate"] == 0
    assert metrics["duplicate_rate"] == 0
    assert metrics["tip_um"] < 30  # nothing scatters
    assert metrics["pt_relative"] < 0.02


def test_phase_2_is_a_matter_of_configuration() -> None:
    rng = np.random.default_rng(4)
    particles = toy.make_particles(30, rng, max_eta=3.5, min_pt=1.0)
    sample = toy.make_events(toy.phase2(), [particles])
    settings = {"phase": 2.0}
    (result,) = run(sample, settings)
    assert physics.differences(reference.reconstruct(one_event(sample, 0), settings), result) is None
    event = one_event(sample, 0)
    found = set(physics.particle_of_track(event, result).tolist())
    layers = [
        len(set(sample["module_layer"][event["crossing_module"][event["crossing_particle"] == k]]))
        for k in range(30)
    ]
    seen = [k for k in range(30) if layers[k] >= 4]
    assert len(seen) > 20
    assert sum(k in found for k in seen) >= 0.95 * len(seen)
    assert np.diff(result["tuple_offset"]).max() > 6


def test_nothing_in_gives_nothing_out(events: Columns) -> None:
    empty = {name: column[:0] if name.startswith("digi_") else column for name, column in events.items()}
    empty["digi_offset"] = np.zeros(2, np.int32)
    (result,) = run(empty)
    assert len(result["cluster_x"]) == len(result["track_pt"]) == 0
    assert result["tuple_offset"].tolist() == [0]


def test_what_the_workspace_does_not_hold_is_said(events: Columns) -> None:
    for limit in ("doublets", "links", "tuples"):
        (result, _) = run(events, {f"max_{limit}": 200})
        assert result[f"overflow_{limit}"][0] > 0
        assert len(result["tuple_quality"]) <= 200
    assert not any(
        result[f"overflow_{limit}"][0] for limit in ("doublets", "links", "tuples") for result in run(events)
    )


@pytest.mark.parametrize("limit", ["doublets", "links", "tuples"])
def test_a_full_workspace_leaves_out_the_same_at_every_width(events: Columns, limit: str) -> None:
    digests = set()
    for variant in USABLE:
        for lanes in (1, 0):
            opened = open_kernel(variant, "pixeltrack", events, {f"max_{limit}": 1000}, lanes)
            opened.process(0)
            digests.add(opened.digest())
    assert len(digests) == 1


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"digi_row": 160}, "in its row"),
        ({"digi_column": 416}, "in its column"),
        ({"digi_module": 1856}, "in its module"),
        ({"module_layer": 10}, "'phase'"),
        ({"module_x": np.nan}, "'module_x' holds a number"),
        ({"digi_offset": -1}, "offsets of 'digi'"),
    ],
)
def test_hostile_columns_are_refused(events: Columns, changes: dict[str, float], words: str) -> None:
    bad = dict(events)
    for name, value in changes.items():
        bad[name] = events[name].copy()
        bad[name][-1] = value
    with pytest.raises(ValueError, match=words):
        open_kernel("scalar", "pixeltrack", bad)


def test_hostile_shapes_and_settings_are_refused(events: Columns) -> None:
    backwards = {**events, "digi_module": np.ascontiguousarray(events["digi_module"][::-1])}
    with pytest.raises(ValueError, match="in its order"):
        open_kernel("scalar", "pixeltrack", backwards)
    with pytest.raises(ValueError, match="'module_rotation' has 9 entries"):
        open_kernel("scalar", "pixeltrack", {**events, "module_rotation": events["module_rotation"][:9]})
    with pytest.raises(ValueError, match="'digi_adc'"):
        open_kernel("scalar", "pixeltrack", {**events, "digi_adc": events["digi_adc"].astype(np.int32)})
    for settings in ({"phase": 3.0}, {"min_hits": 2.0}, {"field_t": 0.0}, {"max_tuples": 2e9}):
        with pytest.raises(ValueError, match="set"):
            open_kernel("scalar", "pixeltrack", events, settings)


def one_module(events: Columns, digis: int) -> Columns:
    """So many digis of the first module, neighbours of one another, each with all the charge that 16 bits can say."""
    place = np.arange(digis)
    return {
        **{name: column for name, column in events.items() if not name.startswith("digi_")},
        "digi_offset": np.array([0, digis], dtype=np.int32),
        "digi_module": np.zeros(digis, dtype=np.uint16),
        "digi_row": (place % 160).astype(np.uint16),
        "digi_column": (place // 160).astype(np.uint16),
        "digi_adc": np.full(digis, 65535, dtype=np.uint16),
    }


def test_charge_beyond_what_a_cluster_can_hold_is_refused(events: Columns) -> None:
    # the first layer's scale: 50 electrons a count, less 670
    fit = 2**31 // (50 * 65535 - 670)
    (result,) = run(one_module(events, fit))
    assert list(result["cluster_electrons"]) == [fit * (50 * 65535 - 670)]
    with pytest.raises(
        ValueError, match=f"module 0 of event 0 more than 2147483647 electrons .digis 0 to {fit}."
    ):
        open_kernel("scalar", "pixeltrack", one_module(events, fit + 1))


def test_clusters_are_as_many_as_in_the_events_of_cms(sample: Columns) -> None:
    lines = (FOLDER / "pixel_reference_counts.csv").read_text().splitlines()
    rows = csv.DictReader(line for line in lines if not line.startswith("#"))
    theirs = np.array([[float(row["digis"]), float(row["clusters"])] for row in rows])
    ours = np.array([[len(r["digi_cluster"]), len(r["cluster_x"])] for r in run(sample)], dtype=float)
    # within one standard deviation of theirs, and the same number of pixels in a cluster within a tenth
    assert np.all(np.abs(ours.mean(axis=0) - theirs.mean(axis=0)) < theirs.std(axis=0))
    ratio = ours.sum(axis=0)[0] / ours.sum(axis=0)[1] / (theirs.sum(axis=0)[0] / theirs.sum(axis=0)[1])
    assert abs(ratio - 1) < 0.1


def test_the_picture_shows_event_and_tracks(events: Columns) -> None:
    (result, _) = run(events)
    svg = display.picture(one_event(events, 0), result)
    assert svg.startswith("<svg")
    assert len(svg) < 300_000
    assert svg.count("<path") >= 2
    for word in ("x (cm)", "r (cm)", "z (cm)", "tracks"):
        assert word in svg
