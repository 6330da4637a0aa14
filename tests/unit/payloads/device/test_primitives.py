"""Scan, histogram, sort by bin and compaction of device kernels, on the emulated device, against NumPy."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from payloads import _device

Array = np.ndarray[Any, np.dtype[np.int32]]

# Blocks of one thread, of no power of two, of the greatest size; threads and blocks rising, falling and shuffled.
DEVICES = list(itertools.product((1, 3, 32, 100, 1024), (0, 1, 7, 8)))
LENGTHS = (0, 1, 7, 8, 9, 63, 1000, 8193, 20_011)


@pytest.fixture(params=DEVICES, ids=lambda pair: f"{pair[0]}-threads-order-{pair[1]}")
def device(request: pytest.FixtureRequest) -> _device.Emulated:
    threads, order = request.param
    return _device.Emulated(block_threads=threads, order=order)


def _numbers(length: int, most: int) -> Array:
    return np.random.default_rng(length + 1).integers(0, most, length, dtype=np.int32)


def test_scan(device: _device.Emulated) -> None:
    for length in LENGTHS:
        counts = _numbers(length, 50)
        assert _device.exclusive_scan(device, counts) == [0, *np.cumsum(counts).tolist()], length


def test_histogram(device: _device.Emulated) -> None:
    for length, bins in ((0, 3), (1, 1), (5000, 7), (300, 4000)):
        values = _numbers(length, bins)
        assert _device.histogram(device, values, bins) == np.bincount(values, minlength=bins).tolist()


@pytest.mark.parametrize(("length", "bins"), [(0, 5), (1, 1), (2000, 9), (500, 3000), (4099, 2)])
def test_sort_by_bin_is_stable_and_leaves_the_last_bin_out(
    device: _device.Emulated, length: int, bins: int
) -> None:
    bin_of = _numbers(length, bins + 1)
    starts, order = _device.sort_by_bin(device, bin_of, bins)
    kept = np.count_nonzero(bin_of < bins)
    assert order == np.argsort(bin_of, kind="stable")[:kept].tolist()
    assert starts == [0, *np.cumsum(np.bincount(bin_of, minlength=bins + 1)[:bins]).tolist()]


def test_compaction_keeps_the_order(device: _device.Emulated) -> None:
    for length in LENGTHS:
        flags = _numbers(length, 2)
        assert _device.compact(device, flags) == np.flatnonzero(flags).tolist(), length


def test_fresh_memory_is_not_relied_upon() -> None:
    values = _numbers(3000, 40)
    answers = [
        (
            _device.exclusive_scan(device, values),
            _device.sort_by_bin(device, values, 39),
            _device.histogram(device, values, 40),
        )
        for device in (_device.Emulated(poison=poison) for poison in (0x00, 0x7F, 0xFF))
    ]
    assert answers[0] == answers[1] == answers[2]


def test_what_cannot_be_is_refused() -> None:
    device = _device.Emulated()
    with pytest.raises(ValueError, match="value 5 is not within 0 and 4"):
        _device.histogram(device, np.array([1, 5], dtype=np.int32), 5)
    with pytest.raises(ValueError, match="value 2 is not within 0 and 1"):
        _device.compact(device, np.array([1, 2], dtype=np.int32))
    with pytest.raises(ValueError, match="holds float32, not int32"):
        _device.exclusive_scan(device, np.zeros(3, dtype=np.float32))
    for threads in (0, 1025):
        with pytest.raises(ValueError, match="a block has 1 to 1024 threads"):
            _device.Emulated(block_threads=threads)
