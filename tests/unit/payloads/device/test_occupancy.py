"""Blocks of a multiprocessor: figures of NVIDIA's occupancy calculator."""

from __future__ import annotations

import pytest

from payloads.backends.cubin import EntryCode
from payloads.backends.embedded import ARCHITECTURES
from payloads.backends.occupancy import LIMITS, occupancy


@pytest.mark.parametrize(
    ("architecture", "threads", "registers", "shared_bytes", "blocks", "share", "limited_by"),
    [
        ("sm_80", 256, 32, 0, 8, 1.0, "threads"),
        ("sm_80", 256, 64, 0, 4, 0.5, "registers"),
        ("sm_80", 256, 65, 0, 3, 0.375, "registers"),  # given out in units of eight a thread
        ("sm_80", 32, 16, 0, 32, 0.5, "blocks"),
        ("sm_80", 128, 32, 48 * 1024, 3, 0.1875, "shared memory"),  # and 1 KB a block for the system
        ("sm_90", 1024, 33, 0, 1, 0.5, "registers"),
        ("sm_86", 128, 16, 0, 12, 1.0, "threads"),
        ("sm_75", 128, 255, 0, 2, 0.25, "registers"),
        ("sm_60", 128, 32, 48 * 1024, 1, 0.0625, "shared memory"),
        ("sm_120", 96, 40, 0, 16, 1.0, "threads"),
    ],
)
def test_blocks(
    architecture: str,
    threads: int,
    registers: int,
    shared_bytes: int,
    blocks: int,
    share: float,
    limited_by: str,
) -> None:
    entry = EntryCode(registers, 0, shared_bytes, (), 100)
    assert occupancy(entry, threads, architecture) == (blocks, pytest.approx(share), limited_by)


def test_every_architecture_that_code_is_made_for_is_known() -> None:
    assert set(ARCHITECTURES) <= LIMITS.keys()


def test_what_is_not_known_and_what_cannot_be() -> None:
    entry = EntryCode(32, 0, 0, (), 100)
    assert occupancy(entry, 128, "sm_130") is None
    with pytest.raises(ValueError, match="a block has at least one thread"):
        occupancy(entry, 0, "sm_80")
