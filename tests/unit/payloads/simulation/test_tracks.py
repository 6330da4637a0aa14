"""Section `tracks`: efficiencies, resolutions and kinds of the tracks that vertexing gets."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from payloads.arrays import Arrays
from payloads.compiled import simulate


@pytest.fixture(scope="module")
def events() -> Arrays:
    return simulate("tracks", 60, 5, 0, 12)


def true_particle(events: Arrays) -> Any:
    """Index of each track's particle within the whole set, and whether the track is of a collision's own point."""
    event = np.repeat(np.arange(len(events["track_offset"]) - 1), np.diff(events["track_offset"]))
    return events["track_particle"] + events["particle_offset"][event], events["track_kind"] == 0


def test_an_event_does_not_depend_on_those_before_it(events: Arrays) -> None:
    later = simulate("tracks", 60, 5, 7, 1)
    begin, end = events["track_offset"][7], events["track_offset"][8]
    assert np.array_equal(later["track_z0"], events["track_z0"][begin:end])
    assert np.array_equal(later["track_covariance_43"], events["track_covariance_43"][begin:end])


def test_z0_and_phi_pull_as_a_gaussian_with_tails(events: Arrays) -> None:
    particle, primary = true_particle(events)
    for off, variance in (
        (events["track_z0"] - events["particle_z"][particle], events["track_covariance_44"]),
        (
            np.angle(np.exp(1j * (events["track_phi"] - events["particle_phi"][particle]))),
            events["track_covariance_11"],
        ),
    ):
        pull = (off / np.sqrt(variance))[primary]
        # 4 % of tracks are smeared twice as wide: sqrt(1 + 0.04 * 3) = 1.058
        assert np.std(pull) == pytest.approx(1.058, abs=0.03)
        assert abs(np.mean(pull)) < 0.05


def test_impact_parameters_and_angles_are_correlated(events: Arrays) -> None:
    particle, primary = true_particle(events)
    d0 = (events["track_d0"] / np.sqrt(events["track_covariance_33"]))[primary]
    phi = np.angle(np.exp(1j * (events["track_phi"] - events["particle_phi"][particle])))[primary]
    # the beam's width of some 10 um is small beside d0's error of a soft track
    assert np.corrcoef(d0, phi / np.sqrt(events["track_covariance_11"][primary]))[0, 1] == pytest.approx(
        -0.85, abs=0.04
    )


def test_covariances_are_positive_definite(events: Arrays) -> None:
    n = len(events["track_pt"])
    covariance = np.zeros((n, 5, 5))
    for i in range(5):
        for j in range(i + 1):
            covariance[:, i, j] = covariance[:, j, i] = events[f"track_covariance_{i}{j}"]
    scale = np.sqrt(np.einsum("nii->ni", covariance))
    assert np.linalg.eigvalsh(covariance / scale[:, :, None] / scale[:, None, :]).min() > 0.05


def test_efficiency_rises_with_momentum_to_its_plateau(events: Arrays) -> None:
    particle, primary = true_particle(events)
    found = np.zeros(len(events["particle_pt"]), dtype=bool)
    found[particle[primary]] = True
    event = np.repeat(np.arange(len(events["particle_offset"]) - 1), np.diff(events["particle_offset"]))
    vertex = events["particle_collision"] + events["collision_offset"][event]
    prompt = events["particle_z"] == events["collision_z"][vertex]
    hadron = (
        (events["particle_charge"] != 0)
        & prompt
        & (np.abs(events["particle_eta"]) < 0.9)
        & (np.abs(events["particle_pdg_id"]) != 13)
    )
    pt = events["particle_pt"]
    assert found[hadron & (pt > 0.9)].mean() == pytest.approx(0.94, abs=0.02)
    assert found[hadron & (pt > 0.18) & (pt < 0.22)].mean() == pytest.approx(0.47, abs=0.05)
    assert not found[np.abs(events["particle_eta"]) > 2.5].any()


def test_kinds_are_as_many_as_said(events: Arrays) -> None:
    share = np.bincount(events["track_kind"], minlength=3) / len(events["track_kind"])
    assert 0.03 < share[1] < 0.12
    assert share[2] == pytest.approx(0.032, abs=0.01)
    assert np.array_equal(events["track_kind"] == 2, events["track_particle"] == -1)


def test_beam_spot_is_that_of_the_collisions() -> None:
    events = simulate("tracks", 200, 9, 0, 20)
    for axis, width in (("x", "beam_width_x"), ("y", "beam_width_y"), ("z", "beam_length_z")):
        assert events[width][0] == pytest.approx(np.std(events[f"collision_{axis}"]), rel=0.05)
