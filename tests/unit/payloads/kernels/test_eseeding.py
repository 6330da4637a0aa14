"""eseeding: equal bits at every width, seeds of the reference, a helix met where it is, bad events."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from payloads import compiled
from payloads.arrays import Array, Arrays, one_event
from payloads.kernels.eseeding import physics, reference
from tests.unit.payloads.kernels import judged

KERNEL = "eseeding"
SMALL = (20, 7, 2)
CROWDED_EVENTS = 12
BEST = compiled.best_variant().name
MANIFEST = judged.manifest_of(KERNEL)


results = partial(judged.results_of, KERNEL)


def test_every_width_and_instruction_set_gives_the_same_bits(crowded: Arrays) -> None:
    digests = judged.digests_of(KERNEL, crowded, 12)
    assert len(set(digests.values())) == 1, digests


def test_an_event_does_not_depend_on_the_one_before(small: Arrays) -> None:
    assert not judged.depends_on_the_one_before(KERNEL, small)


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
