"""The one form in which events and results travel: flat one-dimensional NumPy arrays by name.

A group ``digi`` of an event set has the columns ``digi_module``, ``digi_row``, … and ``digi_offset`` (int32, one more
entry than events): event ``i`` owns ``[offset[i], offset[i + 1])``. Columns without an offset of their group (geometry)
belong to all events.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Arrays = Mapping[str, Array]


def event_count(arrays: Arrays) -> int:
    """Events in the set, of any one of its offsets.

    Raises:
        ValueError: there is no group with offsets.
    """
    for name, column in arrays.items():
        if name.endswith("_offset"):
            return len(column) - 1
    raise ValueError("this set of arrays holds no group of events: no column ends in _offset")


def one_event(arrays: Arrays, event: int) -> dict[str, Array]:
    """The columns of one event: grouped ones are cut, without their offsets; the others are given whole."""
    groups = sorted(
        (name.removesuffix("_offset") for name in arrays if name.endswith("_offset")), key=len, reverse=True
    )
    cut: dict[str, Array] = {}
    for name, column in arrays.items():
        if name.endswith("_offset"):
            continue
        group = next((group for group in groups if name.startswith(f"{group}_")), None)
        if group is None:
            cut[name] = column
        else:
            offset = arrays[f"{group}_offset"]
            cut[name] = column[int(offset[event]) : int(offset[event + 1])]
    return cut


def each_event(arrays: Arrays) -> Iterator[dict[str, Array]]:
    """All events, one after another, as ``one_event`` gives them."""
    for event in range(event_count(arrays)):
        yield one_event(arrays, event)


def as_float64(column: Array) -> npt.NDArray[np.float64]:
    """A column in double precision, for references and physics."""
    return np.asarray(column, dtype=np.float64)
