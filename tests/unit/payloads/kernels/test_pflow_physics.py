"""Particle flow's verdict: good physics is within its ranges, what is broken is not, nor is it taken for the reference's."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

from payloads.arrays import Array, Arrays, one_event
from payloads.compiled import simulate
from payloads.kernels.pflow.display import picture
from payloads.kernels.pflow.jets import anti_kt
from payloads.kernels.pflow.physics import differences, measure, measure_singles
from payloads.kernels.pflow.reference import reconstruct
from tests.unit.payloads.kernels import judged

pytestmark = pytest.mark.slow

KERNEL = "pflow"
CROWDED_EVENTS = 8

results_of = partial(judged.results_of, KERNEL)


@pytest.fixture(scope="module")
def singles() -> Arrays:
    run = judged.manifest_of(KERNEL)["singles"]
    return simulate(run["section"], run["pile_up"], run["seed"], 0, run["count"])


@pytest.fixture(scope="module")
def of_singles(singles: Arrays) -> dict[str, float]:
    return measure_singles(singles, results_of(singles))


@pytest.fixture(scope="module")
def of_crowd(crowded: Arrays, crowded_results: list[dict[str, Array]]) -> dict[str, float]:
    return measure(crowded, crowded_results)


def outside(of_crowd: dict[str, float], of_singles: dict[str, float]) -> set[str]:
    return judged.outside(KERNEL, of_crowd | of_singles)


@pytest.fixture(scope="module")
def benchmark() -> Arrays:
    run = judged.manifest_of(KERNEL)["events"]
    return simulate("calorimeters", run["pile_up"], run["seed"], 0, run["count"])


def test_physics_is_within_its_ranges(benchmark: Arrays, of_singles: dict[str, float]) -> None:
    assert outside(measure(benchmark, results_of(benchmark)), of_singles) == set()


@pytest.mark.parametrize(
    ("settings", "caught"),
    [
        ({"max_iterations": 1}, "unsettled"),
        ({"field_tesla": -3.8}, "hcal_link_efficiency"),
        ({"ecal_window": 0.5, "hcal_window": 2.0}, "ecal_link_purity"),
        ({"hcal_window": 0.02}, "hcal_link_efficiency"),
        ({"hcal_sigma_cm": 100.0}, "unsettled"),
        ({"depth_sigmas": 0.0}, "hcal_showers"),
    ],
)
def test_wrong_cuts_are_caught(
    crowded: Arrays, of_singles: dict[str, float], settings: dict[str, float], caught: str
) -> None:
    assert caught in outside(measure(crowded, results_of(crowded, settings)), of_singles)


@pytest.mark.parametrize(
    ("settings", "caught"),
    [
        ({"hcal_window": 2.0}, "electron_links"),  # ten times as wide
        ({"hcal_window": 0.02}, "single_link_efficiency"),
        ({"field_tesla": -3.8}, "single_link_efficiency"),
        ({"depth_sigmas": 0.0}, "single_raw_response"),
    ],
)
def test_wrong_cuts_are_caught_by_single_particles(
    singles: Arrays, of_crowd: dict[str, float], settings: dict[str, float], caught: str
) -> None:
    assert caught in outside(of_crowd, measure_singles(singles, results_of(singles, settings)))


def test_a_lost_depth_is_caught(crowded: Arrays, of_singles: dict[str, float]) -> None:
    for lost in (2, 8, 12):
        energy = np.array(crowded["rechit_energy"])
        energy[crowded["channel_layer"][crowded["rechit_channel"]] == lost] = 1e-6
        lossy = measure(crowded, results_of({**crowded, "rechit_energy": energy}))
        assert "layers" in outside(lossy, of_singles)


def _too_bright(result: dict[str, Array]) -> None:
    result["cluster_energy"] *= np.float32(1.05)


def _hot(result: dict[str, Array]) -> None:
    result["shower_energy"] *= np.float32(2.0)


def _unlinked(result: dict[str, Array]) -> None:
    result["track_hcal"][::2] = -1


def _misled(result: dict[str, Array]) -> None:
    result["track_ecal"] = np.roll(result["track_ecal"], 1)


def _no_neutrals(result: dict[str, Array]) -> None:
    charged = result["candidate_kind"] == 0
    for name in [name for name in result if name.startswith("candidate_")]:
        result[name] = result[name][charged]


def _scrambled(result: dict[str, Array]) -> None:
    """Parts of cells went to their neighbours' clusters."""
    result["share_cluster"] = np.roll(result["share_cluster"], 3)


BROKEN = (
    (_too_bright, "energy_balance"), (_hot, "hadron_raw_response"), (_unlinked, "hcal_link_efficiency"),
    (_misled, "ecal_link_purity"), (_no_neutrals, "jet_response"), (_scrambled, "unsettled"),
)  # fmt: skip


