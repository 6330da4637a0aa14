"""Kernels on the emulated device: the bits of the CPU, whatever the order of threads, blocks and streams."""

from __future__ import annotations

import numpy as np
import pytest

from payloads import _device, compiled
from tests.unit.payloads.device.cases import CASES, Case, Events

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", params=CASES, ids=lambda case: case.kernel)
def case(request: pytest.FixtureRequest) -> Case:
    asked: Case = request.param
    return asked


@pytest.fixture(scope="module")
def events(case: Case) -> Events:
    return case.simulate()


def _count(events: Events) -> int:
    """Events of a set."""
    return min(len(column) for name, column in events.items() if name.endswith("_offset")) - 1


def _digest(case: Case, events: Events, settings: dict[str, float] | None = None) -> int:
    """Of all events on the CPU."""
    return compiled.open_kernel("scalar", case.kernel, events, settings).measure(0, _count(events))[1]


@pytest.fixture(scope="module")
def wanted(case: Case, events: Events) -> int:
    return _digest(case, events)


@pytest.mark.parametrize(
    ("threads", "order", "slots", "poison"),
    [(64, 0, 1, 0xA5), (256, 1, 2, 0x00), (1024, 11, 3, 0xFF), (96, 12, 4, 0x7F), (8, 13, 2, 0xA5)],
)
def test_bits_are_those_of_the_cpu(
    case: Case, events: Events, wanted: int, threads: int, order: int, slots: int, poison: int
) -> None:
    device = _device.Emulated(block_threads=threads, order=order, poison=poison)
    opened = device.open(case.kernel, events, slots=slots)
    assert opened.slots == slots
    assert opened.digest_of(0, _count(events)) == wanted


def test_other_settings_as_on_the_cpu(case: Case, events: Events) -> None:
    for settings in case.settings:
        opened = _device.Emulated(order=3).open(case.kernel, events, settings)
        assert opened.digest_of(0, _count(events)) == _digest(case, events, settings), settings


def test_columns_are_those_of_the_cpu(case: Case, events: Events) -> None:
    cpu = compiled.open_kernel("scalar", case.kernel, events)
    opened = _device.Emulated().open(case.kernel, events)
    for event in (2, 0):
        cpu.process(event)
        opened.process(event)
        on_cpu, on_device = cpu.results(), opened.results()
        assert on_cpu.keys() == on_device.keys()
        assert any(len(column) > 0 for column in on_cpu.values())
        for name, column in on_cpu.items():
            np.testing.assert_array_equal(column, on_device[name], err_msg=name)
        assert opened.digest() == cpu.digest()


def test_events_in_flight_do_not_disturb_each_other(case: Case, events: Events) -> None:
    cpu = compiled.open_kernel("scalar", case.kernel, events)
    count = _count(events)
    digest = {}
    for event in range(count):
        cpu.process(event)
        digest[event] = cpu.digest()
    assert len(set(digest.values())) == count
    opened = _device.Emulated(block_threads=128, order=21).open(case.kernel, events, slots=4)
    _, last = opened.run(1, count + 2, 3)
    assert len(last) == 4
    assert all(digest[event] == found for event, found in last), last


def test_nothing_is_allocated_once_it_is_open(case: Case, events: Events) -> None:
    device = _device.Emulated()
    opened = device.open(case.kernel, events, slots=2)
    before = device.allocations
    opened.run(0, 3, 2)
    opened.run(0, 3, 2, transfers=False)
    assert device.allocations == before


def test_a_device_with_less_memory_has_fewer_events_in_flight(
    case: Case, events: Events, wanted: int
) -> None:
    roomy = _device.Emulated()
    two = roomy.open(case.kernel, events, slots=2)
    device = _device.Emulated(memory_bytes=roomy.held_bytes + two.slot_bytes // 2)
    opened = device.open(case.kernel, events, slots=8)
    assert opened.slots == 2
    assert opened.digest_of(0, _count(events)) == wanted
    too_small = _device.Emulated(memory_bytes=roomy.held_bytes - 3 * two.slot_bytes // 2)
    with pytest.raises(_device.OutOfDeviceMemoryError, match="emulated device has no room for"):
        too_small.open(case.kernel, events)


def test_events_with_nothing_in_them(case: Case, events: Events) -> None:
    """An event of nothing between two with something, and a set of nothing else."""
    between = {
        name: np.insert(column, 1, column[1]) if name.endswith("_offset") else column
        for name, column in events.items()
    }
    opened = _device.Emulated(order=5).open(case.kernel, between, slots=2)
    assert opened.digest_of(0, _count(between)) == _digest(case, between)
    empty = dict(events)
    for offset in [name for name in events if name.endswith("_offset")]:
        group = offset.removesuffix("offset")
        size = int(events[offset][-1])
        empty |= {
            name: column[:0]
            for name, column in events.items()
            if name.startswith(group) and len(column) == size
        }
        empty[offset] = np.zeros(3, dtype=np.int32)
    opened = _device.Emulated(order=6).open(case.kernel, empty, slots=2)
    assert opened.digest_of(0, 2) == _digest(case, empty)


def test_an_event_in_which_little_is_found(case: Case, events: Events) -> None:
    name, value = case.quiet
    offset = events[f"{name.split('_')[0]}_offset"]
    column = events[name].copy()
    column[offset[1] : offset[2]] = value
    quiet = {**events, name: column}
    opened = _device.Emulated(order=7).open(case.kernel, quiet, slots=2)
    assert opened.digest_of(0, _count(quiet)) == _digest(case, quiet)


def test_what_the_cpu_refuses_the_device_refuses(case: Case, events: Events) -> None:
    device = _device.Emulated()
    settings, said = case.refused
    with pytest.raises(ValueError, match=said):
        device.open(case.kernel, events, settings)
    name, value, said = case.wrong
    with pytest.raises(ValueError, match=said):
        device.open(case.kernel, {**events, name: np.full_like(events[name], value)})
    with pytest.raises(ValueError, match="at least one event in flight"):
        device.open(case.kernel, events, slots=0)
    count = _count(events)
    with pytest.raises(ValueError, match=f"there is no event {count} in this set of {count}"):
        device.open(case.kernel, events).process(count)


def test_a_kernel_that_is_not_there() -> None:
    with pytest.raises(ValueError, match="kernel 'absent' has no launches for a device"):
        _device.Emulated().open("absent", {})


def test_every_kernel_with_launches_is_tested() -> None:
    assert {case.kernel for case in CASES} == set(_device.kernels)
