"""Electron seeding with the hits that pixeltrack found: what CMS's trigger does."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from payloads.arrays import Array, Arrays

AFTER = "pixeltrack"

SETTINGS: Mapping[str, float] = {}


def events(own: Arrays, detector: Arrays, before: Arrays) -> dict[str, Array]:
    """A set of one event as eseeding takes it.

    Args:
        own: the set of one event of section ``electron``: its crystals, towers and beam spot are taken.
        detector: the set of section ``pixel`` that pixeltrack was given: the layers of its modules are taken.
        before: what pixeltrack made of it: the same collisions.

    Returns:
        Columns of section ``electron`` with pixeltrack's clusters as hits. The electrons of the Z boson that this section adds to
        each event have no hits there, so that only those of the hard collision are seeded.
    """
    module = np.asarray(before["cluster_module"], dtype=np.int64)
    kept = {name: column for name, column in own.items() if not name.startswith("hit_")}
    return {
        **kept,
        "hit_offset": np.array([0, len(module)], dtype=np.int32),
        **{f"hit_{axis}": np.asarray(before[f"cluster_{axis}"], dtype=np.float32) for axis in "xyz"},
        "hit_layer": np.asarray(detector["module_layer"])[module].astype(np.uint8),
    }
