"""One event through all kernels: chained where they can be, the same collisions for each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from payloads import compiled
from payloads.arrays import Arrays
from payloads.catalogue import kernels
from payloads.errors import PayloadError
from payloads.parts import load_part
from payloads.scene import Layer, from_json
from payloads.whole_event import after_of, in_order, whole_event

KERNELS = kernels()


def requests(*names: str) -> list[dict[str, Any]]:
    return [
        {
            "name": kernel.name,
            "folder": str(kernel.folder),
            "section": kernel.manifest.section,
            "settings": dict(kernel.manifest.settings),
        }
        for kernel in KERNELS
        if not names or kernel.name in names
    ]


def reconstruct(*names: str, pile_up: float = 20) -> dict[str, Any]:
    asked = {"variant": "scalar", "pile_up": pile_up, "seed": 3, "event": 0, "kernels": requests(*names)}
    return {step["kernel"]: step for step in whole_event(asked)["steps"]}


def layers(step: dict[str, Any]) -> dict[str, Layer]:
    return {layer["name"]: from_json(layer) for layer in step["layers"]}


def test_a_kernel_runs_behind_the_one_whose_result_it_takes() -> None:
    backwards = list(reversed(requests()))
    names = [kernel["name"] for kernel in in_order(backwards)]
    assert sorted(names) == sorted(kernel.name for kernel in KERNELS)
    for kernel in KERNELS:
        after = after_of(kernel.folder)
        assert after is None or names.index(after) < names.index(kernel.name)


def test_kernels_that_wait_for_each_other_are_named(tmp_path: Path) -> None:
    for name, after in (("a", "b"), ("b", "a")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "chain.py").write_text(f'AFTER = "{after}"\n')
    with pytest.raises(PayloadError, match="the kernels a, b wait for each other"):
        in_order([{"name": name, "folder": str(tmp_path / name)} for name in ("a", "b")])


def test_every_kernel_has_its_time_and_its_part_of_the_picture() -> None:
    steps = reconstruct()
    assert set(steps) == {kernel.name for kernel in KERNELS}
    for name, step in steps.items():
        assert step["seconds"] > 0, name
        assert any(layer.there > 0 for layer in layers(step).values()), name
        assert all(np.isfinite(layer.places).all() for layer in layers(step).values()), name


def test_vertices_of_pixel_tracks_are_those_of_the_simulated_collisions() -> None:
    step = reconstruct("pixeltrack", "vertexing")["vertexing"]
    assert step["after"] == "pixeltrack"
    drawn = layers(step)
    simulated, found = (drawn[name].places[:, 2] for name in ("simulated collisions", "primary vertices"))
    apart_cm = np.abs(found[:, None] - simulated).min(axis=1)
    # 25 collisions on 4 cm: two in three by chance would lie within 1 mm, not all within half of one.
    assert np.mean(apart_cm < 0.05) > 0.9
    assert 0.5 * len(simulated) < len(found) <= len(simulated)
    assert np.abs(found - simulated[0]).min() < 0.01, "that of the hard collision"


def test_alone_a_kernel_takes_what_was_simulated_for_it() -> None:
    assert reconstruct("vertexing")["vertexing"]["after"] is None


def chained(name: str, seed: int, pile_up: float = 20) -> tuple[Arrays, Arrays, Arrays]:
    """The set of a kernel's own section, what its chain makes of it, and what the kernel makes of that."""
    known = {kernel.name: kernel for kernel in KERNELS}
    chain = load_part(known[name].folder, "chain")
    before = known[chain.AFTER]
    detector = compiled.simulate(before.manifest.section, pile_up, seed)
    own = compiled.simulate(known[name].manifest.section, pile_up, seed)
    events = chain.events(own, detector, processed(before.name, detector))
    return own, events, processed(name, events, **chain.SETTINGS)


def processed(name: str, events: Arrays, **more: float) -> Arrays:
    settings = next(dict(kernel.manifest.settings) for kernel in KERNELS if kernel.name == name)
    opened = compiled.open_kernel("scalar", name, events, {**settings, **more})
    opened.process(0)
    return opened.results()


def test_the_network_says_of_clues_tracksters_what_it_says_of_its_own_sections() -> None:
    own, _, result = chained("hgcalml", 3)
    expected = processed("hgcalml", own)
    assert len(expected["answer_energy"]) > 50
    for name, column in expected.items():
        assert np.array_equal(result[name], column), name


def test_tracks_of_mkfit_reach_the_showers_that_they_made() -> None:
    _, events, result = chained("pflow", 3)
    linked = np.mean(result["track_hcal"] >= 0)
    turned = processed("pflow", {**events, "track_q_over_pt": -events["track_q_over_pt"]})
    assert linked > 0.6
    assert linked > np.mean(turned["track_hcal"] >= 0) + 0.1, "bent to the other side they miss them"


def test_electrons_are_seeded_by_pixeltracks_hits() -> None:
    seeded, turned = 0, 0
    for seed in range(3):
        _, events, result = chained("eseeding", seed)
        seeded += len(set(result["seed_sc"].tolist()))
        away = {**events, "hit_x": -events["hit_x"], "hit_y": -events["hit_y"]}
        turned += len(set(processed("eseeding", away)["seed_sc"].tolist()))
    # An electron and a positron of each hard collision, but for those beyond the pixels or lost.
    assert seeded >= 4
    assert turned <= seeded / 2, "hits on the other side of the beam"
