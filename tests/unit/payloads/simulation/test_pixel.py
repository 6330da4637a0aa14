"""The pixel detector: multiplicities of CMS's reference events, frames, digis that belong to their truth."""

from __future__ import annotations

import numpy as np
import pytest

from payloads import compiled
from payloads.arrays import Array, one_event
from payloads.simulation import multiplicities

EVENTS = 16


@pytest.fixture(scope="module")
def pixel() -> dict[str, Array]:
    return compiled.simulate("pixel", 50.0, 11, 0, EVENTS)


@pytest.fixture(scope="module")
def counts(pixel: dict[str, Array]) -> list[multiplicities.Counts]:
    return [multiplicities.count(one_event(pixel, event)) for event in range(EVENTS)]


@pytest.mark.parametrize("name", ["digis", "clusters", "modules"])
def test_multiplicities_are_those_of_the_reference_events(
    name: str, counts: list[multiplicities.Counts]
) -> None:
    mean, spread = multiplicities.PUBLISHED[name]
    ours = multiplicities.column(counts, name)
    assert abs(ours.mean() - mean) < spread
    assert 0.5 * spread < ours.std() < 2.0 * spread


def test_clusters_have_the_size_of_the_reference_events(counts: list[multiplicities.Counts]) -> None:
    digis, clusters = (multiplicities.column(counts, name).sum() for name in ("digis", "clusters"))
    assert digis / clusters == pytest.approx(3.96, abs=0.25)


def test_frames_are_orthonormal_and_layers_are_those_of_phase_1(pixel: dict[str, Array]) -> None:
    axes = pixel["module_rotation"].reshape(-1, 3, 3).astype(np.float64)
    np.testing.assert_allclose(axes @ axes.transpose(0, 2, 1), np.tile(np.eye(3), (1856, 1, 1)), atol=1e-6)
    assert np.bincount(pixel["module_layer"]).tolist() == [96, 224, 352, 512, *[112] * 6]


def test_digis_come_by_module_once_each_and_within_it(pixel: dict[str, Array]) -> None:
    one = one_event(pixel, 0)
    module = one["digi_module"].astype(np.int64)
    assert (np.diff(module) >= 0).all()
    assert one["digi_row"].max() < multiplicities.ROWS
    assert one["digi_column"].max() < multiplicities.COLUMNS
    place = (module * 160 + one["digi_row"]) * 416 + one["digi_column"]
    assert len(np.unique(place)) == len(place)


def test_crossings_lie_on_their_modules(pixel: dict[str, Array]) -> None:
    module = pixel["crossing_module"]
    axes = pixel["module_rotation"].reshape(-1, 3, 3)[module].astype(np.float64)
    point = np.stack([pixel[f"crossing_{axis}"] - pixel[f"module_{axis}"][module] for axis in "xyz"], axis=1)
    local = np.einsum("nij,nj->ni", axes, point)
    assert np.abs(local[:, 0]).max() < 0.8101
    assert np.abs(local[:, 1]).max() < 3.2401
    # tight helices are taken where they meet the layer's cylinder, some mm beside the plane
    assert (np.abs(local[:, 2]) < 1e-4).mean() > 0.8
    assert np.abs(local[:, 2]).max() < 0.6


def test_charge_lies_where_the_particle_went_after_the_lorentz_shift(pixel: dict[str, Array]) -> None:
    # mean charge-weighted column and row of stiff prompt particles' clusters, beside their crossings
    one = one_event(pixel, 0)
    module = one["crossing_module"].astype(np.int64)
    particle = one["crossing_particle"].astype(np.int64)
    prompt = np.hypot(one["particle_x"], one["particle_y"]) < 0.1
    stiff = prompt[particle] & (one["particle_pt"][particle] > 1.0) & (one["particle_parent"][particle] < 0)
    key = one["digi_particle"].astype(np.int64) * 2048 + one["digi_module"]
    # centre of a pixel along local x; big pixels at the edge of the two chips
    row = one["digi_row"].astype(np.float64)
    x = (
        row + np.where(row > 80, 2.0, np.where(row == 80, 1.5, np.where(row == 79, 0.5, 0.0))) + 0.5
    ) * 0.01 - 0.81
    charge = multiplicities.electrons(
        pixel["module_layer"][one["digi_module"]], one["digi_adc"].astype(np.float64)
    )
    residuals = []
    for index in np.flatnonzero(stiff)[:300]:
        mine = key == particle[index] * 2048 + module[index]
        if not mine.any():
            continue
        m = module[index]
        axis = pixel["module_rotation"][9 * m : 9 * m + 3]
        point = [one[f"crossing_{a}"][index] - pixel[f"module_{a}"][m] for a in "xyz"]
        residuals.append(
            np.average(x[mine], weights=charge[mine]) + pixel["module_lorentz_x"][m] - np.dot(axis, point)
        )
    assert len(residuals) > 200
    assert abs(np.median(residuals)) < 3e-4
    assert np.percentile(np.abs(residuals), 68) < 3e-3  # 30 um; the pitch is 100 um


def test_noise_and_losses_are_small(pixel: dict[str, Array]) -> None:
    noise = (pixel["digi_particle"] == -1).sum() / EVENTS
    assert 10 < noise < 50


def test_secondaries_follow_the_generators_particles_and_name_their_parents(pixel: dict[str, Array]) -> None:
    one = one_event(pixel, 1)
    parent = one["particle_parent"]
    first = int(np.flatnonzero(parent >= 0)[0])
    assert (parent[:first] == -1).all()
    assert (parent[first:] >= 0).all()
    assert (parent[first:] < np.arange(first, len(parent))).all()
    assert (one["particle_collision"][first:] == one["particle_collision"][parent[first:]]).all()
    truth = one_event(compiled.simulate("truth", 50.0, 11, 1, 1), 0)
    np.testing.assert_array_equal(one["particle_pt"][:first], truth["particle_pt"])


def test_prompt_central_particles_cross_all_four_layers(pixel: dict[str, Array]) -> None:
    one = one_event(pixel, 2)
    wanted = (one["particle_charge"] != 0) & (one["particle_pt"] > 0.9) & (np.abs(one["particle_eta"]) < 1.2)
    wanted &= (np.hypot(one["particle_x"], one["particle_y"]) < 0.1) & (one["particle_parent"] < 0)
    layers = pixel["module_layer"][one["crossing_module"]]
    crossed = [len(set(layers[one["crossing_particle"] == index])) for index in np.flatnonzero(wanted)]
    assert np.mean(np.array(crossed) >= 4) > 0.75
    assert np.mean(np.array(crossed) >= 3) > 0.93
