"""Section `singles`: what is shot where, apart from each other, and pile-up around it if it is asked for."""

from __future__ import annotations

import numpy as np
import pytest

from payloads.arrays import Arrays, each_event, one_event
from payloads.compiled import simulate

EVENTS = 40


@pytest.fixture(scope="module")
def singles() -> Arrays:
    return simulate("singles", 0, 5, 0, EVENTS)


def test_pions_kaons_and_electrons_are_shot_flat_in_the_logarithm(singles: Arrays) -> None:
    kind, pt = np.abs(singles["particle_pdg_id"]), singles["particle_pt"]
    assert len(kind) == 36 * EVENTS
    for pdg_id, share in ((211, 0.4), (130, 0.4), (11, 0.2)):
        assert np.mean(kind == pdg_id) == pytest.approx(share, abs=0.05)
    assert pt.min() > 4.999
    assert pt.max() < 100.001
    assert np.mean(pt < np.sqrt(500)) == pytest.approx(0.5, abs=0.05)
    charged = singles["particle_charge"][kind != 130]
    assert np.abs(charged).min() == 1
    assert abs(charged.mean()) < 0.15
    assert np.all(np.sign(singles["particle_pdg_id"])[kind == 211] == singles["particle_charge"][kind == 211])
    assert np.all(np.sign(singles["particle_pdg_id"])[kind == 11] == -singles["particle_charge"][kind == 11])


def test_no_two_are_near_each_other(singles: Arrays) -> None:
    for event in each_event(singles):
        eta, phi = event["particle_eta"], event["particle_phi"]
        apart_eta = np.abs(eta[:, None] - eta)
        turn = np.abs(np.angle(np.exp(1j * (phi[:, None] - phi))))
        near = (apart_eta < 0.399) & (turn < 0.52)
        assert near.sum() == len(eta)  # each is near itself
        assert np.abs(eta).max() < 2.4


def test_pile_up_comes_besides_and_changes_no_single_particle(singles: Arrays) -> None:
    crowded = one_event(simulate("singles", 20, 5, 0, 1), 0)
    first = crowded["particle_collision"] == 0
    assert first.sum() == 36
    assert len(first) > 500
    alone = one_event(singles, 0)
    for name in ("particle_pt", "particle_eta", "particle_pdg_id"):
        assert np.array_equal(crowded[name][first], alone[name])
