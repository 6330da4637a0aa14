"""Section `tracksters`: clue's tracksters of section `hgcal`, and what is true of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from payloads import compiled

PILE_UP, SEED, EVENTS = 5.0, 3, 2


@pytest.fixture(scope="module")
def section() -> dict[str, Any]:
    return compiled.simulate("tracksters", PILE_UP, SEED, 0, EVENTS)


@pytest.fixture(scope="module")
def cells() -> dict[str, Any]:
    return compiled.simulate("hgcal", PILE_UP, SEED, 0, EVENTS)


@pytest.fixture(scope="module")
def found(cells: dict[str, Any]) -> list[dict[str, Any]]:
    kernel = compiled.open_kernel(compiled.best_variant().name, "clue", cells)
    results = []
    for event in range(EVENTS):
        kernel.process(event)
        results.append(kernel.results())
    return results


def test_they_are_what_the_kernel_clue_finds(section: dict[str, Any], found: list[dict[str, Any]]) -> None:
    """Also that four lanes of the simulation give the bits of the widest variant here."""
    for group, columns in (
        ("cluster", ("energy", "eta", "phi", "layer", "trackster")),
        ("trackster", ("x", "y", "z", "energy")),
    ):
        sizes = [len(one[f"{group}_{columns[0]}"]) for one in found]
        assert min(sizes) > 0
        np.testing.assert_array_equal(np.diff(section[f"{group}_offset"]), sizes)
        for column in columns:
            expected = np.concatenate([one[f"{group}_{column}"] for one in found])
            np.testing.assert_array_equal(section[f"{group}_{column}"], expected)


def test_truth_is_that_of_the_cells(
    section: dict[str, Any], cells: dict[str, Any], found: list[dict[str, Any]]
) -> None:
    for event, result in enumerate(found):
        own = slice(cells["rechit_offset"][event], cells["rechit_offset"][event + 1])
        particle = cells["rechit_particle"][own]
        energy = cells["rechit_energy"][own].astype(np.float64)
        left = energy * cells["rechit_fraction"][own]
        trackster = np.append(result["cluster_trackster"], -1)[result["rechit_cluster"]]
        first = section["trackster_offset"][event]
        for t in range(0, len(result["trackster_energy"]), 3):
            inside = (trackster == t) & (particle >= 0)
            of = np.bincount(particle[inside], left[inside])
            main = section["trackster_particle"][first + t]
            assert of[main] == pytest.approx(of.max(), rel=1e-12)
            assert section["trackster_share"][first + t] == pytest.approx(
                of.max() / energy[trackster == t].sum()
            )
            assert section["trackster_held"][first + t] == pytest.approx(
                of.max() / left[particle == main].sum()
            )


def test_an_event_does_not_depend_on_its_company(section: dict[str, Any]) -> None:
    alone = compiled.simulate("tracksters", PILE_UP, SEED, 1, 1)
    for group in ("cluster", "trackster", "particle"):
        last = slice(section[f"{group}_offset"][1], section[f"{group}_offset"][2])
        for name in section:
            if name.startswith(f"{group}_") and not name.endswith("_offset"):
                np.testing.assert_array_equal(section[name][last], alone[name], err_msg=name)
