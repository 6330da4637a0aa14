"""CLUE and CLUE3D: equal bits at every width, the reference, physics, sets of points with known labels, bad events."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from payloads import compiled
from payloads.arrays import one_event
from payloads.kernels.clue.physics import differences
from payloads.kernels.clue.reference import reconstruct
from tests.unit.payloads.kernels import judged

Points = np.ndarray[Any, np.dtype[np.float64]]
Labels = np.ndarray[Any, np.dtype[np.int64]]


@pytest.fixture(scope="module")
def events() -> dict[str, Any]:
    return compiled.simulate("hgcal", 10, 3, 0, 2)


@pytest.fixture(scope="module")
def busy() -> dict[str, Any]:
    return compiled.simulate("hgcal", 200, 20261122, 0, 1)


def _run(events: dict[str, Any], settings: dict[str, float] | None = None, event: int = 0) -> dict[str, Any]:
    kernel = compiled.open_kernel(compiled.best_variant().name, "clue", events, settings)
    kernel.process(event)
    return kernel.results()


def _plane(points: Points, weight: Points | None = None) -> dict[str, Any]:
    """Plain points as the cells of one plane."""
    count = len(points)
    zeros = np.zeros(count, dtype=np.float32)
    return {
        "rechit_offset": np.array([0, count], dtype=np.int32),
        "rechit_x": points[:, 0].astype(np.float32), "rechit_y": points[:, 1].astype(np.float32), "rechit_z": zeros,
        "rechit_eta": zeros, "rechit_phi": zeros, "rechit_sigma_noise": zeros,
        "rechit_energy": (np.ones(count) if weight is None else weight).astype(np.float32),
        "rechit_layer": zeros.astype(np.uint8), "rechit_is_silicon": np.ones(count, dtype=np.uint8),
    }  # fmt: skip


def _rand_index(one: Labels, other: Labels) -> float:
    """Adjusted Rand index (Hubert and Arabie 1985): 1 for equal partitions, 0 on average for chance."""
    table = np.zeros((one.max() + 1, other.max() + 1))
    np.add.at(table, (one, other), 1)

    def pairs(counts: Any) -> float:
        return float((counts * (counts - 1) / 2).sum())

    both, rows, columns = pairs(table), pairs(table.sum(1)), pairs(table.sum(0))
    chance = rows * columns / pairs(np.array([len(one)]))
    return (both - chance) / ((rows + columns) / 2 - chance)


def _blobs(rng: np.random.Generator) -> tuple[Points, Labels]:
    centres = np.array([[0, 0], [8, 1], [3, 9], [-7, 6], [-5, -8]])
    labels = np.repeat(np.arange(5), 300)
    return centres[labels] + rng.normal(0, 1, (1500, 2)), labels


def _stretched(rng: np.random.Generator) -> tuple[Points, Labels]:
    points, labels = _blobs(rng)
    return points @ np.array([[0.6, -0.6], [-0.4, 0.8]]) * 1.5, labels


def _moons(rng: np.random.Generator) -> tuple[Points, Labels]:
    angle = np.linspace(0, np.pi, 400)
    upper = np.column_stack([np.cos(angle), np.sin(angle)])
    lower = np.column_stack([1 - np.cos(angle), 0.5 - np.sin(angle)])
    # denser towards one end, so that each moon has one summit
    points = np.concatenate([upper, lower]) + rng.normal(0, 0.03, (800, 2))
    return points, np.repeat([0, 1], 400)


def _lattice(rng: np.random.Generator) -> tuple[Points, Labels]:
    """36 knots of 20 points each, and 40 stray points that belong to none."""
    knots = np.stack(np.meshgrid(np.arange(6) * 10.0, np.arange(6) * 10.0), -1).reshape(-1, 2)
    labels = np.repeat(np.arange(36), 20)
    stray = np.stack(np.meshgrid(np.arange(5) * 10.0 + 5, np.arange(5) * 10.0 + 5), -1).reshape(-1, 2)
    points = np.concatenate([knots[labels] + rng.uniform(-0.4, 0.4, (720, 2)), stray])
    return points, np.concatenate([labels, np.full(len(stray), 36)])


def _summits(points: Points, labels: Labels) -> Points:
    """Weights that fall from the middle of each moon to its ends."""
    order = np.concatenate([np.arange(400), np.arange(400)])
    return np.asarray(1.0 + 200.0 - np.abs(order - 200.0)) / 100 + 0 * points[:, 0] + 0 * labels


@pytest.mark.parametrize(
    ("make", "deltac", "critical", "factor", "least"),
    [
        (_blobs, 1.2, 20.0, 2.0, 0.99),
        (_stretched, 0.9, 20.0, 2.0, 0.99),
        (_moons, 0.25, 5.0, 1.2, 0.99),
        (_lattice, 1.0, 5.0, 2.0, 1.0),
    ],
)  # fmt: skip
def test_known_labels_are_found(
    make: Any, deltac: float, critical: float, factor: float, least: float
) -> None:
    points, labels = make(np.random.default_rng(7))
    plane = _plane(points, _summits(points, labels) if make is _moons else None)
    settings = {"deltac_cm": deltac, "critical_gev": critical, "threshold_sigma": 0.0, "link": 0.0,
                "outlier_factor": factor}  # fmt: skip
    found = _run(plane, settings)
    cluster = found["rechit_cluster"].astype(np.int64)
    assert _rand_index(labels, cluster + 1) >= least
    assert differences(reconstruct(one_event(plane, 0), settings), found) is None


def test_stray_points_belong_to_no_cluster() -> None:
    points, labels = _lattice(np.random.default_rng(7))
    settings = {"deltac_cm": 1.0, "critical_gev": 5.0, "threshold_sigma": 0.0, "link": 0.0}
    found = _run(_plane(points), settings)
    assert len(found["cluster_x"]) == 36
    np.testing.assert_array_equal(found["rechit_cluster"] < 0, labels == 36)


def test_a_cluster_across_the_border_of_phi_is_one() -> None:
    plane = _plane(np.zeros((6, 2)))
    plane["rechit_phi"] = np.array([3.13, -3.13, 3.11, -3.11, 1.0, -1.0], dtype=np.float32)
    plane["rechit_eta"] = np.full(6, 2.0, dtype=np.float32)
    plane["rechit_energy"] = np.array([5, 1, 1, 1, 1, 1], dtype=np.float32)
    plane["rechit_is_silicon"][:] = 0
    settings = {"critical_gev": 0.5, "threshold_sigma": 0.0, "link": 0.0}
    found = _run(plane, settings)
    assert found["rechit_cluster"].tolist() == [0, 0, 0, 0, 1, 2]
    assert differences(reconstruct(one_event(plane, 0), settings), found) is None


def test_all_variants_and_widths_give_the_same_bits(events: dict[str, Any]) -> None:
    digests = judged.digests_of("clue", events, 2)
    assert len(set(digests.values())) == 1, digests


def test_an_event_does_not_depend_on_its_company(events: dict[str, Any]) -> None:
    alone = compiled.simulate("hgcal", 10, 3, 1, 1)
    first, second = _run(events, event=1), _run(alone)
    for name, column in first.items():
        np.testing.assert_array_equal(column, second[name], err_msg=name)


def test_the_reference_agrees(events: dict[str, Any]) -> None:
    reference = reconstruct(one_event(events, 0), {})
    result = _run(events)
    assert differences(reference, result) is None
    shifted = {**result, "cluster_x": result["cluster_x"] + np.float32(0.01)}
    assert "clusters differ in x" in (differences(reference, shifted) or "")
    assert differences(reference, _run(events, {"kappa": 12.0})) is not None


def test_a_busy_event_has_the_published_multiplicities(busy: dict[str, Any]) -> None:
    result = _run(busy)
    assert len(busy["rechit_x"]) > 100_000
    assert 10_000 < np.sum(result["cluster_cells"] >= 2) < 100_000


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"rechit_offset": np.array([0, 5], dtype=np.int32)}, "offsets say"),
        ({"rechit_energy": np.full(4, np.nan, dtype=np.float32)}, "out of range"),
        ({"rechit_phi": np.full(4, 9, dtype=np.float32)}, "out of range"),
        ({"rechit_energy": np.full(4, 9e5, dtype=np.float32)}, "units_per_gev"),
        ({"rechit_layer": np.zeros(4, dtype=np.int32)}, "int32"),
    ],
)
def test_events_that_are_none_are_refused(change: dict[str, Any], words: str) -> None:
    plane = _plane(np.zeros((4, 2)))
    with pytest.raises(ValueError, match=words):
        _run({**plane, **change}, {"link": 0.0})


def test_planes_that_no_endcap_has_and_unknown_settings_are_refused() -> None:
    plane = _plane(np.zeros((4, 2)))
    with pytest.raises(ValueError, match="no endcap"):
        _run(plane)
    with pytest.raises(ValueError, match="no setting"):
        _run(plane, {"deltac": 1.0})
    with pytest.raises(ValueError, match="deltac is too small"):
        _run(_plane(np.full((4, 2), 9e3)), {"deltac_cm": 0.01, "link": 0.0})


def test_an_event_without_cells_gives_nothing() -> None:
    found = _run(_plane(np.zeros((0, 2))))
    assert all(len(column) == 0 for column in found.values())
