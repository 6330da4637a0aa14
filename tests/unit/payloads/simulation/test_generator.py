"""The generator beside published figures, and events that do not depend on what else is made."""

from __future__ import annotations

import numpy as np
import pytest

from payloads import compiled
from payloads.arrays import Array, Arrays, one_event

EVENTS = 120
PILE_UP = 50.0


@pytest.fixture(scope="module")
def truth() -> dict[str, Array]:
    return compiled.simulate("truth", PILE_UP, 4, 0, EVENTS)


def soft(truth: Arrays) -> Array:
    """Which particles are charged and of a minimum-bias collision."""
    chosen: Array = (truth["particle_charge"] != 0) & (truth["particle_collision"] > 0)
    return chosen


def test_multiplicity_and_spectrum_are_those_of_pythia(truth: Arrays) -> None:
    # 39.1 charged particles with |eta| < 2.9 a collision, of mean 0.559 GeV, 40 % above 0.5 GeV
    seen = soft(truth) & (np.abs(truth["particle_eta"]) < 2.9)
    collisions = len(truth["collision_x"]) - EVENTS
    assert seen.sum() / collisions == pytest.approx(39.1, rel=0.05)
    pt = truth["particle_pt"][seen]
    assert pt.mean() == pytest.approx(0.559, rel=0.02)
    assert (pt > 0.5).mean() == pytest.approx(0.40, abs=0.02)


def test_the_plateau_is_flat_and_falls_forward(truth: Arrays) -> None:
    eta = np.abs(truth["particle_eta"][soft(truth)])
    density = np.histogram(eta, bins=[0.0, 0.5, 2.0, 2.5, 4.7, 5.2])[0] / [1.0, 3.0, 1.0, 4.4, 1.0]
    central, _, shoulder, _, forward = density
    assert 1.05 < shoulder / central < 1.25  # CMS, 13 TeV: the dip at eta = 0
    assert 0.6 < forward / shoulder < 0.9


def test_multiplicities_spread_like_a_negative_binomial(truth: Arrays) -> None:
    counts = []
    for event in range(EVENTS):
        one = one_event(truth, event)
        seen = soft(one) & (np.abs(one["particle_eta"]) < 2.4)
        counts.append(np.bincount(one["particle_collision"][seen], minlength=len(one["collision_x"]))[1:])
    n = np.concatenate(counts).astype(np.float64)
    # normalised second moment: CMS, J. High Energy Phys. 01 (2011) 079, sees 1.8 at 7 TeV; Poisson would give 1.03
    assert 1.6 < (n**2).mean() / n.mean() ** 2 < 2.1


def test_kinds_are_mixed_as_measured(truth: Arrays) -> None:
    seen = soft(truth) & (np.abs(truth["particle_eta"]) < 2.0)
    kind = np.abs(truth["particle_pdg_id"][seen])
    pt = truth["particle_pt"][seen]
    means = [pt[kind == code].mean() for code in (211, 321, 2212)]
    assert means == sorted(means)
    assert (kind == 211).mean() == pytest.approx(0.85, abs=0.03)
    assert (kind == 321).mean() == pytest.approx(0.09, abs=0.03)
    photons = (truth["particle_pdg_id"] == 22) & (truth["particle_collision"] > 0)
    ratio = (photons & (np.abs(truth["particle_eta"]) < 2.0)).sum() / seen.sum()
    assert ratio == pytest.approx(0.9, abs=0.15)


def test_every_event_has_jets_and_isolated_leptons_and_photons(truth: Arrays) -> None:
    for event in range(20):
        one = one_event(truth, event)
        hard = one["particle_collision"] == 0
        strong = hard & (one["particle_pt"] > 19.9)
        for code, number in ((11, 2), (13, 2)):
            assert (np.abs(one["particle_pdg_id"][strong]) == code).sum() == number
        assert (one["particle_pdg_id"][strong] == 22).sum() >= 2
        assert (hard & (one["particle_charge"] != 0)).sum() > 60


def test_vertices_lie_in_the_luminous_region(truth: Arrays) -> None:
    assert truth["collision_z"].std() == pytest.approx(4.2, rel=0.05)
    assert truth["collision_x"].std() == pytest.approx(0.00118, rel=0.05)
    collisions = np.diff(truth["collision_offset"])
    assert collisions.mean() == pytest.approx(PILE_UP + 1, abs=3 * np.sqrt(PILE_UP / EVENTS))


@pytest.mark.parametrize("section", ["truth", "pixel"])
def test_an_event_is_the_same_whatever_the_first_is(section: str) -> None:
    together = compiled.simulate(section, 8.0, 3, 10, 3)
    alone = compiled.simulate(section, 8.0, 3, 12, 1)
    for name, column in one_event(together, 2).items():
        np.testing.assert_array_equal(column, one_event(alone, 0)[name], err_msg=name)


@pytest.mark.parametrize("section", ["truth", "pixel"])
def test_digests_of_two_runs_agree_and_of_two_seeds_differ(section: str) -> None:
    digest = compiled.simulation().digest
    first = digest(compiled.simulate(section, 8.0, 3, 0, 2))
    assert digest(compiled.simulate(section, 8.0, 3, 0, 2)) == first
    assert digest(compiled.simulate(section, 8.0, 4, 0, 2)) != first


def test_no_pile_up_leaves_the_hard_collision() -> None:
    one = compiled.simulate("truth", 0.0, 1, 0, 1)
    assert len(one["collision_x"]) == 1
    assert set(one["particle_collision"]) == {0}
