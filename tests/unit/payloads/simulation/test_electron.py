"""Section `electron`: one electron in the pixel hits and in the crystals, a Z boson on top of the same collisions."""

from __future__ import annotations

import numpy as np
import pytest

from payloads.arrays import Array, Arrays, one_event
from payloads.compiled import simulate


@pytest.fixture(scope="module")
def quiet() -> Arrays:
    """A hard collision and a Z alone."""
    return simulate("electron", 0, 4, 0, 150)


def electrons(events: Arrays) -> tuple[Array, Array]:
    """Of each written-down electron its place among the set's particles, and its true energy in GeV."""
    event = np.repeat(np.arange(len(events["electron_offset"]) - 1), np.diff(events["electron_offset"]))
    particle = events["electron_particle"] + events["particle_offset"][event]
    return particle, events["particle_pt"][particle] * np.cosh(events["particle_eta"][particle])


def test_an_event_does_not_depend_on_those_before_it(quiet: Arrays) -> None:
    later, same = one_event(simulate("electron", 0, 4, 60, 1), 0), one_event(quiet, 60)
    assert all(np.array_equal(later[name], same[name]) for name in same)


def test_the_generators_collisions_are_there_as_in_other_sections() -> None:
    mine, theirs = (one_event(simulate(section, 15, 9, 0, 1), 0) for section in ("electron", "truth"))
    count = len(theirs["particle_pt"])
    assert len(mine["collision_z"]) == len(theirs["collision_z"]) + 1
    for name in ("pt", "eta", "phi", "pdg_id", "collision"):
        assert np.array_equal(mine[f"particle_{name}"][:count], theirs[f"particle_{name}"])
    assert np.all(mine["particle_parent"][:count] == -1)


def test_the_last_collision_is_a_z_boson(quiet: Arrays) -> None:
    masses = []
    for i in range(150):
        event = one_event(quiet, i)
        own = np.flatnonzero(
            (event["particle_collision"] == 1)
            & (event["particle_parent"] < 0)
            & (np.abs(event["particle_pdg_id"]) == 11)
        )
        assert sorted(event["particle_charge"][own]) == [-1, 1]
        pt, eta, phi = (event[f"particle_{name}"][own].astype(float) for name in ("pt", "eta", "phi"))
        masses.append(np.sqrt(2 * pt.prod() * (np.cosh(eta[0] - eta[1]) - np.cos(phi[0] - phi[1]))))
    assert np.median(masses) == pytest.approx(91.19, abs=0.6)
    # half of a Breit-Wigner curve lies within its width
    assert np.mean(np.abs(np.array(masses) - 91.19) < 2.495 / 2) == pytest.approx(0.5, abs=0.12)


def test_an_electrons_energy_arrives_though_it_radiates(quiet: Arrays) -> None:
    particle, energy = electrons(quiet)
    eta = np.abs(quiet["particle_eta"][particle])
    inside = (quiet["particle_pt"][particle] > 15) & (eta < 2.8) & ((eta < 1.44) | (eta > 1.57))
    share = quiet["electron_crystals"][inside] / energy[inside]
    assert np.median(share) == pytest.approx(0.995, abs=0.015)
    assert np.mean(share > 0.8) > 0.97
    # exp(-t) of it by the electron itself (CMS, JINST 16 (2021) P05014, figure 1)
    carried = quiet["electron_carried"]
    assert carried[inside & (eta < 0.6)].mean() == pytest.approx(0.62, abs=0.08)
    assert carried[inside & (eta > 1.6) & (eta < 2.2)].mean() == pytest.approx(0.25, abs=0.1)


def test_photons_of_an_electron_lie_beside_it_along_phi(quiet: Arrays) -> None:
    """Energy-weighted place of an electron's crystals against its direction: where it went bends, photons do not."""
    shifts: dict[int, list[float]] = {-1: [], 1: []}
    for i in range(150):
        event = one_event(quiet, i)
        for particle in event["electron_particle"]:
            own = event["ecal_particle"] == particle
            if abs(event["particle_eta"][particle]) < 1.4 and event["ecal_energy"][own].sum() > 15:
                off = event["ecal_phi"][own] - event["particle_phi"][particle]
                off = (off + np.pi) % (2 * np.pi) - np.pi
                shifts[int(event["particle_charge"][particle])].append(
                    float(np.average(off, weights=event["ecal_energy"][own]))
                )
    assert np.median(shifts[1]) < -0.005
    assert np.median(shifts[-1]) > 0.005


def test_hits_are_as_many_as_clusters_of_digis() -> None:
    """At pile-up 50 CMS's reference events have 15097 clusters, section `pixel` 13882 (README of the simulation)."""
    events = simulate("electron", 50, 3, 0, 12)
    assert np.diff(events["hit_offset"]).mean() == pytest.approx(13500, rel=0.2)
    # most hits in the innermost barrel layer, as many at either end
    layers = np.bincount(events["hit_layer"], minlength=10)
    assert np.all(np.diff(layers[:4]) < 0)
    assert layers[4:7].sum() == pytest.approx(layers[7:].sum(), rel=0.15)


def test_hits_of_an_electron_lie_on_its_way(quiet: Arrays) -> None:
    """A helix from the truth, at the radius of the hit: most are met to 100 um, where nothing was radiated yet."""
    near, count = 0, 0
    for i in range(60):
        event = one_event(quiet, i)
        for particle in event["electron_particle"]:
            own = np.flatnonzero((event["hit_particle"] == particle) & (event["hit_layer"] < 4))
            pt, phi, charge = (float(event[f"particle_{name}"][particle]) for name in ("pt", "phi", "charge"))
            r = np.hypot(event["hit_x"][own], event["hit_y"][own])
            way = phi - charge * np.arcsin(r * 0.5 * 0.00299792458 * 3.8 / pt)
            off = np.arctan2(event["hit_y"][own], event["hit_x"][own]) - way
            near += int((np.abs((off + np.pi) % (2 * np.pi) - np.pi) * r < 0.01).sum())
            count += len(own)
    assert count > 300
    assert near / count > 0.8


def test_hadrons_reach_the_towers_and_electrons_hardly(quiet: Arrays) -> None:
    hadrons, electronic = [], []
    for i in range(60):
        event = one_event(quiet, i)
        for particle in event["electron_particle"]:
            dphi = (event["tower_phi"] - event["particle_phi"][particle] + np.pi) % (2 * np.pi) - np.pi
            near = np.hypot(event["tower_eta"] - event["particle_eta"][particle], dphi) < 0.1
            electronic.append(event["tower_energy"][near].sum() / event["particle_pt"][particle])
        hadrons.append(event["tower_energy"].sum())
    assert np.median(electronic) < 0.1
    assert np.median(hadrons) > 50