def _spoilt(found: list[dict[str, Array]], spoil: Callable[[Any], None]) -> list[dict[str, Array]]:
    results = [{name: column.copy() for name, column in one.items()} for one in found]
    for one in results:
        spoil(one)
    return results


@pytest.mark.parametrize(("spoil", "caught"), BROKEN)
def test_broken_results_are_caught_by_truth(
    crowded: Arrays, crowded_results: list[dict[str, Array]], of_singles: dict[str, float],
    spoil: Callable[[Any], None], caught: str,
) -> None:  # fmt: skip
    assert caught in outside(measure(crowded, _spoilt(crowded_results, spoil)), of_singles)


@pytest.mark.parametrize(
    ("column", "change", "caught"),
    [
        ("shower_energy", lambda energy: energy * np.float32(1.1), "single_raw_response"),
        ("shower_energy", lambda energy: np.where(np.arange(len(energy)) % 2, energy, energy / 2), "single_raw_resolution"),
        ("candidate_energy", lambda energy: energy * np.float32(1.07), "single_neutral_response"),
        ("candidate_energy", lambda energy: energy * np.float32(0.95), "single_charged_response"),
        ("track_hcal", lambda shower: np.full_like(shower, -1), "single_link_efficiency"),
        ("track_hcal", np.zeros_like, "electron_links"),
    ],
)  # fmt: skip
def test_broken_results_are_caught_by_single_particles(
    singles: Arrays, of_crowd: dict[str, float], column: str, change: Callable[[Array], Array], caught: str
) -> None:
    broken = [{**one, column: change(one[column])} for one in results_of(singles)]
    assert caught in outside(of_crowd, measure_singles(singles, broken))


def test_kernel_is_the_reference(small: Arrays, expected: dict[str, Array]) -> None:
    (result,) = results_of(small)
    assert {name: column.dtype for name, column in result.items()} == {
        name: column.dtype for name, column in expected.items()
    }
    assert differences(expected, result) is None


@pytest.mark.parametrize("spoil", [_too_bright, _unlinked, _misled, _no_neutrals])
def test_broken_results_are_not_the_reference(
    expected: dict[str, Array], spoil: Callable[[Any], None]
) -> None:
    result = {name: column.copy() for name, column in expected.items()}
    assert differences(expected, result) is None
    spoil(result)
    assert differences(expected, result)


@pytest.mark.parametrize(
    "settings",
    [
        {"max_iterations": 1}, {"field_tesla": -3.8}, {"ecal_window": 0.5}, {"hcal_window": 2.0},
        {"hcal_sigma_cm": 10.5}, {"ecal_sigma_cm": 1.6}, {"depth_sigmas": 1.5}, {"excess_sigmas": 3.0},
    ],
)  # fmt: skip
def test_slightly_other_cuts_are_not_the_reference(
    small: Arrays, expected: dict[str, Array], settings: dict[str, float]
) -> None:
    assert differences(expected, results_of(small, settings)[0])


def test_results_of_another_shape_are_told_not_raised(expected: dict[str, Array]) -> None:
    bare = {name: column for name, column in expected.items() if name != "track_hcal"}
    assert differences(expected, bare) == "the result has no column track_hcal"
    short = {**expected, "track_hcal": expected["track_hcal"][1:]}
    assert "track_hcal has" in (differences(expected, short) or "")
    holed = {**expected, "cluster_energy": np.full_like(expected["cluster_energy"], np.nan)}
    assert "only 0 of" in (differences(expected, holed) or "")


def test_jets_are_those_that_can_be_told_by_hand() -> None:
    pt = np.array([40.0, 10.0, 30.0, 5.0])
    eta = np.array([0.0, 0.1, 1.5, -1.5])
    phi = np.array([3.1, -3.1, 0.0, 1.0])  # the first two touch across the border of phi
    jets = anti_kt(pt, eta, phi)
    assert sorted(jets[:, 0].tolist()) == pytest.approx([5.0, 30.0, 50.0])
    (hard,) = jets[jets[:, 0] > 40]
    assert hard[1] == pytest.approx(0.02)
    assert hard[2] == pytest.approx(3.1 + 0.2 * (2 * np.pi - 6.2), abs=1e-6)


def test_picture_names_what_it_shows(small: Arrays, expected: dict[str, Array]) -> None:
    svg = picture(one_event(small, 0), expected)
    assert svg.startswith("<svg")
    assert f"{len(expected['cluster_seed'])} clusters" in svg
    assert len(svg) < 300_000


def test_picture_of_nothing_is_one(small: Arrays) -> None:
    event = one_event(small, 0)
    empty = {name: column if name.startswith("channel") else column[:0] for name, column in event.items()}
    assert picture(empty, reconstruct(empty, {})).count("<text") > 10
