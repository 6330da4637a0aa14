"""Two machines under one name, clocks and counts that cannot be: told, and never counted double."""

from __future__ import annotations

from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest

from capacity.fleet import merge
from profiles.profile import CapabilityProfile
from tests.unit.capacity.fleet.states import SETTINGS, absorbed, codes
from tests.unit.capacity.looks import NOW, ago, document, look


def test_a_clock_in_the_future_is_clamped_and_told() -> None:
    ahead = look(NOW + timedelta(hours=5), slot="slot1", cores=4)
    state = absorbed(ahead)
    assert state.last_seen_at == NOW
    assert "clock-ahead" in codes(state)
    assert "18000 s ahead" in state.findings[0].says

    later = NOW + timedelta(minutes=1)
    right = look(later, slot="slot1", cores=8)
    again = merge.absorb(state, right, later, later, SETTINGS)
    assert again.granted_cores == 8, "the look that claims to be from the future does not stay the newest"


def test_a_small_skew_is_no_finding() -> None:
    assert codes(absorbed(look(NOW + timedelta(seconds=30)))) == []


def test_two_machines_with_one_name_are_not_added_up() -> None:
    state = absorbed(
        look(ago(hours=2), slot="a", model="AMD EPYC 7702", boot=None),
        look(ago(hours=1), slot="b", boot=None),
    )

    assert state.granted_cores == 8
    assert codes(state) == ["identity-collision"]
    assert "AMD EPYC 7702" in state.findings[0].says


def test_two_machines_with_slots_of_one_name_are_seen_and_count_once() -> None:
    for order in permutations(
        [
            look(ago(hours=3), number=1, slot="slot1", model="AMD EPYC 7702", cores=16, boot=None),
            look(ago(hours=2), number=2, slot="slot1", cores=8, boot=None),
            look(ago(hours=1), number=3, slot="slot1", model="AMD EPYC 7702", cores=4, boot=None),
        ]
    ):
        state = absorbed(*order)
        assert codes(state) == ["identity-collision"]
        assert state.granted_cores == 4


def test_replaced_hardware_is_no_collision() -> None:
    state = absorbed(look(ago(days=3), slot="a", model="AMD EPYC 7702"), look(NOW, slot="b"))

    assert codes(state) == []


def test_looks_in_turn_from_two_boots_are_two_machines() -> None:
    first, second = "a" * 32, "b" * 32
    rebooted = absorbed(
        look(ago(hours=3), boot=first), look(ago(hours=2), boot=first), look(ago(hours=1), boot=second)
    )
    assert codes(rebooted) == []

    in_turn = absorbed(
        look(ago(hours=3), boot=first), look(ago(hours=2), boot=second), look(ago(hours=1), boot=first)
    )
    assert codes(in_turn) == ["identity-collision"]


def test_impossible_counts_are_findings_and_never_count() -> None:
    state = absorbed(look(cores=128, present=64, slot="slot1"))
    assert codes(state).count("core-count-impossible") == 1
    assert state.granted_cores == 64

    assert "core-count-impossible" in codes(absorbed(look(physical_cores=128)))


@pytest.mark.parametrize(
    "claims",
    [
        {"cores": 1e6, "present": 1_000_000},
        {"cores": 70_000.0, "present": 70_000},
    ],
)
def test_a_machine_of_any_size_is_not_believed(claims: dict[str, Any]) -> None:
    state = absorbed(look(**claims))

    assert state.granted_cores is None
    assert "core-count-impossible" in codes(state)


def test_a_slot_of_any_size_is_not_believed() -> None:
    said = document(slot="slot1")
    said["scope"] = {"kind": "slot", "cores_granted": 1e308, "cores_present": 8}
    state = absorbed(CapabilityProfile.model_validate(said), look(ago(hours=1), slot="slot2"))

    assert state.granted_cores == 8


def test_slots_that_exceed_the_machine_are_told() -> None:
    state = absorbed(*(look(ago(minutes=i), slot=f"slot1_{i}", cores=16) for i in range(5)))

    assert state.granted_cores == 64
    assert codes(state) == ["slots-exceed-node"]
    assert "16 cores more" in state.findings[0].says


def test_two_machines_are_a_problem_and_renewed_slots_are_a_notice() -> None:
    twice = absorbed(look(ago(hours=2), model="AMD EPYC 7702", boot=None), look(ago(hours=1), boot=None))
    renewed = absorbed(*(look(ago(minutes=i), slot=f"slot1_{i}", cores=16) for i in range(5)))

    assert [finding.level for finding in twice.findings] == ["problem"]
    assert [finding.level for finding in renewed.findings] == ["notice"]
