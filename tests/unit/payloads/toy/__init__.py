"""A kernel in Python that tests can break, and its simulation."""

from __future__ import annotations

from typing import Any

import numpy as np


def simulated(
    section: str, pile_up: float, seed: int, first_event: int = 0, events: int = 1
) -> dict[str, Any]:
    """Numbers, their sum as truth, and a frame without offsets; an event is the same whatever first_event is."""
    if section != "numbers":
        raise ValueError(f"there is no section {section!r} in this simulation")
    values, offset = [], [0]
    for event in range(first_event, first_event + events):
        generator = np.random.default_rng([seed, event])
        values.append(generator.integers(0, 100, int(pile_up) * 10 + event).astype(np.uint16))
        offset.append(offset[-1] + len(values[-1]))
    return {
        "number_value": np.concatenate(values),
        "number_offset": np.array(offset, np.int32),
        "truth_sum": np.array([value.astype(np.int64).sum() for value in values], np.float32),
        "truth_offset": np.arange(events + 1, dtype=np.int32),
        "frame": np.arange(3, dtype=np.float32),
    }
