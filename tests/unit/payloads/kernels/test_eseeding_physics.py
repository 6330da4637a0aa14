"""eseeding's verdict: good physics is within its ranges, what is broken is not, nor is it taken for the reference's."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import pytest

from payloads.arrays import Array, Arrays, one_event
from payloads.kernels.eseeding import display, physics, position
from tests.unit.payloads.kernels import judged

KERNEL = "eseeding"
SMALL = (20, 7, 2)
CROWDED_EVENTS = 48
HIT_GROUPS = ("hit_x", "hit_y", "hit_z", "hit_layer", "hit_particle")

results = partial(judged.results_of, KERNEL)


def without_hits(events: Arrays, dropped: Array) -> dict[str, Array]:
    """The same events without some of their hits."""
    kept = np.concatenate([[0], np.cumsum(~dropped)])
    less = {**events, "hit_offset": kept[events["hit_offset"]].astype(np.int32)}
    return less | {name: events[name][~dropped] for name in HIT_GROUPS}


def test_superclusters_hold_what_electrons_radiated(
    crowded: Arrays, crowded_results: list[dict[str, Array]]
) -> None:
    """Of electrons that radiated more than half, many have a part in other clusters, and few lack it in the sum."""
    whole, largest = [], []
    for i, result in enumerate(crowded_results):
        event = one_event(crowded, i)
        owner = physics.owners(event, result)
        carried = dict(zip(event["electron_particle"], event["electron_carried"], strict=True))
        for particle in physics.counted_electrons(event):
            for k in np.flatnonzero(owner == particle):
                energy = event["particle_pt"][particle] * np.cosh(event["particle_eta"][particle])
                if carried[particle] < 0.5 and abs(event["particle_eta"][particle]) < 1.44:
                    whole.append(result["sc_energy"][k] / energy)
                    largest.append(result["cluster_energy"][result["cluster_sc"] == k].max() / energy)
    assert len(whole) > 10
    assert np.mean(np.array(largest) < 0.85) > 0.2
    assert np.mean(np.array(whole) < 0.85) < 0.1


def test_physics_is_within_its_ranges(crowded: Arrays, crowded_results: list[dict[str, Array]]) -> None:
    assert judged.outside(KERNEL, physics.measure(crowded, crowded_results)) == set()


@pytest.mark.parametrize(
    ("settings", "caught"),
    [
        ({"next_dphi": 0.03, "next_drz_cm": 0.5}, "seeds"),  # windows ten times as wide
        ({"first_dphi": 0.5}, "photons_seeded"),
        ({"charges": 1}, "right_charge"),
        ({"next_dphi": 0.0003}, "efficiency"),
        ({"layers_for_triplets": 8}, "pairs"),
        ({"widening": 0.02}, "resolution"),
        ({"widening": 10.0}, "response"),
        ({"log_weight": 0.5}, "sc_dz_mm"),
        ({"log_weight": 0.5}, "sc_deta"),
        ({"log_weight": 10.0}, "sc_dz_mm"),
        ({"largest_h_over_e": 1000.0}, "selected"),
        ({"least_et_gev": 8.0}, "superclusters"),
    ],
)
def test_wrong_parameters_fall_out_of_the_ranges(
    crowded: Arrays, settings: dict[str, float], caught: str
) -> None:
    assert caught in judged.outside(KERNEL, physics.measure(crowded, results(crowded, settings)))


@pytest.mark.parametrize("layer", [0, 1, 2])
def test_a_dropped_layer_falls_out_of_the_ranges(crowded: Arrays, layer: int) -> None:
    less = without_hits(crowded, crowded["hit_layer"] == layer)
    found = judged.outside(KERNEL, physics.measure(less, results(less)))
    assert {"seeds_of_electron", "efficiency_barrel"} & found


def test_broken_results_fall_out_of_the_ranges(
    crowded: Arrays, crowded_results: list[dict[str, Array]]
) -> None:
    breaks: tuple[tuple[Callable[[Arrays], Arrays], str], ...] = (
        (lambda r: {"seed_charges": 3 - r["seed_charges"] % 3}, "right_charge"),
        (lambda r: {"sc_energy": r["sc_energy"] * np.float32(1.1)}, "response"),
        (lambda r: {"sc_z": r["sc_z"] * np.float32(1.1)}, "sc_dz_mm"),
        (lambda r: {"seed_hit1": np.roll(r["seed_hit1"], 4)}, "efficiency"),
        (lambda r: {f"seed_dphi2_{c}": r[f"seed_dphi2_{c}"] * 3 for c in physics.CHARGES}, "dphi2_mrad"),
        (lambda r: {"seed_drz2": r["seed_drz2"] * np.float32("nan")}, "dz2_um"),
        (lambda r: {"cluster_sc": np.roll(r["cluster_sc"], 1)}, "cluster_efficiency"),
        (lambda r: {"overflow": r["overflow"] + 1}, "overflow"),
    )
    for change, caught in breaks:
        broken = [{**r, **change(r)} for r in crowded_results]
        assert caught in judged.outside(KERNEL, physics.measure(crowded, broken)), caught


def test_broken_results_differ_from_the_reference(
    expected: dict[str, Array], small_results: list[dict[str, Array]]
) -> None:
    right = small_results[0]
    for change, words in (
        ({"ecal_cluster": np.roll(right["ecal_cluster"], 1)}, "another cluster"),
        ({"cluster_energy": right["cluster_energy"] * np.float32(1.001)}, "clusters differ in energy"),
        ({"cluster_sc": np.maximum(right["cluster_sc"] - 1, -1)}, "same super-cluster"),
        ({"sc_z": right["sc_z"] + np.float32(0.01)}, "differ in z"),
        ({"sc_behind": right["sc_behind"] + np.float32(1)}, "differ in behind"),
        ({"sc_selected": 1 - right["sc_selected"]}, "not selected alike"),
        ({"seed_charges": 3 - right["seed_charges"] % 3}, "same hits and charges"),
        ({"seed_hit2": np.roll(right["seed_hit2"], 1)}, "same hits and charges"),
        ({"seed_dphi3_positive": right["seed_dphi3_positive"] + np.float32(1e-4)}, "seed_dphi3_positive"),
        ({"seed_drz2": right["seed_drz2"] * np.float32("nan")}, "seed_drz2"),
    ):
        assert words in str(physics.differences(expected, {**right, **change}))
    assert "no column seed_sc" in str(
        physics.differences(expected, {name: column for name, column in right.items() if name != "seed_sc"})
    )


def test_a_result_for_each_event_is_asked_for(crowded: Arrays) -> None:
    with pytest.raises(ValueError, match="give one each"):
        physics.measure(crowded, [])


@pytest.mark.parametrize("eta", [-2.0, 0.3, 1.2])
def test_a_supercluster_is_missed_by_what_it_is_off_the_helix(eta: float) -> None:
    """pT = 10 GeV in 3.8 T: a circle of 877.8 cm; after an eighth of a turn the way is pi / 4 of it long."""
    radius_cm = 10 / (2.99792458e-3 * 3.8)
    event = {"particle_pt": np.array([10.0]), "particle_eta": np.array([eta])}
    event |= {f"particle_{axis}": np.array([at]) for axis, at in (("x", 0.1), ("y", -0.2), ("z", 5.0))}
    length_cm = radius_cm * np.pi / 4
    chord_cm = 2 * radius_cm * np.sin(np.pi / 8)
    result = {"sc_x": np.array([0.1]), "sc_y": np.array([chord_cm - 0.2])}
    result["sc_z"] = np.array([5.0 + 0.3 + length_cm * np.sinh(eta)])
    along_z, in_eta = position.missed(event, result, 0, 0)
    assert along_z == pytest.approx(0.3)
    assert in_eta == pytest.approx(np.sign(eta) * 0.3 / (length_cm * np.cosh(eta)), rel=1e-3)


def test_a_supercluster_beyond_the_helix_is_not_judged() -> None:
    event = {f"particle_{name}": np.zeros(1) for name in ("eta", "x", "y", "z")}
    event["particle_pt"] = np.array([0.1])
    result = {"sc_x": np.array([129.0]), "sc_y": np.zeros(1), "sc_z": np.zeros(1)}
    assert np.all(np.isnan(position.missed(event, result, 0, 0)))


def test_picture_shows_a_supercluster_with_seeds_where_there_is_one() -> None:
    """Of the first two each has something against it: no seed, and not in the barrel."""
    result = {"sc_energy": np.ones(3), "cluster_sc": np.array([0, 0, 0, 1, 1, 2]), "seed_sc": np.array([1])}
    result["sc_eta"] = np.array([0.0, 2.0, 0.0])
    assert display.chosen_supercluster(result) == 1
    assert display.chosen_supercluster({**result, "seed_sc": np.array([1, 2, 2, 2])}) == 2
    nothing = {name: column[:0] for name, column in result.items()}
    assert display.chosen_supercluster(nothing) is None


def test_picture_is_a_small_svg(small: Arrays, small_results: list[dict[str, Array]]) -> None:
    drawn = display.picture(one_event(small, 0), small_results[0])
    assert drawn.startswith("<svg")
    assert drawn.endswith("</svg>\n")
    assert len(drawn) < 300_000
    assert "distance from the beam line (cm)" in drawn
