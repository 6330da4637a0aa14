"""Hgcalml: equal bits at every width, the reference, pictures by hand, ONNX Runtime, bad events."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from payloads import compiled
from payloads.arrays import Array, one_event
from payloads.kernels.hgcalml import network, truth
from payloads.kernels.hgcalml.display import picture
from payloads.kernels.hgcalml.physics import differences
from payloads.kernels.hgcalml.reference import ANSWERS, outputs, reconstruct, softmax
from payloads.kernels.hgcalml.reference_inputs import CLUSTERS, LAYERS, pictures
from tests.unit.payloads.kernels import judged

PILE_UP, SEED, EVENTS = 10.0, 3, 2


@pytest.fixture(scope="module")
def events() -> dict[str, Any]:
    return compiled.simulate("tracksters", PILE_UP, SEED, 0, EVENTS)


@pytest.fixture(scope="module")
def result(events: dict[str, Any]) -> dict[str, Array]:
    return _run(events)


def _run(
    events: dict[str, Any], settings: dict[str, float] | None = None, event: int = 0
) -> dict[str, Array]:
    kernel = compiled.open_kernel(compiled.best_variant().name, "hgcalml", events, settings)
    kernel.process(event)
    return kernel.results()


def _event(
    clusters: list[tuple[float, float, float, int, int]], tracksters: list[tuple[float, float, float, float]]
) -> dict[str, Any]:
    """Clusters of (energy, eta, phi, layer, trackster) and tracksters of (x, y, z, energy)."""
    made: dict[str, Any] = {
        "cluster_offset": np.array([0, len(clusters)], np.int32),
        "trackster_offset": np.array([0, len(tracksters)], np.int32),
    }
    for k, name in enumerate(("energy", "eta", "phi", "layer", "trackster")):
        made[f"cluster_{name}"] = np.array([c[k] for c in clusters], np.float32 if k < 3 else np.int32)
    for k, name in enumerate(("x", "y", "z", "energy")):
        made[f"trackster_{name}"] = np.array([t[k] for t in tracksters], np.float32)
    return made


def _few() -> dict[str, Any]:
    """One trackster across the border of phi with twelve clusters in a layer, one in another endcap, one too soft."""
    first = [(0.5 + 0.1 * (7 * k % 12), 2.0 + 0.002 * k, 3.14 - 0.001 * k, 60, 0) for k in range(12)]
    equal = [(1.0, -2.1 - 0.01 * k, 0.3, 46, 2) for k in range(13)]
    last = [
        (0.2, 2.0, -3.14, 61, 0),
        (0.3, 1.9, -3.1, 93, 0),
        (9.0, 2.0, 0.0, 50, -1),
        (0.4, 2.5, 1.0, 47, 1),
    ]
    return _event(
        first + equal + last,
        [(-90.0, 0.1, 330.0, 13.0), (20.0, 40.0, 330.0, 0.4), (119.0, 36.8, -500.0, 13.0)],
    )


def test_all_variants_and_widths_give_the_same_bits(events: dict[str, Any]) -> None:
    digests = judged.digests_of("hgcalml", events, EVENTS)
    assert len(set(digests.values())) == 1, digests


def test_an_event_depends_on_no_other(events: dict[str, Any]) -> None:
    assert not judged.depends_on_the_one_before("hgcalml", events)
    alone = compiled.simulate("tracksters", PILE_UP, SEED, 1, 1)
    first, second = _run(events, event=1), _run(alone)
    for name, column in first.items():
        np.testing.assert_array_equal(column, second[name], err_msg=name)


def test_the_reference_agrees(events: dict[str, Any], result: dict[str, Array]) -> None:
    expected = reconstruct(one_event(events, 0), {})
    assert len(expected["answer_trackster"]) > 20
    assert differences(expected, result) is None


@pytest.mark.parametrize(
    ("column", "change", "words"),
    [
        ("answer_photon", 1e-3, "differ in photon"),
        ("answer_correction", 1e-3, "differ in correction"),
        ("answer_energy", 0.5, "differ in energy"),
        ("answer_electron", np.nan, "differ in electron"),
        ("answer_trackster", 1, "not the same ones"),
    ],
)
def test_broken_answers_differ_from_the_reference(
    result: dict[str, Array], column: str, change: float, words: str
) -> None:
    changed = result[column].copy()
    changed[3:4] = (changed[3:4] + change).astype(changed.dtype)
    assert words in (differences(result, {**result, column: changed}) or "")
    assert differences(result, result) is None
    assert "no column" in (differences(result, {k: v for k, v in result.items() if k != column}) or "")


def test_a_picture_has_the_ten_clusters_of_most_energy_of_a_layer_in_falling_order() -> None:
    few = _few()
    seen = pictures(one_event(few, 0), {})
    assert seen.shape == (2, LAYERS, CLUSTERS, 3)
    energy = 0.05 * np.expm1(4 * seen[:, :, :, 0])
    np.testing.assert_allclose(energy[0, 13], 0.5 + 0.1 * np.arange(11, 1, -1), rtol=1e-5)
    assert energy[0, 14, 0] == pytest.approx(0.2)
    assert energy[0, 46, 0] == pytest.approx(0.3)
    assert np.count_nonzero(energy[0]) == 12
    # equal energies: by rising index, that is by rising |eta|
    np.testing.assert_allclose(energy[1, 46], 1.0, rtol=1e-5)
    np.testing.assert_allclose(np.diff(seen[1, 46, :, 1]), 0.2, rtol=1e-3)
    # angles are taken across the border of phi
    assert np.abs(seen[0, :, :, 2]).max() < 20 * 0.05
    result = _run(few)
    assert result["answer_trackster"].tolist() == [0, 2]
    assert differences(reconstruct(one_event(few, 0), {}), result) is None


def test_answers_do_not_depend_on_the_order_of_clusters(
    events: dict[str, Any], result: dict[str, Array]
) -> None:
    order = np.random.default_rng(1).permutation(events["cluster_offset"][1])
    mixed = {**compiled.simulate("tracksters", PILE_UP, SEED, 0, 1)}
    for name in ("energy", "eta", "phi", "layer", "trackster"):
        mixed[f"cluster_{name}"] = mixed[f"cluster_{name}"][order]
    for name, column in _run(mixed).items():
        np.testing.assert_array_equal(column, result[name], err_msg=name)


def test_probabilities_add_up_and_energies_follow_their_corrections(
    events: dict[str, Any], result: dict[str, Array]
) -> None:
    share = np.stack([result[f"answer_{name}"] for name in ANSWERS])
    np.testing.assert_allclose(share.sum(axis=0), 1, atol=1e-6)
    assert share.min() >= 0
    raw = events["trackster_energy"][: events["trackster_offset"][1]][result["answer_trackster"]]
    np.testing.assert_allclose(result["answer_energy"], raw * np.exp(result["answer_correction"]), rtol=1e-6)


def test_a_network_of_the_event_set_is_used(events: dict[str, Any], result: dict[str, Array]) -> None:
    weights, exponents = network.read()
    own = {**events, "network_weight": weights, "network_exponent": exponents}
    np.testing.assert_array_equal(_run(own)["answer_photon"], result["answer_photon"])
    own["network_weight"] = np.zeros_like(weights)
    assert np.all(_run(own)["answer_photon"] == np.float32(0.2))
    own["network_weight"] = np.random.default_rng(2).permutation(weights)
    changed = _run(own)
    assert differences(reconstruct(one_event(own, 0), {}), changed) is None
    assert differences(result, changed) is not None


def test_weights_go_to_text_and_back() -> None:
    weights, exponents = network.read()
    assert len(weights) == network.COUNT
    assert np.abs(weights).max() <= network.LARGEST
    assert network.FILE.read_text("ascii") == network.text_of(weights, exponents)
    parameters = network.parameters(weights, exponents)
    again, _ = network.rounded(parameters)
    np.testing.assert_array_equal(
        network.parameters(again, network.rounded(parameters)[1])["hidden"], parameters["hidden"]
    )
    with pytest.raises(ValueError, match="weights in 12 tensors"):
        network.parameters(weights[1:], exponents)


def test_onnx_runtime_gives_the_same_answers(events: dict[str, Any], result: dict[str, Array]) -> None:
    pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    from payloads.kernels.hgcalml.training import onnx_model

    parameters = network.parameters(*network.read())
    seen = pictures(one_event(events, 0), {}).astype(np.float32)
    share, correction = onnx_model.session(parameters).run(None, {"input": seen})
    for k, name in enumerate(ANSWERS):
        np.testing.assert_allclose(result[f"answer_{name}"], share[:, k], atol=1e-5)
    np.testing.assert_allclose(result["answer_correction"], correction[:, 0], atol=1e-5)
    y = outputs(seen.astype(np.float64), parameters)
    np.testing.assert_allclose(share, softmax(y[:, :5]), atol=1e-5)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"cluster_offset": np.array([0, 5], np.int32)}, "offsets say"),
        ({"trackster_offset": np.array([0, 1, 3], np.int32)}, "tracksters of 2"),
        ({"cluster_energy": np.full(29, np.nan, np.float32)}, "cluster_energy.*out of range"),
        ({"cluster_energy": np.full(29, -1, np.float32)}, "out of range"),
        ({"cluster_phi": np.full(29, 9, np.float32)}, "cluster_phi.*out of range"),
        ({"cluster_layer": np.full(29, 94, np.int32)}, "cluster_layer.*0 to 93"),
        ({"cluster_layer": np.full(29, -1, np.int32)}, "cluster_layer.*0 to 93"),
        ({"cluster_trackster": np.full(29, 3, np.int32)}, "a trackster of the event"),
        ({"cluster_trackster": np.full(29, -2, np.int32)}, "a trackster of the event"),
        ({"cluster_trackster": np.full(29, 0, np.uint8)}, "not int32"),
        ({"trackster_x": np.full(3, np.inf, np.float32)}, "trackster_x.*out of range"),
        ({"network_weight": np.zeros(7, np.int16), "network_exponent": np.zeros(12, np.int16)}, "7 weights"),
        ({"network_weight": np.zeros(network.COUNT, np.int16)}, "no column 'network_exponent'"),
        (
            {"network_weight": np.zeros(network.COUNT, np.int16), "network_exponent": np.full(12, 99, np.int16)},
            "network_exponent.*out of range",
        ),
    ],
)  # fmt: skip
def test_events_that_are_none_are_refused(change: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        _run({**_few(), **change})


def test_settings_out_of_bounds_are_refused() -> None:
    for settings in ({"least_energy_gev": -1.0}, {"least_energy_gev": float("nan")}):
        with pytest.raises(ValueError, match="change the manifest"):
            _run(_few(), settings)
    with pytest.raises(ValueError, match="no setting"):
        _run(_few(), {"least_energy": 1.0})


@pytest.mark.parametrize("count", [0, 1, 6, 17])
def test_few_tracksters_are_no_trouble(count: int) -> None:
    few = _event(
        [(1.0 + t, 2.0, 0.01 * t, 3, t) for t in range(count)],
        [(40.0, 1.0 * t, 330.0, 2.0) for t in range(count)],
    )
    assert all(len(column) == count for column in _run(few).values())
    digests = judged.digests_of("hgcalml", few, 1)
    assert len(set(digests.values())) == 1, digests
    assert differences(reconstruct(one_event(few, 0), {}), _run(few)) is None


def test_picture_is_a_small_svg(events: dict[str, Any], result: dict[str, Array]) -> None:
    svg = picture(one_event(events, 0), result)
    assert svg.startswith("<svg")
    assert len(svg) < 300_000
    assert all(name in svg for name in truth.CLASSES)
