"""Layers of a scene survive the way to a page, as fine as a screen needs."""

from __future__ import annotations

import json

import numpy as np
import pytest

from payloads.scene import MOST_CURVES, MOST_POINTS, curves, from_json, points, to_json


def test_points_come_back_to_a_thirty_thousandth_of_their_reach() -> None:
    places = np.random.default_rng(1).uniform(-500, 500, (3, 1000))
    layer = points("hits", "#112233", 1.5, places, sizes=np.linspace(0.5, 4.0, 1000))
    found = from_json(json.loads(json.dumps(to_json(layer))))
    assert (found.name, found.colour, found.width, found.there, found.ends) == (
        "hits",
        "#112233",
        1.5,
        1000,
        None,
    )
    assert found.places == pytest.approx(places.T, abs=500 / 32_767)
    assert found.sizes == pytest.approx(np.linspace(0.5, 4.0, 1000), abs=0.011)


def test_small_things_keep_their_places() -> None:
    vertex = points("vertices", "#112233", 3.0, np.array([[1e-3], [-2e-3], [4.0]]))
    assert from_json(to_json(vertex)).places == pytest.approx(np.array([[1e-3, -2e-3, 4.0]]), abs=2e-4)


def test_of_too_many_points_every_nth_is_kept_and_all_are_counted() -> None:
    many = np.arange(2 * MOST_POINTS + 1, dtype=np.float64)
    layer = points("hits", "#112233", 1.0, (many, many, many), sizes=many)
    assert layer.there == len(many)
    assert layer.sizes is not None
    assert len(layer.places) == len(layer.sizes) == -(-len(many) // 3) <= MOST_POINTS
    assert np.array_equal(layer.places[:3, 0], [0, 3, 6])


def test_curves_of_different_lengths_stay_apart() -> None:
    lines = [np.full((n, 3), float(n)) for n in (2, 5, 3)]
    found = from_json(to_json(curves("tracks", "#112233", 1.0, lines)))
    assert found.ends is not None
    assert found.ends.tolist() == [2, 7, 10]
    assert found.places[2:7] == pytest.approx(np.full((5, 3), 5.0), abs=1e-3)
    assert curves("tracks", "#112233", 1.0, lines * MOST_CURVES).there == 3 * MOST_CURVES


def test_nothing_is_a_layer_too() -> None:
    nothing = np.zeros(0)
    assert from_json(to_json(points("hits", "#112233", 1.0, [nothing] * 3))).places.shape == (
        0,
        3,
    )
    assert from_json(to_json(curves("tracks", "#112233", 1.0, []))).places.shape == (0, 3)
