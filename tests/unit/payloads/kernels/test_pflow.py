"""Particle flow: equal bits at every width, the reference, cells and tracks put by hand, bad events."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from payloads import compiled
from payloads.arrays import one_event
from payloads.kernels.pflow.physics import differences
from payloads.kernels.pflow.reference import DEFAULTS, reconstruct
from tests.unit.payloads.kernels import judged

CRYSTALS = 90_000
CHARGED, PHOTON, NEUTRAL = 0, 1, 2
Event = dict[str, Any]


@pytest.fixture(scope="module")
def events() -> Event:
    return compiled.simulate("calorimeters", 20, 3, 0, 2)


@pytest.fixture(scope="module")
def channels(events: Event) -> Event:
    return {name: column for name, column in events.items() if name.startswith("channel_")}


def _by_hand(
    channels: Event, cells: dict[int, float], tracks: list[tuple[float, float, float]] | None = None
) -> Event:
    """An event of these energies by channel and these tracks (q/pT in 1/GeV, phi, cot theta) from the origin."""
    chosen = sorted(cells)
    many = np.array(tracks or np.empty((0, 3)), dtype=np.float32).reshape(-1, 3)
    zero = np.zeros(len(many), dtype=np.float32)
    return {
        **channels,
        "rechit_offset": np.array([0, len(chosen)], dtype=np.int32),
        "rechit_channel": np.array(chosen, dtype=np.int32),
        "rechit_energy": np.array([cells[channel] for channel in chosen], dtype=np.float32),
        "track_offset": np.array([0, len(many)], dtype=np.int32),
        "track_q_over_pt": many[:, 0].copy(), "track_phi": many[:, 1].copy(), "track_cot_theta": many[:, 2].copy(),
        "track_d0": zero, "track_z0": zero, "track_covariance_00": zero + np.float32(1e-8),
    }  # fmt: skip


def _channel(channels: Event, layer: int, eta: float, phi: float) -> int:
    """The channel of a layer nearest to a direction."""
    away = np.hypot(channels["channel_eta"] - eta, np.angle(np.exp(1j * (channels["channel_phi"] - phi))))
    return int(np.argmin(np.where(channels["channel_layer"] == layer, away, 99)))


def _beside(channels: Event, channel: int, step: int) -> int:
    return int(channels["channel_neighbours"][8 * channel + step])


def _run(event: Event, settings: dict[str, float] | None = None) -> dict[str, Any]:
    """The kernel's result, held against the reference."""
    (found,) = judged.results_of("pflow", event, settings)
    assert differences(reconstruct(one_event(event, 0), settings or {}), found) is None
    return found


def test_all_variants_and_widths_give_the_same_bits(events: Event) -> None:
    digests = judged.digests_of("pflow", events, 2)
    assert len(set(digests.values())) == 1, digests


def test_an_event_does_not_depend_on_the_one_before(events: Event) -> None:
    assert not judged.depends_on_the_one_before("pflow", events)


def test_an_event_does_not_depend_on_its_company(events: Event) -> None:
    alone = judged.results_of("pflow", compiled.simulate("calorimeters", 20, 3, 1, 1))[0]
    for name, column in judged.results_of("pflow", events)[1].items():
        np.testing.assert_array_equal(column, alone[name], err_msg=name)


def test_defaults_are_the_kernels(events: Event) -> None:
    first, second = (judged.results_of("pflow", events, settings)[0] for settings in ({}, DEFAULTS))
    for name, column in first.items():
        np.testing.assert_array_equal(column, second[name], err_msg=name)


def test_cells_below_threshold_and_clusters_without_a_seed_are_nothing(channels: Event) -> None:
    barrel = _channel(channels, 3, 0.5, 1.0)
    assert len(_run(_by_hand(channels, {barrel: 0.19}))["cluster_seed"]) == 0
    assert len(_run(_by_hand(channels, {barrel: 0.24}))["cluster_seed"]) == 0
    found = _run(_by_hand(channels, {barrel: 0.26}))
    assert found["cluster_seed"].tolist() == [0]
    assert found["candidate_kind"].tolist() == [NEUTRAL]


def test_of_two_equal_cells_side_by_side_the_first_is_the_seed(channels: Event) -> None:
    first = _channel(channels, 3, 0.5, 1.0)
    second = _beside(channels, first, 2)
    found = _run(_by_hand(channels, {first: 2.0, second: 2.0}))
    assert found["cluster_seed"].tolist() == [0]
    assert found["cluster_energy"].tolist() == [4.0]


def test_cells_that_touch_by_a_corner_are_one_topological_cluster_of_two_seeds(channels: Event) -> None:
    first = _channel(channels, 3, 0.5, 1.0)
    corner = _beside(channels, first, 4)
    found = _run(_by_hand(channels, {first: 2.0, corner: 1.0}))
    assert len(found["cluster_seed"]) == 2
    # a seed is wholly its own cluster's
    assert sorted(found["cluster_energy"].tolist()) == [1.0, 2.0]


