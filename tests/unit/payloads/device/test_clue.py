"""clue on the emulated device: the bits of the CPU, whatever the order of threads, blocks and streams."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from payloads import _device, compiled
from payloads.kernels.clue.physics import differences

Events = dict[str, Any]


@pytest.fixture(scope="module")
def events() -> Events:
    return compiled.simulate("hgcal", 5, 5, 0, 4)


@pytest.fixture(scope="module")
def wanted(events: Events) -> int:
    """Digest of all events on the CPU."""
    return compiled.open_kernel("scalar", "clue", events).measure(0, 4)[1]


@pytest.mark.parametrize(
    ("threads", "order", "slots", "poison"),
    [(64, 0, 1, 0xA5), (256, 1, 2, 0x00), (1024, 11, 3, 0xFF), (96, 12, 4, 0x7F), (8, 13, 2, 0xA5)],
)
def test_bits_are_those_of_the_cpu(
    events: Events, wanted: int, threads: int, order: int, slots: int, poison: int
) -> None:
    device = _device.Emulated(block_threads=threads, order=order, poison=poison)
    opened = device.open("clue", events, slots=slots)
    assert opened.slots == slots
    assert opened.digest_of(0, 4) == wanted


def test_without_linking_and_with_other_settings_as_on_the_cpu(events: Events) -> None:
    for settings in (
        {"link": 0.0},
        {"kappa": 20.0, "least_clusters": 3.0, "least_cells": 1.0},
        {"threshold_sigma": 6.0},  # leaves cells out of a slot that no event has used
    ):
        cpu = compiled.open_kernel("scalar", "clue", events, settings)
        opened = _device.Emulated(order=3).open("clue", events, settings)
        assert opened.digest_of(1, 1) == cpu.measure(1, 1)[1]


def test_columns_are_those_of_the_cpu(events: Events) -> None:
    cpu = compiled.open_kernel("scalar", "clue", events)
    opened = _device.Emulated().open("clue", events)
    for event in (2, 0):
        cpu.process(event)
        opened.process(event)
        on_cpu, on_device = cpu.results(), opened.results()
        assert on_cpu.keys() == on_device.keys()
        for name, column in on_cpu.items():
            np.testing.assert_array_equal(column, on_device[name], err_msg=name)
        assert differences(on_cpu, on_device) is None
        assert opened.digest() == cpu.digest()


def test_events_in_flight_do_not_disturb_each_other(events: Events) -> None:
    cpu = compiled.open_kernel("scalar", "clue", events)
    digest = {}
    for event in range(4):
        cpu.process(event)
        digest[event] = cpu.digest()
    opened = _device.Emulated(block_threads=128, order=21).open("clue", events, slots=4)
    _, last = opened.run(1, 6, 3)
    assert len(last) == 4
    assert all(digest[event] == found for event, found in last), last


def test_nothing_is_allocated_once_it_is_open(events: Events) -> None:
    device = _device.Emulated()
    opened = device.open("clue", events, slots=2)
    before = device.allocations
    opened.run(0, 3, 2)
    opened.run(0, 3, 2, transfers=False)
    assert device.allocations == before


def test_a_device_with_less_memory_has_fewer_events_in_flight(events: Events, wanted: int) -> None:
    whole = _device.Emulated().open("clue", events, slots=1)
    device = _device.Emulated(memory_bytes=int(2.5 * whole.slot_bytes))
    opened = device.open("clue", events, slots=8)
    assert opened.slots == 2
    assert opened.digest_of(0, 4) == wanted
    too_small = _device.Emulated(memory_bytes=whole.slot_bytes // 2)
    with pytest.raises(_device.OutOfDeviceMemoryError, match="emulated device has no room for"):
        too_small.open("clue", events)


def test_no_cells_and_cells_below_threshold(events: Events) -> None:
    """An event with no cell between two with some, and one in which none is above its noise."""
    cut = {name: column[:300] for name, column in events.items() if name.startswith("rechit_")}
    cut["rechit_offset"] = np.array([0, 100, 100, 200, 300], dtype=np.int32)
    cut["rechit_sigma_noise"] = cut["rechit_sigma_noise"].copy()
    cut["rechit_sigma_noise"][100:200] = 100.0
    cpu = compiled.open_kernel("scalar", "clue", cut)
    opened = _device.Emulated(order=5).open("clue", cut, slots=2)
    assert opened.digest_of(0, 4) == cpu.measure(0, 4)[1]


def test_what_the_cpu_refuses_the_device_refuses(events: Events) -> None:
    device = _device.Emulated()
    with pytest.raises(ValueError, match="there is no setting 'nonsense'"):
        device.open("clue", events, {"nonsense": 1.0})
    bad = {**events, "rechit_energy": np.full_like(events["rechit_energy"], np.nan)}
    with pytest.raises(ValueError, match="out of range: make the event set again"):
        device.open("clue", bad)
    with pytest.raises(ValueError, match="kernel 'absent' has no launches for a device"):
        device.open("absent", events)
    with pytest.raises(ValueError, match="at least one event in flight"):
        device.open("clue", events, slots=0)
    with pytest.raises(ValueError, match="there is no event 4 in this set of 4"):
        device.open("clue", events).process(4)
