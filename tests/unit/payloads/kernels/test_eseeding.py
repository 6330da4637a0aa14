"""eseeding: equal bits at every width, seeds of the reference, a helix met where it is, broken results caught."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from payloads import compiled
from payloads.arrays import Array, Arrays, one_event
from payloads.kernels.eseeding import display, physics, reference
from tests.unit.payloads.kernels import judged

BEST = compiled.best_variant().name
MANIFEST = judged.manifest_of("eseeding")
HIT_GROUPS = ("hit_x", "hit_y", "hit_z", "hit_layer", "hit_particle")


def results(events: Arrays, settings: dict[str, float] | None = None) -> list[dict[str, Array]]:
    return judged.results_of("eseeding", events, settings)


@pytest.fixture(scope="module")
def small() -> Arrays:
    return compiled.simulate("electron", 20, 7, 0, 2)


@pytest.fixture(scope="module")
def small_results(small: Arrays) -> list[dict[str, Array]]:
    return results(small)


@pytest.fixture(scope="module")
def crowded() -> Arrays:
    run = MANIFEST["events"]
    return compiled.simulate("electron", run["pile_up"], run["seed"], 0, 48)


@pytest.fixture(scope="module")
def crowded_results(crowded: Arrays) -> list[dict[str, Array]]:
    return results(crowded)


@pytest.fixture(scope="module")
def expected(small: Arrays) -> dict[str, Array]:
    return reference.reconstruct(one_event(small, 0), MANIFEST["settings"])


def without_hits(events: Arrays, dropped: Array) -> dict[str, Array]:
    """The same events without some of their hits."""
    kept = np.concatenate([[0], np.cumsum(~dropped)])
    less = {**events, "hit_offset": kept[events["hit_offset"]].astype(np.int32)}
    return less | {name: events[name][~dropped] for name in HIT_GROUPS}


def test_every_width_and_instruction_set_gives_the_same_bits(crowded: Arrays) -> None:
    digests = judged.digests_of("eseeding", crowded, 12)
    assert len(set(digests.values())) == 1, digests


def test_an_event_does_not_depend_on_the_one_before(small: Arrays) -> None:
    assert not judged.depends_on_the_one_before("eseeding", small)


def test_seeds_are_those_of_the_reference(
    expected: dict[str, Array], small_results: list[dict[str, Array]]
) -> None:
    assert len(expected["seed_sc"]) > 5
    assert len(expected["sc_energy"]) > 4
    assert physics.differences(expected, small_results[0]) is None


@pytest.mark.parametrize(
    "settings",
    [
        {"layers_for_triplets": 8},
        {"first_dphi": 0.2, "next_dphi": 0.02},
        {"log_weight": 0.1, "next_drz_cm": 1.0},
    ],
)
def test_other_settings_give_the_reference_too(small: Arrays, settings: dict[str, float]) -> None:
    """Pairs everywhere; windows that match both charges; weights that vanish for whole clusters."""
    found = results(small, settings)[0]
    assert len(found["seed_sc"]) > 10
    assert physics.differences(reference.reconstruct(one_event(small, 0), settings), found) is None


def flown(charge: int, pt: float, cot: float, phi: float, z: float, radius: float) -> list[tuple[float, ...]]:
    """Points at the barrel layers and at ``radius`` of a charge in 3.8 T, its equation of motion solved in small steps."""
    step, turning = 0.02, -charge * 2.99792458e-3 * 3.8 / pt
    x, y, points = 0.0, 0.0, []
    goals = [*reference.BARREL_RADII_CM, radius]
    while goals:
        middle = phi + 0.5 * step * turning
        x, y, z, phi = (
            x + step * np.cos(middle),
            y + step * np.sin(middle),
            z + step * cot,
            phi + step * turning,
        )
        if x * x + y * y >= goals[0] ** 2:
            points.append((x, y, z))
            goals.pop(0)
    return points


@pytest.mark.parametrize("charge", [-1, 1])
@pytest.mark.parametrize(("pt", "cot", "phi", "z"), [(5.0, 0.3, 3.1, 4.0), (12.0, -1.1, -0.4, -6.0)])
def test_a_flown_helix_is_met_where_it_is(charge: int, pt: float, cot: float, phi: float, z: float) -> None:
    """Hits on a numerically flown way: only that charge, and no distance from the prediction after the first hit."""
    *hits, end = (np.array(point) for point in flown(charge, pt, cot, phi, z, 129.0))
    columns = {
        f"hit_{axis}": np.array([h[a] for h in hits], dtype=np.float32) for a, axis in enumerate("xyz")
    }
    columns |= {f"ecal_{axis}": np.array([end[a]], dtype=np.float32) for a, axis in enumerate("xyz")}
    events = columns | {
        "hit_offset": np.array([0, 4], dtype=np.int32),
        "hit_layer": np.arange(4, dtype=np.uint8),
        "ecal_offset": np.array([0, 1], dtype=np.int32),
        "ecal_index": np.array([30000], dtype=np.int32),
        "ecal_energy": np.array([pt * np.hypot(1.0, cot)], dtype=np.float32),
        "tower_offset": np.zeros(2, dtype=np.int32),
        **{f"tower_{name}": np.zeros(0, dtype=np.float32) for name in ("energy", "eta", "phi")},
        **{f"beam_{axis}": np.zeros(1, dtype=np.float32) for axis in "xyz"},
    }
    (found,) = results(events)
    assert sorted(zip(found["seed_hit0"], found["seed_hit1"], found["seed_hit2"], strict=True)) == [
        (0, 1, 2), (0, 1, 3), (0, 2, 3), (1, 2, 3),
    ]  # fmt: skip
    assert np.all(found["seed_charges"] == (2 if charge > 0 else 1))
    name = physics.CHARGES[charge > 0]
    # the first prediction takes the beam's middle for the vertex, so its momentum is a little off
    assert np.abs(found[f"seed_dphi1_{name}"]).max() < 5e-3
    assert np.abs(found[f"seed_dphi2_{name}"]).max() < 1e-4
    assert np.abs(found[f"seed_dphi3_{name}"]).max() < 2e-4
    assert np.abs(found["seed_drz2"]).max() < 0.01
    assert np.abs(found["seed_drz3"]).max() < 0.02


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
    assert judged.outside("eseeding", physics.measure(crowded, crowded_results)) == set()


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
        ({"largest_h_over_e": 1000.0}, "selected"),
        ({"least_et_gev": 8.0}, "superclusters"),
    ],
)
def test_wrong_parameters_fall_out_of_the_ranges(
    crowded: Arrays, settings: dict[str, float], caught: str
) -> None:
    assert caught in judged.outside("eseeding", physics.measure(crowded, results(crowded, settings)))


@pytest.mark.parametrize("layer", [0, 1, 2])
def test_a_dropped_layer_falls_out_of_the_ranges(crowded: Arrays, layer: int) -> None:
    less = without_hits(crowded, crowded["hit_layer"] == layer)
    found = judged.outside("eseeding", physics.measure(less, results(less)))
    assert {"seeds_of_electron", "efficiency_barrel"} & found


def test_broken_results_fall_out_of_the_ranges(
    crowded: Arrays, crowded_results: list[dict[str, Array]]
) -> None:
    breaks: tuple[tuple[Callable[[Arrays], Arrays], str], ...] = (
        (lambda r: {"seed_charges": 3 - r["seed_charges"] % 3}, "right_charge"),
        (lambda r: {"sc_energy": r["sc_energy"] * np.float32(1.1)}, "response"),
        (lambda r: {"seed_hit1": np.roll(r["seed_hit1"], 4)}, "efficiency"),
        (lambda r: {f"seed_dphi2_{c}": r[f"seed_dphi2_{c}"] * 3 for c in physics.CHARGES}, "dphi2_mrad"),
        (lambda r: {"seed_drz2": r["seed_drz2"] * np.float32("nan")}, "dz2_um"),
        (lambda r: {"cluster_sc": np.roll(r["cluster_sc"], 1)}, "cluster_efficiency"),
        (lambda r: {"overflow": r["overflow"] + 1}, "overflow"),
    )
    for change, caught in breaks:
        broken = [{**r, **change(r)} for r in crowded_results]
        assert caught in judged.outside("eseeding", physics.measure(crowded, broken)), caught


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


@pytest.mark.parametrize(
    ("column", "value", "says"),
    [
        ("hit_layer", 10, "10 layers"),
        ("hit_layer", 3, "not where its layer is"),
        ("hit_x", np.nan, "not where its layer is"),
        ("hit_z", 1000.0, "not within 60 cm"),
        ("ecal_index", 90000, "no such crystal"),
        ("ecal_index", -1, "no such crystal"),
        ("ecal_index", 0, "does not rise"),
        ("ecal_energy", np.nan, "100 TeV"),
        ("ecal_energy", -1.0, "100 TeV"),
        ("ecal_x", np.inf, "between 25 and 200 cm"),
        ("ecal_z", np.nan, "ecal_z"),
        ("tower_energy", np.inf, "tower_energy"),
        ("tower_phi", 100.0, "tower_phi"),
        ("hit_offset", -5, "do not rise"),
        ("ecal_offset", 10**8, "do not rise"),
    ],
)
def test_hostile_arrays_are_refused(small: Arrays, column: str, value: float, says: str) -> None:
    broken = {**small, column: small[column].copy()}
    broken[column][1] = value
    with pytest.raises(ValueError, match=says):
        compiled.open_kernel(BEST, "eseeding", broken)


def test_columns_of_other_lengths_or_kinds_are_refused(small: Arrays) -> None:
    for change, words in (
        ({"hit_y": small["hit_y"][:-1]}, "offsets say"),
        ({"ecal_energy": small["ecal_energy"].astype(np.int32)}, "not float32"),
        ({"beam_x": np.zeros(2, dtype=np.float32)}, "not 1"),
        ({"beam_y": np.full(1, np.nan, dtype=np.float32)}, "not within 1 cm"),
        ({"tower_offset": small["tower_offset"][:-1]}, "not of as many events|offsets say"),
    ):
        with pytest.raises(ValueError, match=words):
            compiled.open_kernel(BEST, "eseeding", {**small, **change})
    with pytest.raises(ValueError, match="no column 'hit_z'"):
        compiled.open_kernel(
            BEST, "eseeding", {name: column for name, column in small.items() if name != "hit_z"}
        )


@pytest.mark.parametrize("settings", [{"charges": 0}, {"least_et_gev": 0.1}, {"next_dphi": float("nan")}])
def test_settings_out_of_bounds_are_refused(small: Arrays, settings: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="change the manifest"):
        compiled.open_kernel(BEST, "eseeding", small, settings)


@pytest.mark.parametrize("group", ["hit", "ecal", "tower"])
def test_an_event_without_hits_crystals_or_towers_is_no_trouble(small: Arrays, group: str) -> None:
    empty = {n: c[:0] for n, c in small.items() if n.startswith(f"{group}_") and n != f"{group}_offset"}
    empty[f"{group}_offset"] = np.zeros_like(small[f"{group}_offset"])
    found = results({**small, **empty})
    assert [len(r["seed_sc"]) > 0 for r in found] == [group == "tower"] * 2
    if group == "tower":
        assert all(np.all(r["sc_behind"] == 0) for r in found)


def test_more_than_the_workspace_holds_is_counted(small: Arrays) -> None:
    """Windows as wide as they may be: far more first hits and seeds than there is room for."""
    wide = {"first_dphi": 0.5, "next_dphi": 0.5, "next_drz_cm": 10.0, "largest_h_over_e": 1000.0}
    found = results(small, wide)
    assert all(int(r["overflow"][0]) > 0 for r in found)


def test_a_result_for_each_event_is_asked_for(crowded: Arrays) -> None:
    with pytest.raises(ValueError, match="give one each"):
        physics.measure(crowded, [])


def test_picture_is_a_small_svg(small: Arrays, small_results: list[dict[str, Array]]) -> None:
    drawn = display.picture(one_event(small, 0), small_results[0])
    assert drawn.startswith("<svg")
    assert drawn.endswith("</svg>\n")
    assert len(drawn) < 300_000
    assert "distance from the beam line (cm)" in drawn