def test_a_cell_between_two_seeds_is_shared_by_the_gaussian_weights_of_where_they_end(
    channels: Event,
) -> None:
    left = _channel(channels, 3, 0.5, 1.0)
    middle = _beside(channels, left, 2)
    right = _beside(channels, middle, 2)
    event = _by_hand(channels, {left: 6.0, middle: 1.0, right: 3.0})
    found = _run(event)
    shared = found["share_cell"] == sorted((left, middle, right)).index(middle)
    fraction = dict(
        zip(found["share_cluster"][shared].tolist(), found["share_fraction"][shared].tolist(), strict=True)
    )
    place = np.array([channels[f"channel_{axis}"][middle] for axis in "xyz"])
    weights = []
    for cluster in range(2):
        at = np.array([found[f"cluster_{axis}"][cluster] for axis in "xyz"])
        weights.append(found["cluster_energy"][cluster] * np.exp(-0.5 * ((at - place) ** 2).sum() / 100))
    assert fraction[0] == pytest.approx(weights[0] / sum(weights), abs=1e-5)
    assert fraction[0] + fraction[1] == pytest.approx(1)
    assert found["cluster_iterations"].min() > 2
    # symmetric but for the energies: the stronger gets more than two thirds, since it is drawn nearer
    stronger = int(np.argmax(found["cluster_energy"]))
    assert fraction[stronger] > 2 / 3


def test_one_iteration_is_not_enough(channels: Event) -> None:
    left = _channel(channels, 3, 0.5, 1.0)
    middle = _beside(channels, left, 2)
    event = _by_hand(channels, {left: 6.0, middle: 1.0, _beside(channels, middle, 2): 3.0})
    (stopped,) = judged.results_of("pflow", event, {"max_iterations": 1})
    assert "have the energy and the place" in (
        differences(reconstruct(one_event(event, 0), {}), stopped) or ""
    )


def test_depths_behind_each_other_are_one_shower_and_others_are_not(channels: Event) -> None:
    column = [_channel(channels, layer, 0.5, 1.0) for layer in (2, 3, 4)]
    aside = _channel(channels, 4, -0.5, 1.0)
    found = _run(_by_hand(channels, {column[0]: 1.0, column[1]: 5.0, column[2]: 2.0, aside: 3.0}))
    assert len(found["cluster_seed"]) == 4
    assert sorted(found["shower_energy"].tolist()) == [3.0, 8.0]


def test_every_narrow_tower_touches_the_wide_one_beside_it(channels: Event) -> None:
    wide = _channel(channels, 8, 1.785, 1.0)
    across_an_edge = channels["channel_neighbours"].reshape(-1, 8)[:, :4] == wide
    narrow = np.flatnonzero(across_an_edge.any(1) & (channels["channel_eta"] < 1.75))
    assert len(narrow) == 2
    for cell in narrow.tolist():
        assert _run(_by_hand(channels, {wide: 2.0, cell: 1.0}))["cluster_energy"].tolist() == [3.0]


@pytest.mark.parametrize("charge", [-1, 1])
@pytest.mark.parametrize("cot", [0.4, -3.0])
def test_a_track_is_linked_where_the_field_turns_it(channels: Event, charge: int, cot: float) -> None:
    pt, phi0 = 5.0, 0.7
    layer = 2 if abs(cot) < 1 else 8
    front = (
        np.array([179.0, 179.0 * cot]) if layer == 2 else np.array([389.0 / abs(cot), np.sign(cot) * 389.0])
    )
    # chord of a circle of radius pT / (0.0114 GeV/cm): a positive charge turns towards smaller phi
    radius = pt / (2.99792458e-3 * 3.8)
    arc = front[0] if layer == 2 else radius * 2 * np.sin(front[0] / radius / 2)
    phi = phi0 - charge * np.arcsin(min(arc, 2 * radius) / (2 * radius))
    cell = _channel(channels, layer, float(np.arcsinh(cot)), float(phi))
    event = _by_hand(channels, {cell: 5.0}, [(charge / pt, phi0, cot)])
    assert _run(event, {"hcal_window": 0.12})["track_hcal"].tolist() == [0]
    assert _run(event, {"hcal_window": 0.12, "field_tesla": -3.8})["track_hcal"].tolist() == [-1]


def test_a_track_that_curls_up_is_linked_to_nothing_and_is_a_candidate(channels: Event) -> None:
    found = _run(_by_hand(channels, {_channel(channels, 2, 0.0, 0.0): 1.0}, [(5.0, 0.0, 1e-4)]))
    assert found["track_hcal"].tolist() == [-1]
    assert sorted(found["candidate_kind"].tolist()) == [CHARGED, NEUTRAL]


