"""The network on the tracksters of clue, as CMS runs it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from payloads.arrays import Array, Arrays

AFTER = "clue"

SETTINGS: Mapping[str, float] = {}

_GROUPS = ("cluster", "trackster")


def events(own: Arrays, detector: Arrays, before: Arrays) -> dict[str, Array]:
    """A set of one event as hgcalml takes it.

    Args:
        own: the set of one event of section ``tracksters``; nothing of it is needed.
        detector: the set that clue was given; nothing of it is needed.
        before: what clue made of it.

    Returns:
        Clue's columns with the offsets that one event has.
    """
    del own, detector
    found: dict[str, Array] = {}
    for group in _GROUPS:
        columns = {name: column for name, column in before.items() if name.startswith(f"{group}_")}
        found |= columns
        found[f"{group}_offset"] = np.array([0, len(columns[f"{group}_x"])], dtype=np.int32)
    return found
