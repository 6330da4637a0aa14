"""Section `ecal`: where crystals are, how well showers are measured, what electrons radiate."""

from __future__ import annotations

import numpy as np
import pytest

from payloads.arrays import Array, Arrays
from payloads.compiled import simulate


@pytest.fixture(scope="module")
def quiet() -> Arrays:
    """Hard collisions alone."""
    return simulate("ecal", 0, 2, 0, 150)


@pytest.fixture(scope="module")
def crowded() -> Arrays:
    return simulate("ecal", 200, 3, 0, 2)


def clusters(events: Arrays) -> tuple[Array, Array, Array]:
    """Of each cluster: its particle within the set, |pdg_id|, the particle's energy in GeV."""
    event = np.repeat(np.arange(len(events["sc_offset"]) - 1), np.diff(events["sc_offset"]))
    particle = events["sc_particle"] + events["particle_offset"][event]
    energy = events["particle_pt"][particle] * np.cosh(events["particle_eta"][particle])
    return particle, np.abs(events["particle_pdg_id"][particle]), energy


def test_an_event_does_not_depend_on_those_before_it(quiet: Arrays) -> None:
    later = simulate("ecal", 0, 2, 60, 1)
    begin, end = quiet["ecal_offset"][60], quiet["ecal_offset"][61]
    assert np.array_equal(later["ecal_energy"], quiet["ecal_energy"][begin:end])


def test_crystals_lie_where_their_indices_say(crowded: Arrays) -> None:
    region, index = crowded["ecal_region"], crowded["ecal_index"]
    in_barrel = region == 0
    assert np.array_equal(in_barrel, index < 61200)
    assert np.all(np.abs(crowded["ecal_eta"][in_barrel]) < 1.479)
    assert np.all(
        (np.abs(crowded["ecal_eta"][~in_barrel]) > 1.47) & (np.abs(crowded["ecal_eta"][~in_barrel]) < 3.0)
    )
    ieta, iphi = (crowded[name][in_barrel].astype(int) for name in ("ecal_ieta", "ecal_iphi"))
    assert set(np.unique(np.abs(ieta))) <= set(range(1, 86))
    assert iphi.min() >= 1
    assert iphi.max() <= 360
    centre = (np.abs(ieta) - 0.5) * 1.479 / 85 * np.sign(ieta)
    assert np.allclose(centre, crowded["ecal_eta"][in_barrel], atol=1e-5)
    for event in range(2):
        part = index[crowded["ecal_offset"][event] : crowded["ecal_offset"][event + 1]]
        assert np.all(np.diff(part) > 0)


def test_crystals_are_read_out_above_three_deviations_of_the_noise(crowded: Arrays) -> None:
    assert crowded["ecal_energy"][crowded["ecal_region"] == 0].min() > 3 * 0.042
    assert crowded["ecal_energy"][crowded["ecal_region"] > 0].min() > 3 * 0.150


def test_noise_alone_lifts_as_many_crystals_as_a_gaussian_tail(quiet: Arrays) -> None:
    alone = (quiet["ecal_particle"] < 0) & (quiet["ecal_region"] == 0)
    # 61200 crystals, few of which a single collision hits
    assert alone.sum() / 150 == pytest.approx(61200 * 1.35e-3, rel=0.05)


def test_photons_are_measured_to_the_published_resolution(quiet: Arrays) -> None:
    particle, kind, energy = clusters(quiet)
    eta = np.abs(quiet["particle_eta"][particle])
    inside = (kind == 22) & (energy > 20) & ((eta < 1.44) | ((eta > 1.55) & (eta < 2.9)))
    assert inside.sum() > 100
    pull = (quiet["sc_energy"] / energy - 1) / np.sqrt(0.028**2 / energy + 0.003**2)
    low, middle, high = np.percentile(pull[inside], [15.87, 50, 84.13])
    assert (high - low) / 2 == pytest.approx(1.0, abs=0.15)
    assert abs(middle) < 0.3  # a little leaks beyond the edges


def test_photons_fly_straight_and_electrons_radiate_along_phi(quiet: Arrays) -> None:
    particle, kind, energy = clusters(quiet)
    dphi = np.angle(np.exp(1j * (quiet["sc_phi"] - quiet["particle_phi"][particle])))
    assert np.abs(dphi[(kind == 22) & (energy > 20)]).max() < 1e-3
    electron = (kind == 11) & (quiet["particle_pt"][particle] > 20)
    charge = quiet["particle_charge"][particle]
    # positive charges turn clockwise
    assert np.all(np.sign(np.median(dphi[electron & (charge > 0)])) == -1)
    assert np.all(np.sign(np.median(dphi[electron & (charge < 0)])) == 1)
    radiated = quiet["sc_radiated"]
    assert np.all(radiated[kind == 22] == 0)
    # 1 - exp(-t): a third in the centre, most of it behind the services at |eta| = 1.4 (CMS, JINST 16 P05014)
    eta = np.abs(quiet["particle_eta"][particle])
    assert radiated[electron & (eta < 0.6)].mean() == pytest.approx(0.38, abs=0.08)
    assert radiated[electron & (eta > 1.2) & (eta < 1.8)].mean() == pytest.approx(0.78, abs=0.08)


def test_a_moliere_radius_holds_ninety_per_cent() -> None:
    core, tail = 0.22, 1.25
    share = 0.90 / (1 + core**2) + 0.10 / (1 + tail**2)
    assert share == pytest.approx(0.90, abs=0.01)


def test_crystals_of_a_photon_add_up_to_its_cluster(quiet: Arrays) -> None:
    particle, kind, energy = clusters(quiet)
    event = np.repeat(np.arange(150), np.diff(quiet["ecal_offset"]))
    owner = np.where(
        quiet["ecal_particle"] >= 0, quiet["ecal_particle"] + quiet["particle_offset"][event], -1
    )
    sums = np.bincount(
        owner[owner >= 0], weights=quiet["ecal_energy"][owner >= 0], minlength=len(quiet["particle_pt"])
    )
    hard = (kind == 22) & (energy > 30)
    ratio = sums[particle[hard]] / quiet["sc_energy"][hard]
    # what zero suppression takes of the tail
    assert 0.93 < np.median(ratio) < 1.01