def test_energy_that_tracks_explain_is_theirs_and_an_excess_is_not(channels: Event) -> None:
    cell = _channel(channels, 3, 0.4, 0.5)
    track = (0.02, 0.52, float(np.sinh(0.4)))  # 50 GeV
    p = 50 * np.cosh(0.4)
    explained = _run(_by_hand(channels, {cell: p}, [track]))
    assert explained["candidate_kind"].tolist() == [CHARGED]
    assert explained["candidate_energy"][0] == pytest.approx(p, rel=1e-4)
    excess = _run(_by_hand(channels, {cell: 3 * p}, [track]))
    assert excess["candidate_kind"].tolist() == [CHARGED, NEUTRAL]
    assert excess["candidate_energy"].sum() == pytest.approx(3 * p * 0.9, rel=0.05)


def test_an_excess_is_photons_as_far_as_there_are_crystals(channels: Event) -> None:
    track = (0.02, 0.52, float(np.sinh(0.4)))
    crystal, cell = _channel(channels, 0, 0.4, 0.515), _channel(channels, 3, 0.4, 0.5)
    found = _run(_by_hand(channels, {crystal: 20.0, cell: 150.0}, [track]))
    assert found["track_ecal"].tolist() == [0]
    assert found["candidate_kind"].tolist() == [CHARGED, PHOTON, NEUTRAL]
    assert found["candidate_energy"][1] == pytest.approx(20.0)


def test_a_badly_measured_track_without_energy_is_dropped(channels: Event) -> None:
    cell = _channel(channels, 3, 0.4, 0.5)
    event = _by_hand(channels, {cell: 2.0}, [(0.02, 0.52, float(np.sinh(0.4)))])
    assert CHARGED in _run(event)["candidate_kind"]
    event["track_covariance_00"][:] = 1e-4  # 25 GeV of 50
    assert _run(event)["candidate_kind"].tolist() == [NEUTRAL]


def test_an_event_of_nothing_gives_nothing(channels: Event) -> None:
    found = _run(_by_hand(channels, {}))
    assert all(len(column) == 0 for column in found.values())


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"rechit_offset": np.array([0, 5], dtype=np.int32)}, "offsets say"),
        ({"rechit_energy": np.full(2, np.nan, dtype=np.float32)}, "energy out of range"),
        ({"rechit_energy": np.full(2, -1, dtype=np.float32)}, "energy out of range"),
        ({"rechit_channel": np.array([7, 7], dtype=np.int32)}, "does not rise"),
        ({"rechit_channel": np.array([7, 10**8], dtype=np.int32)}, "does not rise"),
        ({"rechit_channel": np.array([-1, 7], dtype=np.int32)}, "does not rise"),
        ({"rechit_channel": np.zeros(2, dtype=np.int16)}, "int16"),
        ({"track_q_over_pt": np.zeros(1, dtype=np.float32)}, "track_q_over_pt out of range"),
        ({"track_phi": np.full(1, np.inf, dtype=np.float32)}, "track_phi out of range"),
        ({"track_offset": np.array([0, 0, 1], dtype=np.int32)}, "tracks of 2 events and rechits of 1"),
        ({"channel_x": np.zeros(3, dtype=np.float32)}, "not as long as channel_layer"),
    ],
)  # fmt: skip
def test_events_that_are_none_are_refused(channels: Event, change: Event, words: str) -> None:
    event = _by_hand(channels, {7: 1.0, 9: 1.0}, [(0.1, 0.0, 0.0)])
    with pytest.raises(ValueError, match=words):
        judged.results_of("pflow", {**event, **change})


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("channel_neighbours", 10**7, "neighbour that no calorimeter has"),
        ("channel_neighbours", 100_000, "neighbour that no calorimeter has"),  # of another layer
        ("channel_layer", 13, "layer, place or neighbour"),
        ("channel_z", np.nan, "layer, place or neighbour"),
    ],
)
def test_channels_that_no_calorimeter_has_are_refused(
    channels: Event, column: str, value: float, words: str
) -> None:
    event = _by_hand(channels, {7: 1.0})
    event[column] = event[column].copy()
    event[column][80] = value
    with pytest.raises(ValueError, match=words):
        judged.results_of("pflow", event)


def test_more_than_there_can_be_is_refused_before_memory_is_asked_for(channels: Event) -> None:
    height = 1 + (np.arange(61_200) * 7919 % 61_200) / 61_200  # every crystal of the barrel, many hills
    event = _by_hand(channels, dict(enumerate(height.tolist())))
    with pytest.raises(ValueError, match="too large topological clusters"):
        judged.results_of("pflow", event)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"window": 1.0}, "no setting 'window'"),
        ({"max_iterations": 0.0}, "max_iterations"),
        ({"field_tesla": 0.0}, "no momenta"),
        ({"hcal_sigma_cm": float("nan")}, "hcal_sigma_cm"),
    ],
)
def test_settings_that_are_none_are_refused(channels: Event, settings: dict[str, float], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        judged.results_of("pflow", _by_hand(channels, {}), settings)
