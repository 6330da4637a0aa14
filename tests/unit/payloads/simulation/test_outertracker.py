"""Section `outertracker`: where modules are, what crosses them, and that an event is itself wherever it begins."""

from __future__ import annotations

import numpy as np
import pytest

from payloads.arrays import Array, Arrays, one_event
from payloads.compiled import simulate


@pytest.fixture(scope="module")
def events() -> Arrays:
    return simulate("outertracker", 10, 2, 0, 6)


def test_an_event_does_not_depend_on_those_before_it(events: Arrays) -> None:
    alone = simulate("outertracker", 10, 2, 4, 1)
    later = one_event(events, 4)
    for name in ("hit_module", "hit_sensor", "hit_x", "hit_z", "hit_particle", "particle_parent"):
        assert np.array_equal(one_event(alone, 0)[name], later[name])


def test_modules_are_as_many_and_lie_where_the_layout_has_them(events: Arrays) -> None:
    layer, pixels = events["module_layer"], events["module_has_pixels"] != 0
    assert np.bincount(layer)[:6].tolist() == [558, 910, 1404, 24 * 48, 24 * 60, 24 * 76]
    # layout OT800: 5592 PS and 7608 2S modules (LSTGeometry, data/module_info_OT800_IT615.csv)
    assert (pixels.sum(), (~pixels).sum()) == (5592, 7608)
    r, z = np.hypot(events["module_x"], events["module_y"]), events["module_z"]
    # mean radii and z of layers: LSTGeometry, data/average_r_OT800_IT615.txt, and CMSSW's kMiniRminMeanEndcap
    for number, mean in enumerate((24.9438, 37.1678, 52.2700, 68.7000, 86.0000, 108.3000)):
        assert r[layer == number].mean() == pytest.approx(mean, rel=0.01)
    for number, mean in enumerate((130.993, 154.814, 185.353, 221.635, 265.022)):
        assert np.abs(z[layer == 6 + number]).mean() == pytest.approx(mean, rel=0.003)
    # one module of the table: TBPS layer 3, ring 9, phi -80 degrees
    there = np.stack([52.45 * np.cos(np.radians(-80)), 52.45 * np.sin(np.radians(-80)), 36.3047])
    apart = np.stack([events[f"module_{axis}"] for axis in "xyz"], axis=1) - there
    nearest = np.argmin((apart**2).sum(axis=1))
    assert np.abs(apart[nearest]).max() < 1e-3
    assert events["module_gap"][nearest] == pytest.approx(0.26)
    normal = events["module_rotation"].reshape(-1, 3, 3)[nearest, 2]
    assert normal[2] == pytest.approx(np.sin(np.radians(44)), abs=1e-5)


def test_frames_are_right_handed_and_look_away_from_the_beam_spot(events: Arrays) -> None:
    rotation = events["module_rotation"].reshape(-1, 3, 3).astype(np.float64)
    assert np.allclose(rotation @ rotation.transpose(0, 2, 1), np.eye(3), atol=1e-6)
    assert np.all(np.linalg.det(rotation) > 0.99)
    centre = np.stack([events[f"module_{axis}"] for axis in "xyz"], axis=1)
    assert np.all((centre * rotation[:, 2]).sum(axis=1) > 20)


def test_hits_lie_in_their_sensors_in_the_order_of_the_read_out(events: Arrays) -> None:
    module, sensor = events["hit_module"].astype(int), events["hit_sensor"].astype(int)
    centre = np.stack([events[f"module_{axis}"] for axis in "xyz"], axis=1)[module]
    rotation = events["module_rotation"].reshape(-1, 3, 3)[module]
    local = np.einsum(
        "nij,nj->ni", rotation, np.stack([events[f"hit_{axis}"] for axis in "xyz"], axis=1) - centre
    )
    pixels = events["module_has_pixels"][module] != 0
    assert np.all(np.abs(local[:, 0]) < np.where(pixels, 4.8, 4.572))
    assert np.all(np.abs(local[:, 1]) < np.where(pixels, 2.3472, 5.025))
    half_gap = events["module_gap"][module] / 2
    assert np.allclose(local[:, 2], np.where(sensor == 0, -half_gap, half_gap), atol=1e-4)
    for event in range(6):
        begin, end = events["hit_offset"][event : event + 2]
        assert np.all(np.diff(2 * module[begin:end] + sensor[begin:end]) >= 0)


def seen(event: Arrays) -> Array:
    """Of each particle and layer, whether both sensors saw it."""
    particle = event["hit_particle"]
    known = particle >= 0
    both = np.zeros((len(event["particle_pt"]), 11, 2), dtype=bool)
    layer = event["module_layer"][event["hit_module"]]
    both[particle[known], layer[known], event["hit_sensor"][known]] = True
    return np.asarray(both.all(axis=2))


def test_muons_meet_six_layers(events: Arrays) -> None:
    """No gaps from the beam spot: muons neither interact nor curl."""
    count = []
    for index in range(6):
        event = one_event(events, index)
        layers = seen(event).sum(axis=1)
        muon = (np.abs(event["particle_pdg_id"]) == 13) & (np.abs(event["particle_eta"]) < 2.3)
        count += layers[muon].tolist()
    assert len(count) >= 6
    assert min(count) >= 4
    assert np.mean(count) > 5.4


def test_photons_convert_where_there_is_matter(events: Arrays) -> None:
    parent = events["particle_parent"]
    made = parent >= 0
    assert made.sum() > 50
    assert set(np.abs(events["particle_pdg_id"][made]).tolist()) == {11}
    assert np.all(np.hypot(events["particle_x"][made], events["particle_y"][made]) < 111)
    assert np.all(np.hypot(events["particle_x"][made], events["particle_y"][made]) > 2.2)
    share = made.sum() / 2 / (events["particle_pdg_id"] == 22).sum()
    assert 0.02 < share < 0.4


def test_more_pile_up_is_more_hits_in_proportion() -> None:
    few, many = (simulate("outertracker", pile_up, 5, 0, 4) for pile_up in (20, 100))
    hits = [len(one["hit_x"]) / len(one["collision_x"]) for one in (few, many)]
    assert hits[1] == pytest.approx(hits[0], rel=0.4)
    noise = [(one["hit_particle"] < 0).mean() for one in (few, many)]
    assert all(0.02 < share < 0.2 for share in noise)
