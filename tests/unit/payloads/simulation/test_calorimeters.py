"""Section `calorimeters`: channels, what hadrons and muons leave, the same collisions as in the other sections."""

from __future__ import annotations

import numpy as np
import pytest

from payloads.arrays import Array, Arrays
from payloads.compiled import simulate

CRYSTALS = 90_000


@pytest.fixture(scope="module")
def quiet() -> Arrays:
    """Hard collisions alone."""
    return simulate("calorimeters", 0, 2, 0, 60)


@pytest.fixture(scope="module")
def crowded() -> Arrays:
    return simulate("calorimeters", 60, 3, 0, 2)


def layers(events: Arrays) -> Array:
    return np.asarray(events["channel_layer"][events["rechit_channel"]])


def test_there_are_as_many_channels_as_cms_has(quiet: Arrays) -> None:
    count = np.bincount(quiet["channel_layer"], minlength=13)
    assert count[:2].tolist() == [61_200, 28_800]
    assert count[2:6].sum() == 9_216
    assert count[6:].sum() == 6_768


def test_neighbours_are_near_mutual_and_of_the_same_layer(quiet: Arrays) -> None:
    beside = quiet["channel_neighbours"].reshape(-1, 8)
    i, k = np.nonzero(beside >= 0)
    j = beside[i, k]
    assert np.array_equal(quiet["channel_layer"][i], quiet["channel_layer"][j])
    assert np.all(i != j)
    place = np.stack([quiet[f"channel_{axis}"] for axis in "xyz"], 1)
    away = np.linalg.norm(place[i] - place[j], axis=1)
    assert away[i < CRYSTALS].max() < 6
    assert away[i >= CRYSTALS].max() < 60
    # mutual but where 72 sectors meet 36: there a wide tower has four narrow ones beside it and names three
    pairs = set(zip(i.tolist(), j.tolist(), strict=True))
    lonely = [a for a, b in pairs if (b, a) not in pairs]
    assert all(abs(abs(quiet["channel_eta"][a]) - 1.74) < 0.06 for a in lonely)
    # a barrel ring closes
    assert all(np.all(beside[i[quiet["channel_layer"][i] == 2], step] >= 0) for step in (2, 3))


def test_all_sections_see_the_same_collisions(quiet: Arrays) -> None:
    for section, names in (
        ("ecal", ("particle_pt",)),
        ("tracks", ("particle_pt", "track_q_over_pt", "track_particle")),
    ):
        other = simulate(section, 0, 2, 0, 60)
        for name in names:
            assert np.array_equal(other[name], quiet[name])
    crystals = simulate("ecal", 0, 2, 0, 60)
    ours = quiet["rechit_channel"] < CRYSTALS
    assert np.array_equal(quiet["rechit_channel"][ours], crystals["ecal_index"])
    assert np.array_equal(quiet["rechit_energy"][ours], crystals["ecal_energy"])


def test_an_event_does_not_depend_on_those_before_it(quiet: Arrays) -> None:
    later = simulate("calorimeters", 0, 2, 40, 1)
    begin, end = quiet["rechit_offset"][40], quiet["rechit_offset"][41]
    assert np.array_equal(later["rechit_energy"], quiet["rechit_energy"][begin:end])
    assert np.array_equal(later["rechit_channel"], quiet["rechit_channel"][begin:end])


def test_channels_rise_and_there_are_a_thousand_cells_and_more(crowded: Arrays) -> None:
    for event in range(2):
        own = crowded["rechit_channel"][crowded["rechit_offset"][event] : crowded["rechit_offset"][event + 1]]
        assert np.all(np.diff(own) > 0)
        assert 1_000 < (own >= CRYSTALS).sum() < 10_000


def test_noise_alone_lifts_as_many_cells_as_a_gaussian_tail(quiet: Arrays) -> None:
    noise = (quiet["rechit_particle"] < 0) & (layers(quiet) >= 2)
    assert noise.sum() / 60 == pytest.approx(15_984 * 0.02275, rel=0.12)  # less the cells that were hit


def hadrons(events: Arrays, low_gev: float, high_gev: float) -> tuple[Array, Array]:
    """Energy, and what the truth says that they left in both calorimeters, of hadrons that showered in the brass."""
    energy = events["particle_pt"] * np.cosh(events["particle_eta"])
    wanted = (np.abs(events["particle_pdg_id"]) > 100) & (np.abs(events["particle_eta"]) < 2.6)
    wanted &= (energy > low_gev) & (energy < high_gev) & (events["particle_in_brass"] > 0)
    left = events["particle_in_brass"] + events["particle_in_crystals"]
    return energy[wanted], left[wanted] / energy[wanted]


def test_hadrons_are_measured_as_a_calorimeter_that_does_not_compensate_does(quiet: Arrays) -> None:
    _, soft = hadrons(quiet, 2, 4)
    _, hard = hadrons(quiet, 30, 80)
    assert 0.75 < soft.mean() < 0.95
    assert 0.90 < hard.mean() < 1.05
    # 85 % / sqrt(E), part of the energy in crystals without an error of its own
    energy, ratio = hadrons(quiet, 8, 20)
    assert ratio.std() == pytest.approx(0.85 / np.sqrt(energy.mean()), rel=0.35)


def test_muons_leave_little_and_everywhere(quiet: Arrays) -> None:
    central = (np.abs(quiet["particle_pdg_id"]) == 13) & (np.abs(quiet["particle_eta"]) < 1.2)
    left = quiet["particle_in_brass"][central & (quiet["particle_pt"] > 20)]
    assert len(left) > 20
    assert np.median(left) == pytest.approx(2.5, abs=0.6)
    assert left.max() < 6
