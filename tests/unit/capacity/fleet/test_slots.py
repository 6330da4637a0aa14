"""Cores of a node are counted once, whatever its slots are told apart by."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from tests.unit.capacity.fleet.states import absorbed
from tests.unit.capacity.looks import NOW, ago, look


@pytest.mark.parametrize(
    ("slots", "cores"),
    [
        ([{"slot": "slot1_1"}, {"slot": "slot1_2"}], 16),
        ([{"slot": "slot1_1"}, {"slot": "slot1_1"}], 8),
        ([{"cpus": "0-7"}, {"cpus": "8-15"}], 16),
        ([{"cpus": "0-7"}, {"cpus": "0-7"}], 8),
        ([{"cpus": "0-7"}, {"cpus": "4-11"}], 12),
        ([{"cpus": "0-7", "slot": "a"}, {"cpus": "0-7", "slot": "b"}], 8),
        ([{"cores": 1.5}, {"cores": 1.5}], 1.5),
        ([{"cores": 1.5}, {"cores": 0.5}], 2),
        ([{"cores": 2, "cpus": "0-63", "slot": "a"}, {"cores": 2, "cpus": "0-63", "slot": "b"}], 4),
        ([{"cores": 2, "cpus": "0-1"}, {"cores": 1.5, "cpus": "0-63"}], 3.5),
        ([{"cores": 64}], 64),
        ([{"cores": 64}, {"cores": 8, "cpus": "0-7"}], 64),
        ([{"cores": 64}, {"cores": 8, "slot": "slot1_1"}], 8),
        ([{"cores": 64, "slot": "slot1"}, {"cores": 8, "slot": "slot1_1"}], 64),
        ([{"cores": 40, "slot": "a"}, {"cores": 40, "slot": "b"}], 64),
        ([{"cores": None}], None),
        ([{"cores": None}, {"cores": 8, "slot": "a"}], 8),
    ],
)
def test_cores_are_counted_once(slots: Sequence[dict[str, Any]], cores: float | None) -> None:
    state = absorbed(*(look(ago(minutes=len(slots) - i), **said) for i, said in enumerate(slots)))

    assert state.granted_cores == cores


def test_a_slot_that_was_not_seen_for_a_day_is_not_concurrent() -> None:
    state = absorbed(look(ago(hours=25), slot="slot1_1"), look(NOW, slot="slot1_2"))

    assert state.granted_cores == 8
    assert [slot.key for slot in state.slots] == ["slot slot1_2", "slot slot1_1"]


def test_a_slot_that_was_not_seen_for_a_month_is_forgotten() -> None:
    state = absorbed(look(ago(days=31), slot="slot1_1"), look(NOW, slot="slot1_2"))

    assert [slot.key for slot in state.slots] == ["slot slot1_2"]
