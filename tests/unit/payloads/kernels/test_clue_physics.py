"""CLUE's verdict: good physics is within its ranges, and what is broken is not, nor is it taken for the reference's."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

from payloads.arrays import Array, Arrays, each_event, one_event
from payloads.compiled import best_variant, open_kernel, simulate
from payloads.kernels.clue.display import picture
from payloads.kernels.clue.physics import differences, measure
from payloads.kernels.clue.reference import DEFAULTS, reconstruct
from tests.unit.payloads.kernels import judged

KERNEL = "clue"
CROWDED_EVENTS = 2

results_of = partial(judged.results_of, KERNEL)
outside = partial(judged.outside, KERNEL)


@pytest.fixture(scope="module")
def one() -> Arrays:
    run = judged.manifest_of(KERNEL)["events"]
    return simulate("hgcal", run["pile_up"], run["seed"], 0, 1)


def test_physics_is_within_its_ranges(crowded: Arrays, crowded_results: list[dict[str, Array]]) -> None:
    assert outside(measure(crowded, crowded_results)) == set()


@pytest.mark.parametrize(
    ("settings", "caught"),
    [
        ({"deltac_cm": 0.8}, "em_containment"),
        ({"deltac_cm": 2.0}, "noise_clustered"),
        ({"kappa": 5.0}, "noise_clustered"),
        ({"outlier_factor": 1.0}, "noise_clustered"),
        ({"sibling_layers": 1}, "linked_energy"),
        ({"critical_cm": 4.0}, "linked_energy"),
        ({"log_weight_floor": 0.5}, "photon_position_mm"),
    ],
)
def test_wrong_cuts_are_caught(one: Arrays, settings: dict[str, float], caught: str) -> None:
    assert caught in outside(measure(one, results_of(one, settings)))


def _shifted(result: dict[str, Array]) -> None:
    result["cluster_x"] += np.float32(0.3)


def _unlinked(result: dict[str, Array]) -> None:
    """Every other layer cluster is forgotten by the linking."""
    result["cluster_trackster"][::2] = -1


def _too_bright(result: dict[str, Array]) -> None:
    result["cluster_energy"] *= np.float32(1.05)


def _hot(result: dict[str, Array]) -> None:
    result["trackster_energy"] *= np.float32(1.3)


def _scrambled(result: dict[str, Array]) -> None:
    """Cells went to their neighbours' clusters."""
    result["rechit_cluster"] = np.roll(result["rechit_cluster"], 1)


def _shuffled(result: dict[str, Array]) -> None:
    result["cluster_trackster"] = np.random.default_rng(1).permutation(result["cluster_trackster"])


BROKEN = (
    (_shifted, "photon_offset_mm"), (_unlinked, "em_containment"), (_too_bright, "energy_balance"),
    (_hot, "em_response"), (_scrambled, "deposit_complete"), (_shuffled, "em_efficiency"),
)  # fmt: skip


@pytest.mark.parametrize(("spoil", "caught"), BROKEN)
def test_broken_results_are_caught_by_truth(
    one: Arrays, crowded_results: list[dict[str, Array]], spoil: Callable[[Any], None], caught: str
) -> None:
    result = {name: column.copy() for name, column in crowded_results[0].items()}
    spoil(result)
    assert caught in outside(measure(one, [result]))


def test_lost_cells_are_caught(one: Arrays) -> None:
    dim = np.array(one["rechit_energy"])
    dim[::3] = 1e-6
    assert {"cells_per_layer_cluster", "em_in_layer_clusters"} <= outside(
        measure(one, results_of({**one, "rechit_energy": dim}))
    )


def test_kernel_is_the_reference(small: dict[str, Array], expected: dict[str, Array]) -> None:
    (result,) = results_of(small)
    assert result.keys() == expected.keys()
    assert {name: column.dtype for name, column in result.items()} == {
        name: column.dtype for name, column in expected.items()
    }
    assert differences(expected, result) is None


@pytest.mark.parametrize("spoil", [spoil for spoil, _ in BROKEN])
def test_broken_results_are_not_the_reference(
    expected: dict[str, Array], spoil: Callable[[Any], None]
) -> None:
    result = {name: column.copy() for name, column in expected.items()}
    assert differences(expected, result) is None
    spoil(result)
    assert differences(expected, result)


@pytest.mark.parametrize(
    "settings",
    [{"deltac_cm": 1.31}, {"kappa": 9.05}, {"outlier_factor": 1.9}, {"critical_cm": 1.7}, {"density_factor": 0.25}],
)  # fmt: skip
def test_slightly_other_cuts_are_not_the_reference(
    small: dict[str, Array], expected: dict[str, Array], settings: dict[str, float]
) -> None:
    assert differences(expected, results_of(small, settings)[0])


def test_one_trackster_at_an_edge_may_differ(expected: dict[str, Array]) -> None:
    result = {name: column.copy() for name, column in expected.items()}
    linked = np.flatnonzero(result["cluster_trackster"] >= 0)
    result["cluster_trackster"][linked[0]] = -1
    assert differences(expected, result) is None
    result["cluster_trackster"][linked[:100]] = -1
    assert "same trackster" in (differences(expected, result) or "")


def test_results_of_another_shape_are_told_not_raised(expected: dict[str, Array]) -> None:
    bare = {name: column for name, column in expected.items() if "trackster" not in name}
    assert differences(expected, bare) == "the result has no column cluster_trackster"
    short = {**expected, "rechit_cluster": expected["rechit_cluster"][1:]}
    assert "cells, the reference of" in (differences(expected, short) or "")
    holed = {**expected, "cluster_energy": np.full_like(expected["cluster_energy"], np.nan)}
    assert "differ in energy" in (differences(expected, holed) or "")


def test_defaults_are_the_kernels(small: dict[str, Array]) -> None:
    kernel = [open_kernel(best_variant().name, "clue", small, settings) for settings in ({}, DEFAULTS)]
    for each in kernel:
        each.process(0)
    assert kernel[0].digest() == kernel[1].digest()


def test_nothing_reconstructed_is_measured_without_an_exception(small: dict[str, Array]) -> None:
    (result,) = results_of(small, {"kappa": 1e4})
    metrics = measure(small, [{name: column[:0] if name[0] != "r" else column for name, column in result.items()}
                              | {"rechit_cluster": np.full_like(result["rechit_cluster"], -1)}])  # fmt: skip
    assert {"layer_clusters", "em_in_layer_clusters", "deposit_complete"} <= outside(metrics)


def test_picture_names_what_it_shows(small: dict[str, Array], expected: dict[str, Array]) -> None:
    svg = picture(next(each_event(small)), expected)
    assert svg.startswith("<svg")
    assert f"{len(expected['cluster_x'])} layer clusters" in svg
    assert len(svg) < 300_000


def test_picture_of_nothing_is_one() -> None:
    empty = {name: column[:0] for name, column in one_event(simulate("hgcal", 0, 1), 0).items()}
    assert picture(empty, reconstruct(empty, {})).count("<text") > 10
