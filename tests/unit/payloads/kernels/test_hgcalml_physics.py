"""Hgcalml's verdict: the trained network is within its ranges, a broken one is not; how it learns."""

from __future__ import annotations

import csv
from functools import partial
from typing import Any

import numpy as np
import pytest

from payloads.arrays import Arrays
from payloads.compiled import simulate
from payloads.kernels.hgcalml import network
from payloads.kernels.hgcalml.physics import area, measure, roc
from payloads.kernels.hgcalml.training import data, learning, report
from tests.unit.payloads.kernels import judged

MANIFEST = judged.manifest_of("hgcalml")
results_of = partial(judged.results_of, "hgcalml")
outside = partial(judged.outside, "hgcalml")


@pytest.fixture(scope="module")
def crowded() -> dict[str, Any]:
    run = MANIFEST["events"]
    return simulate("tracksters", run["pile_up"], run["seed"], 0, 3)


def _judged(events: Arrays) -> set[str]:
    return outside(measure(events, results_of(events)))


def test_physics_is_within_its_ranges(crowded: dict[str, Any]) -> None:
    assert _judged(crowded) == set()


def _permuted(which: str) -> Any:
    """Integer weights with those of one tensor, or of all, in another order."""
    weights, exponents = network.read()
    rng = np.random.default_rng(5)
    names = [name for layer in network.LAYERS for name in (layer.name, f"{layer.name}_bias")]
    parameters = network.parameters(weights, exponents)
    at = 0
    for name in names:
        size = parameters[name].size
        if which in (name, "all"):
            weights[at : at + size] = rng.permutation(weights[at : at + size])
        at += size
    return weights, exponents


@pytest.mark.parametrize(
    "which", ["all", "convolution_1", "convolution_2", "convolution_3", "convolution_4", "hidden", "heads"]
)
def test_permuted_weights_are_caught(crowded: dict[str, Any], which: str) -> None:
    weights, exponents = _permuted(which)
    assert _judged({**crowded, "network_weight": weights, "network_exponent": exponents})


def test_other_faults_are_caught(crowded: dict[str, Any]) -> None:
    results = results_of(crowded)
    swapped = [{**r, "answer_photon": r["answer_charged_hadron"], "answer_charged_hadron": r["answer_photon"]}
               for r in results]  # fmt: skip
    assert {"em_area", "right_class"} <= outside(measure(crowded, swapped))
    uncorrected = [
        {**r, "answer_energy": r["answer_energy"] / np.exp(r["answer_correction"])} for r in results
    ]
    assert "hadron_response" in outside(measure(crowded, uncorrected))
    assert "answers" in outside(measure(crowded, results_of(crowded, {"least_energy_gev": 4.0})))
    # the other endcap's layers back to front
    mirrored = {**crowded, "cluster_layer": np.where(crowded["cluster_layer"] < 47, 46 - crowded["cluster_layer"],
                                                     crowded["cluster_layer"])}  # fmt: skip
    assert "em_area" in _judged(mirrored)


def test_areas_and_working_points() -> None:
    signal, background = np.array([0.9, 0.8, 0.4]), np.array([0.1, 0.4, 0.7, 0.2])
    assert area(signal, background) == pytest.approx((4 + 4 + 2.5) / 12)
    assert area(background, signal) == pytest.approx(1 - (4 + 4 + 2.5) / 12)
    assert roc(signal, background, 0.0) == pytest.approx(2 / 3)
    assert np.isnan(area(signal, np.empty(0)))


def _toy(count: int) -> data.Sample:
    """Two kinds: energy in early or in late layers; the ratio follows the energy of one cluster."""
    rng = np.random.default_rng(4)
    kind = rng.integers(0, 2, count)
    ratio = rng.uniform(-0.5, 0.5, count).astype(np.float32)
    picture = np.zeros((count, 50, 10, 3), dtype=np.float32)
    for i in range(count):
        picture[i, 5 + 30 * kind[i] : 15 + 30 * kind[i], 0, 0] = 1 + ratio[i]
    return data.Sample(picture, kind, ratio, np.ones(count, np.float32), np.zeros(count, np.float32))


def test_gradients_are_those_of_finite_differences() -> None:
    """In double precision; biases away from 0, where max(0, x) of an empty picture has a kink."""
    toy, even = _toy(12), np.ones(learning.CLASSES, dtype=np.float32)
    sample = data.Sample(toy.picture.astype(np.float64), toy.kind, toy.log_ratio, toy.has_energy, toy.pile_up)  # type: ignore[arg-type]
    rng = np.random.default_rng(6)
    weights: Any = {
        name: values + rng.uniform(-0.1, 0.1, values.shape) for name, values in learning.start(3).items()
    }

    def loss(changed: Any) -> float:
        entropy, huber, _ = learning.loss_of(learning.outputs(changed, sample.picture), sample, even)
        return entropy + learning.ENERGY_WEIGHT * huber

    _, _, gradient = learning.gradients(weights, sample, even)
    for name, values in weights.items():
        along = rng.standard_normal(values.shape)
        along *= 1e-5 / np.linalg.norm(along)
        slope = (loss({**weights, name: values + along}) - loss({**weights, name: values - along})) / 2
        assert slope == pytest.approx(float((gradient[name] * along).sum()), rel=1e-3, abs=1e-11), name


def test_a_toy_is_learnt() -> None:
    sample, even = _toy(64), np.ones(learning.CLASSES, dtype=np.float32)
    weights, adam = learning.start(1), learning.Adam()
    for _ in range(30):
        _, _, gradient = learning.gradients(weights, sample, even)
        adam.step(weights, gradient, 3e-3)
    y = learning.outputs(weights, sample.picture)
    assert (y[:, : learning.CLASSES].argmax(axis=1) == sample.kind).mean() > 0.95
    assert np.abs(y[:, learning.CLASSES] - sample.log_ratio).mean() < 0.15


def test_performance_is_drawn_from_the_committed_curve(crowded: dict[str, Any]) -> None:
    with report.CURVE.open(encoding="ascii") as file:
        curve = list(csv.DictReader(file))
    assert float(curve[-1]["validation_class_loss"]) < float(curve[0]["validation_class_loss"])
    svg = report.svg(report.answered(crowded), curve, 3)
    assert svg.startswith("<svg")
    assert svg.count("<polyline") == 12
    assert "nan" not in svg
