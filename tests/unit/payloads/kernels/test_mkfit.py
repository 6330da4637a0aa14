"""mkfit: equal bits at every width, tracks as the double-precision smoother fits them, broken results caught."""

from __future__ import annotations

import numpy as np
import pytest

from payloads import compiled
from payloads.arrays import Arrays, one_event
from payloads.kernels.mkfit import display, physics, reference

EVENTS = 2


@pytest.fixture(scope="module")
def events() -> Arrays:
    return compiled.simulate("tracker", 6, 7, 0, EVENTS)


def results(events: Arrays, settings: dict[str, float] | None = None, lanes: int = 0) -> list[Arrays]:
    opened = compiled.open_kernel(compiled.best_variant().name, "mkfit", events, settings, lanes)
    found = []
    for event in range(EVENTS):
        opened.process(event)
        found.append(opened.results())
    return found


@pytest.fixture(scope="module")
def reconstructed(events: Arrays) -> list[Arrays]:
    return results(events)


def test_every_width_and_instruction_set_gives_the_same_bits(events: Arrays) -> None:
    digests = set()
    for variant in compiled.variants():
        if not variant.usable:
            continue
        for lanes in (0, 1):
            opened = compiled.open_kernel(variant.name, "mkfit", events, {}, lanes)
            digests.add(opened.measure(0, EVENTS)[1])
    assert len(digests) == 1


def test_simulation_is_the_same_whatever_event_it_starts_from(events: Arrays) -> None:
    alone = compiled.simulate("tracker", 6, 7, 1, 1)
    assert np.array_equal(alone["hit_x"], one_event(events, 1)["hit_x"])


def test_fit_agrees_with_the_smoother(events: Arrays, reconstructed: list[Arrays]) -> None:
    expected = reference.reconstruct(one_event(events, 0), {})
    assert len(expected["track_x"]) > 20
    assert physics.differences(expected, reconstructed[0]) is None
    shifted = dict(reconstructed[0])
    shifted["track_inverse_pt"] = shifted["track_inverse_pt"] * np.float32(1.02)
    assert "differ" in str(physics.differences(expected, shifted))
    fewer = {**reconstructed[0], "track_seed": reconstructed[0]["track_seed"] + 100000}
    assert "found" in str(physics.differences(expected, fewer))


def test_tracks_are_true(events: Arrays, reconstructed: list[Arrays]) -> None:
    got = physics.measure(events, reconstructed)
    assert got["efficiency"] > 0.8
    assert got["fakes"] < 0.05
    assert got["duplicates"] < 0.02
    assert 0.7 < got["inverse_pt_pull"] < 1.4


def test_a_wrong_cut_is_seen(events: Arrays, reconstructed: list[Arrays]) -> None:
    right = physics.measure(events, reconstructed)
    wrong = physics.measure(events, results(events, {"chi2": 0.3}))
    assert wrong["efficiency"] < right["efficiency"] - 0.1


def test_shifted_hits_are_seen(events: Arrays) -> None:
    moved = dict(events)
    far = np.hypot(events["hit_x"], events["hit_y"]) > 20
    moved["hit_x"] = (events["hit_x"] + np.where(far, 0.05, 0)).astype(np.float32)
    assert physics.measure(events, results(moved))["inverse_pt_pull"] > 1.5


@pytest.mark.parametrize(
    ("column", "value", "says"),
    [
        ("hit_layer", 200, "not there"),
        ("hit_x", np.nan, "hit_x"),
        ("seed_hit0", 10**8, "not in its event"),
        ("seed_charge", 0, "charge"),
        ("hit_offset", -5, "do not rise"),
    ],
)
def test_hostile_arrays_are_refused(events: Arrays, column: str, value: float, says: str) -> None:
    broken = dict(events)
    broken[column] = events[column].copy()
    broken[column][1] = value
    with pytest.raises(ValueError, match=says):
        compiled.open_kernel(compiled.best_variant().name, "mkfit", broken)


def test_picture_is_whole(events: Arrays, reconstructed: list[Arrays]) -> None:
    drawn = display.picture(one_event(events, 0), reconstructed[0])
    assert drawn.startswith("<svg")
    assert drawn.endswith("</svg>")
    assert len(drawn) < 300_000
